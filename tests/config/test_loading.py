"""Overrides apply or fail, one data root is set everywhere, and debug runs are short."""

import inspect
from pathlib import Path

import pytest
from mmengine.config import Config, ConfigDict
from torch.utils.data import DataLoader

from gvhmr_da_mm.apis import check_options, limit_for_debugging, load_config, set_data_root
from gvhmr_da_mm.config.loading import drop_disabled_hooks, walk
from gvhmr_da_mm.core.errors import ConfigError, MissingFilesError

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
SHIPPED = sorted(CONFIGS.glob('*.py'))
TINY = CONFIGS / 'da_tiny_bedlam_emdb_3dpw.py'


@pytest.fixture
def config():
    return load_config(TINY)


# Overrides


@pytest.mark.parametrize(
    'key, value',
    [
        ('train_cfg.max_epochs', 3),
        ('model.estimator.backbone.latent_dim', 16),
        ('model.pseudo_labeler.threshold', 0.1),  # Not in the config, but an argument of the class.
        ('optim_wrapper.model.optimizer.betas', (0.5, 0.9)),  # An argument of AdamW.
        ('model.estimator.test_cfg.static_camera', True),  # An option that the config leaves out.
        ('train_dataloader.dataset.datasets.emdb.transductive', True),
        ('train_dataloader.dataset.datasets.emdb.min_frames', 10),  # An argument of a base class.
        ('train_dataloader.pin_memory', True),  # A dataloader has no type.
        ('default_hooks.confidence_threshold.start', 0.3),
        ('default_hooks.checkpoint.save_best', 'emdb1/pa_mpjpe'),
        ('load_from', 'some.pth'),
        ('work_dir', 'somewhere'),  # An argument of the Runner.
        ('randomness.deterministic', True),
        ('model.pseudo_labeler.refiner.steps', 3),
    ],
)
def test_an_override_changes_the_config(key, value):
    config = load_config(TINY, {key: value})
    node = config
    for part in key.split('.'):
        node = node[int(part)] if part.isdigit() else node[part]
    assert node == value


@pytest.mark.parametrize(
    'key, message',
    [
        ('train_cfg.max_epoch', "no 'max_epoch' in train_cfg; did you mean 'max_epochs'"),
        (
            'model.pseudo_labeler.num_augmentation',
            "in model.pseudo_labeler; did you mean 'num_augmentations'",
        ),
        ('model.estimator.backbone.latent', 'in model.estimator.backbone; did you mean'),
        ('train_dataloder.batch_size', "top level of the config; did you mean 'train_dataloader'"),
        ('train_dataloader.batchsize', "in train_dataloader; did you mean 'batch_size'"),
        ('train_dataloader.dataset.datasets.7.split', "no '7' in train_dataloader.dataset.dat"),
        ('train_dataloader.dataset.datasets.bedlum.pack', "did you mean 'bedlam'"),
        ('test_evaluator.first.compat', "no 'first'"),
        ('default_hooks.confidence_treshold.end', "did you mean 'confidence_threshold'"),
        ('optim_wrapper.model.optimizer.learning_rate', 'in optim_wrapper.model.optimizer; it'),
        ('randomness.sed', "in randomness; did you mean 'seed'"),
        ('env_cfg.cudnn_bench', "did you mean 'cudnn_benchmark'"),
    ],
)
def test_an_unknown_override_is_refused_with_the_nearest_name(key, message):
    with pytest.raises(ConfigError) as error:
        load_config(TINY, {key: 1})
    assert message in str(error.value) and key in str(error.value)


def test_a_variable_of_the_file_is_no_field(config):
    """What was computed from it would not change."""
    with pytest.raises(ConfigError, match="'bedlam' is a variable of the config file"):
        check_options(config, {'bedlam.parts': ('all60',)})


def test_a_scalar_has_no_fields():
    with pytest.raises(ConfigError, match='max_epochs'):
        load_config(TINY, {'train_cfg.max_epochs.value': 1})


