"""Every shipped config loads, survives a dump, and builds."""

import copy
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import DefaultScope

from gvhmr_da_mm.apis import load_config
from gvhmr_da_mm.datasets.packs import PackWriter
from gvhmr_da_mm.datasets.samplers.alternating_multi_source_sampler import MIN_BATCHES
from gvhmr_da_mm.registry import DATASETS, HOOKS, METRICS, MODELS, OPTIM_WRAPPER_CONSTRUCTORS
from tests.datasets.mocap import recordings

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
SHIPPED = sorted(CONFIGS.glob('*.py'))
MILLIONS = dict(
    gvhmr_bedlam=(35, 45),
    gvhmr_keypoints_s=(4, 5),
    gvhmr_keypoints_s_cmu=(4, 5),
    gvhmr_keypoints_b_cmu=(18, 22),
)
"""Parameters in millions of the full-size network (Shen et al. report about 40)."""


@pytest.fixture(params=SHIPPED, ids=lambda path: path.stem)
def path(request):
    return request.param


def test_there_are_configs():
    assert {path.stem for path in SHIPPED} >= {
        'gvhmr_bedlam', 'da_bedlam_emdb_3dpw', 'da_tiny_bedlam_emdb_3dpw',
    }  # fmt: skip


def test_the_length_of_a_video_run_does_not_depend_on_the_videos():
    config = load_config(CONFIGS / 'da_video.py')
    batches = config.train_dataloader.batch_sampler.batches_per_epoch
    assert batches / 2 >= MIN_BATCHES, 'half of the batches are real'
    assert config.train_cfg.max_epochs * batches == 800


def test_a_dump_reads_back_equal(path, tmp_path):
    config = load_config(path)
    dumped = tmp_path / path.name
    config.dump(dumped)
    again = load_config(dumped)
    assert again._cfg_dict.to_dict() == Config.fromfile(str(dumped))._cfg_dict.to_dict()
    second = tmp_path / f'again_{path.name}'
    again.dump(second)
    assert second.read_text() == dumped.read_text()


def test_the_text_is_made_without_a_search_for_line_breaks(path, tmp_path, monkeypatch):
    """YAPF takes seconds for it where a long path does not fit a line."""
    monkeypatch.setattr('yapf.yapflib.yapf_api.FormatCode', None)
    config = load_config(path)
    config.dump(tmp_path / path.name)
    assert copy.deepcopy(config).pretty_text == (tmp_path / path.name).read_text()
    assert load_config(tmp_path / path.name).pretty_text == config.pretty_text


def make_video_pack(root):
    arrays = dict(
        bbx_xys=np.full((60, 3), 50.0),
        kp2d=np.full((60, 17, 3), 0.9),
        K_fullimg=np.diag([100.0, 100.0, 1.0]),
        R_w2c=np.tile(np.eye(3), (60, 1, 1)),
    )
    with PackWriter(root, 'video') as writer:
        writer.add('a', arrays, dict(img_wh=(100, 100)))


def test_all_parts_build(path, mixed_root, tmp_path):
    """Full-size networks too: building one takes a second."""
    root, is_keypoints = mixed_root, 'keypoints' in path.stem
    if path.stem in ('da_video', 'da_own_videos') or is_keypoints:
        # Beside the other data, which others read.
        root = tmp_path / 'data'
        root.mkdir()
        for entry in mixed_root.iterdir():
            if not (is_keypoints and entry.name == 'AMASS'):  # Written below.
                (root / entry.name).symlink_to(entry)
        make_video_pack(root / 'packs' / 'videos')
    config = load_config(path, data_root=root)
    if is_keypoints:
        subjects = [*config.get('test_subjects', []), *config.get('val_subjects', [])]
        for subject in ('01', *config.get('walkers', []), *subjects):
            recordings.write(root / 'AMASS' / 'CMU' / subject / 'walk.npz')
    with DefaultScope.overwrite_default_scope(config.default_scope):
        model = MODELS.build(config.model)
        model.init_weights()
        size = sum(p.numel() for p in model.parameters() if p.requires_grad) / 1e6
        low, high = MILLIONS.get(path.stem, (0, 100))
        assert low < size < high
        dataset = DATASETS.build(config.train_dataloader.dataset)
        assert len(dataset) > 0
        for hook in [*config.default_hooks.values(), *config.custom_hooks]:
            HOOKS.build(hook)
        for name in ('val', 'test'):
            if config.get(f'{name}_dataloader'):
                assert len(DATASETS.build(config[f'{name}_dataloader'].dataset)) > 0
                for metric in config[f'{name}_evaluator']:
                    METRICS.build(metric)
        wrapper = dict(config.optim_wrapper)
        constructor = wrapper.pop('constructor')
        build = OPTIM_WRAPPER_CONSTRUCTORS.build(
            dict(type=constructor, optim_wrapper_cfg=wrapper, paramwise_cfg=None)
        )
        assert build(model) is not None


