"""The configs of `recipes.md` train as the page says."""

import shutil

import pytest
import torch

from gvhmr_da_mm.apis import load_config
from gvhmr_da_mm.registry import DATASETS, MODELS
from tests.testing import read_log, toy_model_config
from tests.tool_calls import REPO_ROOT, SHRINK

from .markdown import ENGLISH, blocks

PAGE = ENGLISH / 'recipes.md'
SHORT = [
    *SHRINK,
    'train_dataloader.batch_size=2',
    'train_dataloader.num_workers=0',
    'val_dataloader.num_workers=0',
    'optim_wrapper.model.accumulative_counts=1',
    'default_hooks.logger.interval=1',
    'log_level=ERROR',
]
EPOCHS = [
    'train_cfg.max_epochs=2',
    'train_cfg.val_interval=1',
    'train_dataloader.batch_sampler.batches_per_epoch=2',
]


def recipe(word):
    """Return the block that contains a word."""
    (code,) = [code for code in blocks(PAGE) if word in code]
    return code


@pytest.fixture
def train(call, toy_root, tmp_path):
    """Return a function that trains with a block for a few iterations."""

    def _train(word, *options, more=()):
        shutil.copytree(REPO_ROOT / 'configs', tmp_path / 'configs', dirs_exist_ok=True)
        path = tmp_path / 'configs' / 'mine.py'
        path.write_text(recipe(word))
        code, _, err = call(
            'train', path, '--data-root', toy_root, '--work-dir', tmp_path / 'run', *more,
            '--cfg-options', *SHORT, *options,
        )  # fmt: skip
        assert code == 0, err
        return tmp_path / 'run'

    return _train


def sequences_of(dataset):
    dataset = DATASETS.build(dataset)
    return {dataset.get_data_info(index)['sequence'] for index in range(len(dataset))}


def load(path):
    return torch.load(path, weights_only=False)


def test_every_block_is_tested():
    words = (
        'save_best',
        'val_held_out',
        'CosineAnnealingLR',
        'max_iters',
        'lr_mult',
        'SGD',
        'Pretrained',
    )
    assert sorted(map(recipe, words)) == sorted(blocks(PAGE))


def test_the_best_checkpoint_is_kept_and_training_stops(train):
    # A metric that falls by less than this does not count as better.
    options = ('custom_hooks.0.min_delta=1e9', 'custom_hooks.0.patience=1')
    run = train('save_best', *EPOCHS, 'train_cfg.max_epochs=9', *options)
    assert len(list(run.glob('best_emdb1_pa_mpjpe_epoch_*.pth'))) == 1
    validated = [entry['step'] for entry in read_log(run) if 'emdb1/pa_mpjpe' in entry]
    assert validated == [1, 2]


def test_held_out_videos_are_validated_and_not_trained_on(train, toy_root):
    run = train('val_held_out', *EPOCHS, 'train_cfg.max_epochs=1')
    (scores,) = [entry for entry in read_log(run) if 'val_emdb/pa_mpjpe' in entry]
    assert {'val_emdb/w_mpjpe', 'val_3dpw/pa_mpjpe'} < set(scores)
    config = load_config(run / 'mine.py')
    for name in ('emdb', 'threedpw'):
        trained, validated = (
            sequences_of(loader.dataset.datasets[name])
            for loader in (config.train_dataloader, config.val_dataloader)
        )
        assert trained and validated and not trained & validated


def test_a_schedule_in_iterations(train):
    run = train('CosineAnnealingLR', *EPOCHS, more=['--no-validate'])
    rates = [entry['model.lr'] for entry in read_log(run)]
    assert rates == pytest.approx([1e-5 + 9e-5 * step / 49 for step in range(4)])


def test_iterations_instead_of_epochs(train):
    options = ('train_cfg.max_iters=4', 'train_cfg.val_interval=2')
    run = train('max_iters', *options, 'default_hooks.checkpoint.interval=2')
    assert {path.name for path in run.glob('iter_*.pth')} == {'iter_2.pth', 'iter_4.pth'}
    scores = [entry['step'] for entry in read_log(run) if 'emdb1/pa_mpjpe' in entry]
    assert scores == [2, 4]


def test_frozen_weights(train):
    run = train('lr_mult', *EPOCHS, 'default_hooks.checkpoint.interval=1', more=['--no-validate'])
    first, last = (load(run / f'epoch_{number}.pth')['state_dict'] for number in (1, 2))
    moved = {name for name in first if not torch.equal(first[name], last[name])}
    assert not [name for name in moved if name.startswith('student.backbone.')]
    assert [name for name in moved if name.startswith('student.head.')]


def test_another_optimiser(train):
    run = train('SGD', *EPOCHS, 'default_hooks.checkpoint.interval=1', more=['--no-validate'])
    (group, *_) = load(run / 'epoch_2.pth')['optimizer']['model']['param_groups']
    assert group['momentum'] == 0.9 and group['lr'] == 0.01


def test_a_part_of_another_model(train, toy_root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(5)  # Not that of the run.
    source = MODELS.build(toy_model_config(toy_root, num_layers=1, latent_dim=32))
    torch.save(dict(state_dict=source.state_dict(), meta={}), 'source.pth')
    run = train(
        'Pretrained', *EPOCHS, 'optim_wrapper.model.optimizer.lr=0',
        'default_hooks.checkpoint.interval=1', more=['--no-validate'],
    )  # fmt: skip
    trained = load(run / 'epoch_1.pth')['state_dict']
    for name, value in source.state_dict().items():
        same = torch.equal(trained[f'student.{name}'], value)
        assert same or not name.startswith('backbone.'), name
    assert not torch.equal(
        trained['student.head.motion.fc1.weight'], source.state_dict()['head.motion.fc1.weight']
    )
