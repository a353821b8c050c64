import pytest
import torch

from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.models.adaptation import MotionCorruption
from gvhmr_da_mm.models.adaptation.motion_corruption import LIMBS


def clips(batch=6, length=20):
    pose = torch.randn(batch, length, 69) * 0.3
    valid = torch.arange(length) < torch.tensor([length, 1, 12, 7, 19, 3])[:batch, None]
    return pose, valid


def test_a_known_deviation_gives_the_target():
    pose, valid = clips()
    wrong, target = MotionCorruption(exchange_prob=1.0, scale=0.15)(pose, valid)
    difference = (wrong - pose)[..., :63].unflatten(-1, (21, 3)).norm(dim=-1).mean(dim=-1)
    mean = torch.stack([d[v].mean() for d, v in zip(difference, valid)])
    torch.testing.assert_close(target, torch.exp(-mean / 0.15))
    assert ((target > 0) & (target <= 1)).all() and target.std() > 0


def test_without_a_scale_every_fake_deserves_nothing():
    _, target = MotionCorruption(scale=None)(*clips())
    assert target.equal(torch.zeros(6))


def test_the_true_motion_and_the_hands_stay():
    pose, valid = clips()
    before = pose.clone()
    wrong, _ = MotionCorruption(max_angle=1.0)(pose, valid)
    assert pose.equal(before) and wrong[..., 63:].equal(pose[..., 63:])
    assert not wrong.equal(pose)


def test_limbs_are_exchanged_whole_and_come_from_the_batch():
    # Every clip is constant, so that a limb tells which clip it came from.
    pose = torch.arange(6.0)[:, None, None].expand(6, 20, 69).clone()
    wrong, _ = MotionCorruption(max_angle=1e-6, exchange_prob=1.0, limb_prob=0.5)(pose, clips()[1])
    joints = wrong[..., :63].unflatten(-1, (21, 3))
    sources = joints.round()
    assert ((joints - sources).abs() < 1e-4).all()
    for limb in LIMBS:
        part = sources[:, :, list(limb)].flatten(1)
        assert (part == part[:, :1]).all()
    assert sorted(sum(LIMBS, ())) == list(range(21))
    assert (sources != pose[..., :1, None]).any() and (sources == pose[..., :1, None]).any()


def test_the_drift_is_smooth():
    pose, valid = torch.zeros(8, 120, 69), torch.ones(8, 120, dtype=torch.bool)
    wrong, _ = MotionCorruption(exchange_prob=0.0)(pose, valid)
    assert wrong.diff(dim=1).abs().mean() < 0.2 * wrong.abs().mean()


@pytest.mark.parametrize('length', [1, 2, 14])
def test_short_clips(length):
    pose, valid = torch.randn(2, length, 69), torch.ones(2, length, dtype=torch.bool)
    wrong, target = MotionCorruption(scale=0.2)(pose, valid)
    assert wrong.shape == pose.shape and wrong.isfinite().all() and target.isfinite().all()


@pytest.mark.parametrize(
    'options', [dict(max_angle=0), dict(scale=0.0), dict(exchange_prob=2), dict(limb_prob=-1)]
)
def test_impossible_settings(options):
    with pytest.raises(ConfigError, match=next(iter(options))):
        MotionCorruption(**options)