def test_a_class_given_by_name_is_looked_up(config, tmp_path):
    """Dumped configs, with which runs are resumed, name their classes."""
    path = tmp_path / 'dumped.py'
    config.dump(path)
    options = {
        'model.pseudo_labeler.threshold': 0.1,
        'default_hooks.confidence_threshold.interval': 2,
    }
    dumped = load_config(path, options)
    assert dumped.model.pseudo_labeler.threshold == 0.1
    with pytest.raises(ConfigError, match="did you mean 'threshold'"):
        load_config(path, {'model.pseudo_labeler.treshold': 0.1})


def test_switching_the_workers_off_is_enough():
    config = load_config(CONFIGS / 'da_bedlam_emdb_3dpw.py', {'train_dataloader.num_workers': 0})
    assert config.train_dataloader.persistent_workers is False
    path = CONFIGS / 'gvhmr_keypoints_s_cmu_gpu.py'
    config = load_config(path, {'train_dataloader.num_workers': 0})
    assert 'prefetch_factor' not in config.train_dataloader


def test_a_missing_config_says_where_configs_are():
    with pytest.raises(MissingFilesError, match=r"'configs/none.py'.*folder `configs`"):
        load_config('configs/none.py')


@pytest.mark.parametrize(
    'name, meant',
    [
        ('confidence_treshold', 'confidence_threshold'),
        ('chekpoint', 'checkpoint'),
        ('maen_teacher', 'mean_teacher'),
        ('samplerseed', 'sampler_seed'),
        ('sampler_seeds', 'sampler_seed'),
    ],
)
def test_a_misspelt_hook_is_not_turned_off_in_silence(config, name, meant):
    config.default_hooks[name] = None
    with pytest.raises(ConfigError, match=f'default_hooks.{name}.*did you mean {meant!r}'):
        drop_disabled_hooks(config)


def test_hooks_that_are_turned_off(config):
    hooks = dict(mine1=None, mine2=dict(type='EMAHook'), confidence_threshold=None, timer=None)
    config.default_hooks.update(hooks)
    drop_disabled_hooks(config)
    left = config.default_hooks
    assert 'mine1' not in left and 'confidence_threshold' not in left and 'mine2' in left
    assert left.timer is None, 'MMEngine adds its own where the name is missing'


@pytest.mark.parametrize(
    'name, other',
    [
        ('my_logger', 'logger'),
        ('best_checkpoint', 'checkpoint'),
        ('ema_teacher', 'mean_teacher'),
        ('histogram_a', 'histogram_b'),
        ('activations_train', 'activations_val'),
    ],
)
def test_an_own_hook_may_be_off_beside_one_of_a_similar_name(config, name, other):
    config.default_hooks.setdefault(other, dict(type='EMAHook'))
    config.default_hooks[name] = None
    drop_disabled_hooks(config)
    assert name not in config.default_hooks and other in config.default_hooks


# The data root


def accepts_data_root(part):
    kind = part.get('type')
    if not inspect.isclass(kind):
        return False
    for ancestor in kind.__mro__:
        if '__init__' in vars(ancestor):
            parameters = inspect.signature(ancestor.__init__).parameters
            if 'data_root' in parameters:
                return True
    return False


@pytest.mark.parametrize('path', SHIPPED, ids=lambda path: path.stem)
def test_the_data_root_reaches_every_part(path, tmp_path):
    config = load_config(path, data_root=tmp_path)
    takers = [part for part in walk(config._cfg_dict) if accepts_data_root(part)]
    assert len(takers) >= 2  # At least a dataset and a body.
    without = [part['type'].__name__ for part in takers if part.get('data_root') != str(tmp_path)]
    assert not without
    assert not [part for part in walk(config._cfg_dict) if part.get('data_root') is None
                and 'data_root' in part]  # fmt: skip


def test_the_data_root_is_absolute(config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'here').mkdir()
    set_data_root(config, 'here')
    assert config.model.estimator.body_model.data_root == str(tmp_path / 'here')


