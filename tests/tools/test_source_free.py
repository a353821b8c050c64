"""Adaptation to a pack of videos by what a published model carries, without labelled clips."""

import numpy as np
import pytest
import torch

from gvhmr_da_mm.datasets.packs import PackWriter
from tests.models.publishing import publish, save_checkpoint
from tests.testing import last_checkpoint, read_log, toy_adaptation_config
from tests.tool_calls import REPO_ROOT
from tests.video.people import walking

CONFIG = REPO_ROOT / 'configs' / 'da_video.py'
SHORT = [
    'train_cfg.max_epochs=1',
    'train_dataloader.batch_size=2',
    'train_dataloader.num_workers=0',
    'train_dataloader.batch_sampler.batches_per_epoch=2',
    'optim_wrapper.model.accumulative_counts=1',
    'default_hooks.checkpoint.interval=1',
    'default_hooks.logger.interval=1',
    'log_level=ERROR',
]


@pytest.fixture(scope='module')
def root(toy_root, tmp_path_factory):
    """Return a data root with body models and a pack of one video, and nothing else."""
    root = tmp_path_factory.mktemp('videos')
    for name in ('body_models', 'support'):
        (root / name).symlink_to(toy_root / name)
    arrays = dict(
        bbx_xys=np.tile((40.0, 30.0, 60.0), (60, 1)),
        kp2d=walking(60),
        K_fullimg=np.array([[115.0, 0, 48], [0, 115, 32], [0, 0, 1]]),
        R_w2c=np.tile(np.eye(3), (60, 1, 1)),
    )
    with PackWriter(root / 'packs' / 'videos', 'video') as writer:
        writer.add('walk', arrays, dict(img_wh=(96, 64)))
    return root


@pytest.fixture(scope='module')
def published(toy_root, tmp_path_factory):
    """Return a function that publishes an adapted model with so many true motions."""

    def _published(true_motions):
        folder = tmp_path_factory.mktemp('published')
        queue = dict(
            body_pose=0.1 * torch.randn(8, 120, 69),
            valid=torch.ones(8, 120, dtype=torch.bool),
            num_pushed=torch.tensor(8),
        )
        tensors = {f'critic.queue.{name}': value for name, value in queue.items()}
        model = toy_adaptation_config(toy_root)
        checkpoint = save_checkpoint(folder / 'epoch_2.pth', model, **tensors)
        return publish(folder / 'out', checkpoint, true_motions=true_motions)

    return _published


@pytest.fixture
def adapt(call, root, tmp_path):
    def _adapt(weights, *options):
        return call(
            'train', CONFIG, '--data-root', root, '--work-dir', tmp_path / 'run',
            '--cfg-options', f'load_from={weights}', *SHORT, *options,
        )  # fmt: skip

    return _adapt


def test_what_a_published_model_carries_is_enough(adapt, published, tmp_path):
    source = published(4)
    code, _, err = adapt(source)
    assert code == 0, err
    entries = read_log(tmp_path / 'run')
    assert len(entries) == 2 and all(entry['reprojection_loss'] > 0 for entry in entries)
    assert all(entry['discriminator_real_loss'] > 0 for entry in entries)
    state = torch.load(last_checkpoint(tmp_path / 'run'), weights_only=False)
    anchor = state['training_state']['hooks']['SourceFreeHook']['source']
    assert anchor.keys() <= {name[8:] for name in state['state_dict'] if 'student.' in name}
    assert len(state['state_dict']['critic.queue.body_pose']) == 4


def test_a_model_without_true_motion_is_refused_with_remedies(adapt, published):
    code, _, err = adapt(published(0))
    assert code == 2 and 'critic_keypoints_s_cmu.py' in err and 'model.critic=None' in err


def test_the_remedy_without_a_discriminator_works(adapt, published):
    weights = 'model.pseudo_labeler.confidence.weights.reprojection=1.0'
    code, _, err = adapt(published(0), 'model.critic=None', weights)
    assert code == 0, err


def test_labelled_clips_in_the_data_root_are_used(adapt, published, root, toy_root, tmp_path):
    (root / 'BEDLAM').symlink_to(toy_root / 'BEDLAM')
    try:
        code, _, err = adapt(published(0))
    finally:
        (root / 'BEDLAM').unlink()
    assert code == 0, err
    assert 'synthetic_loss' in read_log(tmp_path / 'run')[0]
