import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter1d

from gvhmr_da_mm.core.conventions import STATIC_FRAME_TIME
from gvhmr_da_mm.core.filtering import (
    gaussian_smooth,
    hold_last_valid,
    joint_speed,
    length_to_mask,
    static_mask,
)

DOUBLE = torch.float64


@pytest.mark.parametrize('frames', [1, 2, 9, 60])
@pytest.mark.parametrize('sigma', [0.5, 3.0])
def test_gaussian_equals_scipy(frames, sigma):
    signal = torch.randn(2, frames, 3, dtype=DOUBLE)
    expected = gaussian_filter1d(signal.numpy(), sigma, axis=1, mode='nearest')
    np.testing.assert_allclose(gaussian_smooth(signal, sigma, dim=1), expected, atol=1e-12)


@pytest.mark.parametrize('dim', [0, 1, -1])
def test_any_dimension(dim):
    signal = torch.randn(7, 8, 9, dtype=DOUBLE)
    moved = gaussian_smooth(signal.movedim(dim, 0), 2.0, dim=0).movedim(0, dim)
    torch.testing.assert_close(gaussian_smooth(signal, 2.0, dim=dim), moved)


def test_a_constant_stays_and_noise_shrinks():
    torch.testing.assert_close(
        gaussian_smooth(torch.full((1, 30), 2.5, dtype=DOUBLE), 3.0, 1),
        torch.full((1, 30), 2.5, dtype=DOUBLE),
    )
    noise = torch.randn(1, 500, dtype=DOUBLE)
    assert gaussian_smooth(noise, 3.0, 1).std() < 0.5 * noise.std()


def test_gradients_flow():
    signal = torch.randn(1, 6, 2, dtype=DOUBLE, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: gaussian_smooth(x, 1.0, dim=1), signal)


def test_speed_is_in_metres_per_second():
    joints = torch.zeros(4, 2, 3)
    joints[:, 1, 0] = 0.033 * torch.arange(4)
    torch.testing.assert_close(
        joint_speed(joints)[:, 1], torch.full((3,), 0.033 / STATIC_FRAME_TIME)
    )
    assert not joint_speed(joints)[:, 0].any()


def test_static_joints_and_the_repeated_last_frame():
    joints = torch.zeros(1, 5, 2, 3)
    joints[0, 3:, 1, 0] = 1.0  # The second joint jumps from frame 2 to 3.
    mask = static_mask(joints)
    assert mask.shape == (1, 5, 2)
    assert mask[..., 0].all()
    assert mask[0, :, 1].tolist() == [True, True, False, True, True]
    assert static_mask(joints, repeat_last=False).shape == (1, 4, 2)


def test_the_threshold_is_a_speed():
    joints = torch.zeros(2, 1, 3)
    joints[1, 0, 0] = 0.2 * STATIC_FRAME_TIME
    assert not static_mask(joints).any()
    assert static_mask(joints, threshold=0.21).all()


def test_smoothing_the_speed_bridges_a_single_slip():
    joints = torch.zeros(40, 1, 3)
    joints[20:, 0, 0] = 0.02
    assert not static_mask(joints).all()
    assert static_mask(joints, smooth_sigma=3.0).all()


@pytest.mark.parametrize('repeat_last, frames', [(True, 1), (False, 0)])
def test_a_single_frame_is_static(repeat_last, frames):
    mask = static_mask(torch.randn(3, 1, 2, 3), repeat_last=repeat_last)
    assert mask.shape == (3, frames, 2) and mask.all() and mask.dtype == torch.bool


def test_lengths_become_masks():
    mask = length_to_mask(torch.tensor([0, 2, 5]), 4)
    assert mask.tolist() == [[False] * 4, [True, True, False, False], [True] * 4]


def test_the_last_valid_frame_is_held():
    signal = torch.arange(12.0).reshape(3, 4, 1)
    valid = torch.tensor([[1, 1, 0, 0], [0, 1, 0, 1], [0, 0, 0, 0]]).bool()
    held = hold_last_valid(signal, valid)[..., 0]
    assert held.tolist() == [[0, 1, 1, 1], [4, 5, 6, 7], [8, 9, 10, 11]]
    alone = gaussian_smooth(signal[:1, :2], 3.0, dim=1)
    smooth = gaussian_smooth(hold_last_valid(signal, valid), 3.0, dim=1)
    torch.testing.assert_close(smooth[:1, :2], alone)