def test_a_data_root_that_is_no_folder(tmp_path):
    with pytest.raises(MissingFilesError, match='none.*not a folder'):
        load_config(TINY, data_root=tmp_path / 'none')


def test_a_data_root_that_nothing_uses(tmp_path):
    with pytest.raises(ConfigError, match='no effect.*GVHMR_DATA_ROOT'):
        set_data_root(Config(dict(model=dict(type='Toy'))), tmp_path)


def test_a_plain_config_dict_works(tmp_path):
    part = ConfigDict(dataset=dict(data_root=None))
    set_data_root(part, tmp_path)
    assert part.dataset.data_root == str(tmp_path)


# Debugging


@pytest.mark.parametrize('path', SHIPPED, ids=lambda path: path.stem)
def test_debug_runs_are_short(path):
    config = load_config(path)
    limit_for_debugging(config)
    assert config.train_cfg.max_epochs == 2 and config.train_cfg.val_interval == 1
    assert config.train_dataloader.batch_sampler.batches_per_epoch == 4
    assert config.default_hooks.logger.interval == 1
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        loader = config.get(name)
        if loader:  # What PyTorch's loader accepts.
            DataLoader(
                [1], **{key: loader.get(key) for key in ('num_workers', 'prefetch_factor')},
                persistent_workers=loader.persistent_workers,
            )  # fmt: skip
            assert loader.num_workers == 0, name


def test_debugging_needs_no_validation(config):
    config.val_cfg = config.val_dataloader = config.val_evaluator = None
    limit_for_debugging(config)
    assert config.val_dataloader is None


# What a run reads without saying so in its signature, and what can be added


@pytest.mark.parametrize(
    'key, value',
    [
        ('model_wrapper_cfg.type', 'MMDistributedDataParallel'),
        ('find_unused_parameters', True),
        ('sync_bn', 'torch'),
        ('activation_checkpointing', ['student']),
    ],
)
def test_fields_that_the_runner_reads_in_the_config(config, key, value):
    check_options(config, {key: value})


def test_a_module_is_no_class(config):
    with pytest.raises(ConfigError, match="should be a registered class.*got 'torch'"):
        check_options(config, {'model_wrapper_cfg.type': 'torch'})


@pytest.mark.parametrize('key', ['self', 'cfg'])
def test_what_is_no_field_of_a_config(config, key):
    with pytest.raises(ConfigError, match=f'there is no {key!r}'):
        check_options(config, {key: 1})


def test_a_hook_is_added_by_its_type():
    hook = {'default_hooks.stop.type': 'EarlyStoppingHook'}
    config = load_config(TINY, {**hook, 'default_hooks.stop.monitor': 'emdb1/mpjpe'})
    assert config.default_hooks.stop.monitor == 'emdb1/mpjpe'
    with pytest.raises(ConfigError, match="'default_hooks.stop'|'stop'"):
        load_config(TINY, {'default_hooks.stop.monitor': 'emdb1/mpjpe'})
    with pytest.raises(ConfigError, match="no field 'monitr'.*monitor"):
        load_config(TINY, {**hook, 'default_hooks.stop.monitr': 'emdb1/mpjpe'})


def test_a_profiler_names_its_writer_its_own_way():
    options = {
        'default_hooks.profiler.type': 'ProfilerHook',
        'default_hooks.profiler.on_trace_ready': dict(type='tb_trace'),
    }
    assert load_config(TINY, options).default_hooks.profiler.on_trace_ready.type == 'tb_trace'


def test_a_data_root_below_the_home_folder(config, tmp_path, monkeypatch):
    """No shell resolves `--data-root=~/data`."""
    monkeypatch.setenv('HOME', str(tmp_path))
    (tmp_path / 'data').mkdir()
    loaded = load_config(TINY, data_root='~/data')
    assert loaded.model.estimator.body_model.data_root == str(tmp_path / 'data')
