"""What is injected into made-up views is what is measured."""

import numpy as np
import pytest
import torch

from benchmarks.noise.calibrated_views import View, read_views, triangulate
from benchmarks.noise.fit import fit, measure, table
from gvhmr_da_mm.codecs import DetectorNoise
from gvhmr_da_mm.core.errors import DataError
from gvhmr_da_mm.core.extrinsics import look_at
from tests.codecs.test_self_occlusion import standing

FRAMES = 150


def make_views():
    centres = torch.tensor([[4.0, 1.5, 0.5], [-1.0, 1.2, 4.0], [-4.0, 1.8, -1.0], [1.0, 1.0, -4.0]])
    T = look_at(centres, torch.tensor([[0.0, 0.9, 0.0]]).expand(4, 3)).double().numpy()
    K = np.array([[1500.0, 0, 540], [0, 1500, 960], [0, 0, 1]])
    return [View(f'cam{i}', K, T[i, :3, :3], T[i, :3, 3]) for i in range(4)]


def make_joints():
    """Return someone (F, 17, 3) in the world who stands, y up, and sways."""
    flip = torch.tensor([1.0, -1.0, -1.0])
    place = torch.tensor([0.0, 0.9, 4.0])
    sway = 0.1 * torch.sin(torch.arange(FRAMES) / 20)
    joints = (standing() * flip + place).repeat(FRAMES, 1, 1)
    joints[..., 0] += sway[:, None]
    return joints.double().numpy()


def see(views, joints, noise, seed=0):
    """Return keypoints (4, F, 17, 3) of a detector in each view."""
    keypoints = []
    for number, view in enumerate(views):
        inside = torch.from_numpy(view.to_camera(joints)).float()[None]
        valid = torch.ones(1, len(joints), dtype=torch.bool)
        generator = torch.Generator().manual_seed(seed + number)
        noisy, confidence = noise(inside, valid, generator)
        pixels = (noisy[0] / noisy[0, :, :, 2:]).double().numpy() @ view.K.T
        keypoints.append(np.concatenate((pixels[..., :2], confidence[0, :, :, None]), axis=-1))
    return np.stack(keypoints)


def test_points_are_found_though_one_view_is_wrong():
    views, joints = make_views(), make_joints()[0]
    pixels = np.stack([view.project(joints)[0] for view in views])
    points, residual = triangulate(views, pixels, range(4))
    np.testing.assert_allclose(points, joints, atol=1e-6)
    assert residual.max() < 1e-6
    pixels[2] += 100
    points, residual = triangulate(views, pixels, range(4))
    np.testing.assert_allclose(points, joints, atol=0.02)
    assert residual[2].min() > 0.15


def test_exchanged_sides_are_found_in_the_view_that_has_them():
    views, joints = make_views(), make_joints()
    keypoints = see(views, joints, DetectorNoise(swaps=dict(rate=0.0), cover_prob=0))
    order = [0, 2, 1, *(j + 1 if j % 2 else j - 1 for j in range(3, 17))]
    keypoints[1, 40:60] = keypoints[1, 40:60][:, order]
    exchanged = measure(views, keypoints).exchanged
    assert exchanged[1, 40:60, 5:].mean() > 0.85
    exchanged[1, 40:60] = False
    assert exchanged[..., 5:].mean() < 0.02


def test_the_fit_finds_what_was_injected():
    views, joints = make_views(), make_joints()
    # Without hidden joints, whose errors are in the reference of the other views too.
    noise = DetectorNoise(
        swaps=dict(rate=0.0), cover_prob=0, hidden_error=1, confidence=dict(hidden=0.0)
    )
    result = fit([measure(views, see(views, joints, noise, seed)) for seed in range(0, 40, 4)])
    np.testing.assert_allclose(result['error'], noise.error, rtol=0.25)
    np.testing.assert_allclose(result['bias'], noise.bias, rtol=0.5)
    np.testing.assert_allclose(result['confidence']['mean'], noise.confidence.mean, atol=0.7)
    assert result['error_frames'] == pytest.approx(noise.error_frames, rel=0.3)
    assert result['exchanged_share'] < 0.01
    assert 'wrists' in table(result)


def test_a_file_that_is_no_calibration(tmp_path):
    path = tmp_path / 'a.qca.txt'
    path.write_text('<calibration><cameras/></calibration>')
    with pytest.raises(DataError, match='at least 4 cameras'):
        read_views(path)
    path.write_text('no')
    with pytest.raises(DataError, match='Qualisys'):
        read_views(path)
