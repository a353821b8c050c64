"""A tiny source with a discriminator and true motion, and an adaptation that takes seconds."""

import numpy as np
import pytest
import torch

from gvhmr_da_mm import adapt
from gvhmr_da_mm.apis.video_adaptation import stages
from tests.apis.inferencers.conftest import keypoints
from tests.models.publishing import save_checkpoint
from tests.testing import isolated_registry, toy_adaptation_config, toy_model_config
from tests.video.videos import square, write_video

FRAMES = 64
SHORT = {
    'train_cfg.max_epochs': 1,
    'train_dataloader.batch_size': 1,
    'train_dataloader.batch_sampler.batches_per_epoch': 3,
    'optim_wrapper.model.optimizer.lr': 1e-3,
}


def save_source(path, root, **estimator):
    """Save an adaptation whose queue holds four motions; fields of its network can be changed."""
    fit = dict(type='KeypointRefiner', steps=1)
    network = toy_model_config(root, num_layers=1, test_cfg=dict(refiner=fit))
    queue = dict(
        body_pose=0.1 * torch.randn(4, 120, 69),
        valid=torch.ones(4, 120, dtype=torch.bool),
        num_pushed=torch.tensor(4),
    )
    tensors = {f'critic.queue.{name}': value for name, value in queue.items()}
    critic = dict(queue=dict(type='MotionQueue', size=4))
    model = toy_adaptation_config(root, estimator={**network, **estimator}, critic=critic)
    with isolated_registry():
        return save_checkpoint(path, model, **tensors)


@pytest.fixture(scope='session')
def source(toy_root, tmp_path_factory):
    """Return the checkpoint of a source."""
    return save_source(tmp_path_factory.mktemp('source') / 'a.pth', toy_root)


@pytest.fixture
def videos(tmp_path):
    """Return a folder of a video with the keypoints of somebody in it."""
    (tmp_path / 'in').mkdir()
    (tmp_path / 'keypoints').mkdir()
    write_video(tmp_path / 'in' / 'walk.mp4', pictures=[square(t % 16) for t in range(FRAMES)])
    somebody(tmp_path / 'keypoints' / 'walk.npz')
    return tmp_path / 'in'


@pytest.fixture
def run(source, videos, toy_root, tmp_path, monkeypatch):
    """Return a function that adapts to the videos with options, and draws them if asked to."""

    def _run(progress=None, weights=source, out=tmp_path / 'out', drawn=False, **options):
        with isolated_registry(), monkeypatch.context() as patch:
            if not drawn:
                patch.setattr(stages, 'write_comparison_video', lambda *_, **__: None)
            return adapt(
                None,
                videos,
                weights,
                out,
                device='cpu',
                data_root=toy_root,
                keypoints=str(tmp_path / 'keypoints'),
                options={**SHORT, **options},
                progress=progress,
                camera='static',
            )

    return _run


def somebody(path, change=lambda kp2d: None):
    """Write keypoints (1, F, 17, 3) of somebody whose limbs swing, changed in place."""
    keypoints(path, [(0, FRAMES)], FRAMES)
    kp2d = np.load(path)['kp2d']
    kp2d[..., 0] += 2 * np.sin(np.arange(FRAMES)[:, None] / 5 + np.arange(17))
    change(kp2d)
    np.savez(path, kp2d=kp2d)