def test_the_data_sources_and_tests_are_those_of_the_paper(toy_root):
    config = load_config(CONFIGS / 'da_bedlam_emdb_3dpw.py', data_root=toy_root)
    config.train_dataloader.dataset.lazy_init = True
    datasets = DATASETS.build(config.train_dataloader.dataset).datasets
    assert {name: type(dataset).__name__ for name, dataset in datasets.items()} == dict(
        bedlam='BEDLAMDataset', emdb='EMDBDataset', threedpw='ThreeDPWDataset'
    )
    for dataset in (datasets['emdb'], datasets['threedpw']):
        assert dataset.split == 'train' and not dataset.transductive
        assert not dataset.labelled_training
    tested = config.test_dataloader.dataset.datasets
    assert {name: d.split for name, d in tested.items()} == dict(
        emdb1='emdb1', emdb2='emdb2', threedpw='test'
    )
    assert [m.dataset for m in config.test_evaluator] == ['emdb1', 'emdb2', '3dpw']


def test_the_defaults_of_adaptation():
    config = load_config(CONFIGS / 'da_bedlam_emdb_3dpw.py')
    threshold = HOOKS.build(config.default_hooks.confidence_threshold)
    assert (threshold.start, threshold.end, threshold.step) == (0.4, 0.5, 0.05)
    assert (threshold.interval, threshold.by_epoch) == (100, True)
    published = load_config(CONFIGS / 'da_published.py')
    threshold = HOOKS.build(published.default_hooks.confidence_threshold)
    assert (threshold.start, threshold.end, threshold.step) == (0.6, 0.9, 0.05)
    assert threshold.interval == 30 and published.model.pseudo_labeler.num_augmentations == 2
    assert config.train_dataloader.batch_size == 64
    student, discriminator = config.optim_wrapper.model, config.optim_wrapper.discriminator
    assert student.optimizer.lr == 1e-4 and student.accumulative_counts == 2
    assert student.clip_grad.max_norm == 0.5
    assert discriminator.optimizer.lr == discriminator.optimizer.weight_decay == 1e-4
    assert config.train_cfg.max_epochs == 300


def test_a_discriminator_with_true_motion_fits_into_a_published_file():
    """A file has at most 12 MB, of which the network may take ten."""
    critic = load_config(CONFIGS / 'critic_keypoints_s_cmu.py').model.critic
    with DefaultScope.overwrite_default_scope('gvhmr_da_mm'):
        built = MODELS.build(critic)
    values = sum(value.numel() for value in built.discriminator.parameters())
    values += built.queue.body_pose.numel()
    assert len(built.queue.body_pose) == 64
    assert 2 * values < 1.8e6


def test_the_supervised_schedule_is_the_published_one():
    config = load_config(CONFIGS / 'gvhmr_bedlam.py')
    assert config.train_cfg.max_epochs == 500
    assert config.optim_wrapper.optimizer.lr == 2e-4
    assert config.optim_wrapper.clip_grad.max_norm == 0.5
    assert config.param_scheduler[0].milestones == [200, 350]
    assert config.param_scheduler[0].gamma == 0.5


@pytest.mark.mocap
def test_subjects_are_those_of_the_recordings_and_none_is_in_two_sets(
    toy_root, mocap_root, tmp_path
):
    recorded = {path.parent.name for path in mocap_root.rglob('*_stageii.npz')}
    config = load_config(CONFIGS / 'gvhmr_keypoints_s_cmu.py', data_root=tmp_path)
    held_out = {*config.test_subjects, *config.val_subjects}
    if not {*config.walkers, *held_out} <= recorded:
        pytest.skip(f'{mocap_root} has other subjects than the config')
    for entry in toy_root.iterdir():
        (tmp_path / entry.name).symlink_to(entry)
    (tmp_path / 'AMASS').symlink_to(mocap_root)
    with DefaultScope.overwrite_default_scope(config.default_scope):
        datasets = DATASETS.build(config.train_dataloader.dataset).datasets
    used = {
        name: {
            Path(info['sequence']).parent.name
            for info in map(dataset.get_data_info, range(len(dataset)))
        }
        for name, dataset in datasets.items()
    }
    assert used['walks'] == set(config.walkers) < used['amass']
    assert len(held_out) == 14 and not held_out & used['amass']
    assert held_out | used['amass'] == recorded
