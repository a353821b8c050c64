import numpy as np
import pytest
import torch

from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.demo import DomainShift
from gvhmr_da_mm.demo.cameras import intrinsics
from gvhmr_da_mm.demo.motions import REAL_MOTIONS
from gvhmr_da_mm.demo.observations import (
    SYNTHETIC_FOCAL_RATIOS,
    ImageNetwork,
    NoiseModel,
    camera_tilt,
    detect_keypoints,
    focal_ratio,
)
from gvhmr_da_mm.demo.studio import Studio

K = intrinsics(1000, 1000, 1000.0)


def _rng(seed=0):
    return np.random.default_rng(seed)


def _random_bodies(count, seed):
    joints = torch.from_numpy(_rng(seed).standard_normal((count, 22, 3))).float() * 0.3
    tilt = torch.from_numpy(_rng(seed + 1).standard_normal((count, 2))).float() * 0.1
    return joints + torch.tensor([0, 0, 4.0]), tilt


@pytest.mark.parametrize('value', [-0.1, 1.5])
def test_shift_must_be_a_fraction(value):
    with pytest.raises(ConfigError, match='focal'):
        DomainShift(focal=value)


def test_one_number_sets_all_knobs():
    assert DomainShift.of(0.3) == DomainShift(0.3, 0.3, 0.3, 0.3)
    assert DomainShift.of(DomainShift(focal=0.0)).focal == 0


def test_features_can_be_read_and_the_shift_breaks_the_reader():
    network = ImageNetwork()
    joints, tilt = _random_bodies(2500, 0)
    target = (joints - joints[:, :1])[:, 1:].flatten(1)
    target = target - target.mean(0)

    def features(strength, seed):
        return network(joints, tilt, strength, _rng(seed))

    source = torch.cat((features(0.0, 1), torch.ones(len(joints), 1)), dim=-1)
    reader = torch.linalg.lstsq(source[:2000], target[:2000]).solution

    def error(strength):
        inputs = torch.cat((features(strength, 2), torch.ones(len(joints), 1)), dim=-1)[2000:]
        return ((inputs @ reader - target[2000:]).square().mean() / target.var()).item()

    assert error(0.0) < 0.5
    assert error(0.5) > 1.2 * error(0.0)
    assert error(1.0) > 2 * error(0.0)


def test_no_shift_is_the_synthetic_network():
    network, (joints, tilt) = ImageNetwork(), _random_bodies(10, 3)
    first = network(joints, tilt, 0.0, _rng(9))
    torch.testing.assert_close(first, ImageNetwork()(joints, tilt, 0.0, _rng(9)), atol=0, rtol=0)
    assert (network(joints, tilt, 1.0, _rng(9)) - first).abs().mean() > 0.2


def test_tilt_of_an_upright_and_a_rolled_camera():
    upright = torch.diag(torch.tensor([1.0, -1.0, -1.0]))[None]
    torch.testing.assert_close(camera_tilt(upright), torch.zeros(1, 2))
    angle = torch.tensor(0.3)
    roll = torch.tensor([[angle.cos(), -angle.sin(), 0], [angle.sin(), angle.cos(), 0], [0, 0, 1]])
    assert camera_tilt(roll @ upright)[0, 0].abs() == pytest.approx(0.3, abs=1e-6)


def test_keypoint_noise_grows_and_lowers_confidence():
    points = torch.from_numpy(_rng().standard_normal((400, 17, 3))).float() * 0.3
    points = points + torch.tensor([0, 0, 4.0])
    truth = points[..., :2] / points[..., 2:] * 1000 + 500
    box = torch.tensor([500.0, 500.0, 500.0]).expand(400, 3)
    spread = {}
    for strength in (0.0, 1.0):
        found = detect_keypoints(points, K, box, (1000, 1000), NoiseModel.of(strength), _rng(4))
        error = (found[..., :2] - truth).norm(dim=-1)
        spread[strength] = error.median()
        far = error > 60
        if far.any():
            assert found[far][:, 2].mean() < found[~far][:, 2].mean() - 0.2
        assert found[..., 2].min() >= 0.05 and found[..., 2].max() <= 1
    assert spread[1.0] > 2 * spread[0.0]


def test_keypoints_outside_the_image_have_no_confidence():
    points = torch.tensor([3.0, 0.0, 4.0]).expand(5, 17, 3)
    box = torch.tensor([500.0, 500.0, 500.0]).expand(5, 3)
    found = detect_keypoints(points, K, box, (1000, 1000), NoiseModel.of(0.0), _rng())
    torch.testing.assert_close(found[..., 2], torch.full((5, 17), 0.05))


def test_focal_moves_between_the_domains():
    none, full = DomainShift.of(0.0), DomainShift.of(1.0)
    drawn = {focal_ratio((0.62, 0.01), none, _rng(s)) for s in range(20)}
    assert drawn == set(SYNTHETIC_FOCAL_RATIOS)
    drawn = [focal_ratio((0.62, 0.01), full, _rng(s)) for s in range(50)]
    assert np.mean(drawn) == pytest.approx(0.62, abs=0.005)


def test_unseen_motions_appear_with_the_shift(body, monkeypatch):
    seen = []
    monkeypatch.setattr(
        'gvhmr_da_mm.demo.motions.embedded.embedded_takes', lambda name: seen.append(name)
    )
    monkeypatch.setattr('gvhmr_da_mm.demo.studio.perform', lambda *args: None)
    for strength, expected in ((0.0, 0.0), (1.0, 0.6)):
        seen.clear()
        studio = Studio(0, DomainShift.of(strength), body)
        for index in range(200):
            studio.real_performance(('walk',), True, 60, 'male', studio.rng('emdb', index))
        share = np.mean([name in REAL_MOTIONS for name in seen])
        assert share == pytest.approx(expected, abs=0.1)
