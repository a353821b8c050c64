import numpy as np
import pytest
import torch

from gvhmr_da_mm.core.camera import perspective_project
from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.core.extrinsics import invert_rigid
from gvhmr_da_mm.core.rotation import quaternion_to_matrix
from gvhmr_da_mm.demo.cameras import (
    CAMERA_KINDS,
    camera_trajectory,
    estimated_camera_track,
    intrinsics,
)

K = intrinsics(1440, 1920, 1490.0)


def _walk(frames=120):
    time = torch.arange(frames) / 30
    return torch.stack((1.3 * time, torch.full_like(time, 0.95), 0.2 * time.sin()), dim=-1)


@pytest.mark.parametrize('kind', CAMERA_KINDS)
@pytest.mark.parametrize('seed', range(5))
def test_person_stays_in_view(kind, seed):
    subject = _walk(60 if kind == 'static' else 120)
    T = camera_trajectory(kind, subject, K, 1920, np.random.default_rng(seed))
    seen = (T[:, :3, :3] @ subject[..., None])[..., 0] + T[:, :3, 3]
    assert seen[:, 2].min() > 1.0
    pixels = perspective_project(seen[:, None], K)[:, 0]
    inside = ((pixels > 0) & (pixels < torch.tensor([1440.0, 1920.0]))).all(-1)
    assert inside.float().mean() > 0.95
    moves = T.diff(dim=0).abs().max() > 1e-6
    assert moves == (kind != 'static')


def test_a_long_trajectory_turns_the_tripod():
    T = camera_trajectory('static', _walk(200), K, 1920, np.random.default_rng(0))
    position = invert_rigid(T)[:, :3, 3]
    torch.testing.assert_close(position, position[:1].expand_as(position), atol=1e-4, rtol=0)
    assert T[:, :3, :3].diff(dim=0).abs().max() > 1e-4


def test_unknown_kind():
    with pytest.raises(ConfigError, match='drone'):
        camera_trajectory('drone', _walk(), K, 1920, np.random.default_rng(0))


def test_estimated_track_is_the_trajectory_up_to_scale_and_drift():
    T = camera_trajectory('walk', _walk(), K, 1920, np.random.default_rng(0))
    track = estimated_camera_track(T, np.random.default_rng(0))
    truth = T[0] @ invert_rigid(T)
    scale = (track[:, :3] * truth[:, :3, 3]).sum() / truth[:, :3, 3].square().sum()
    assert 0.2 < scale < 1.7
    assert (track[:, :3] - scale * truth[:, :3, 3]).abs().max() < 0.1
    quaternion = torch.cat((track[:, 6:], track[:, 3:6]), dim=-1)
    error = quaternion_to_matrix(quaternion) - truth[:, :3, :3]
    assert error.abs().max() < 0.05
