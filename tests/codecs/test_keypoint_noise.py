"""Keypoint noise: rates, range and the errors of the published code."""

import pytest
import torch

from gvhmr_da_mm.codecs import KeypointNoise
from gvhmr_da_mm.core.errors import ConfigError, ShapeError
from gvhmr_da_mm.registry import TASK_UTILS

# As in the specification, per joint.
JITTER = torch.tensor(
    [0.2, 0.1, 0.1, 0.1, 0.1, 0.3, 0.3, 0.2, 0.2, 0.1, 0.1, 0.4, 0.4, 0.2, 0.2, 0.1, 0.1]
)
BIAS = torch.tensor(
    [0.4, 0.1, 0.1, 0.1, 0.1, 0.15, 0.15, 0.25, 0.25, 0.35, 0.35, 0.1, 0.1, 0.15, 0.15, 0.25, 0.25]
)
PEAK = torch.tensor([0.08] * 5 + [0.15, 0.15, 0.25, 0.25, 0.4, 0.4, 0.08, 0.08, 0.3, 0.3, 0.4, 0.4])
PEAK_RARITY = torch.tensor(
    [0.05] * 5 + [0.1, 0.1, 0.2, 0.2, 0.3, 0.3, 0.1, 0.1, 0.2, 0.2, 0.3, 0.3]
)
QUIET = dict(occlusion_prob=0.0, leg_occlusion_prob=0.0, confusion_prob=0.0)
LEGS = list(range(11, 17))


def _joints(batch, frames):
    """Place the joints far apart and far away, so that each is recognised after the noise."""
    place = torch.arange(17.0)[:, None] * torch.tensor([100.0, 0.0, 0.0])
    return (place + torch.tensor([0.0, 0.0, 50.0])).expand(batch, frames, 17, 3).double()


def _run(batch, frames, valid=None, **config):
    joints = _joints(batch, frames)
    valid = torch.ones(batch, frames, dtype=torch.bool) if valid is None else valid
    noisy, visible = KeypointNoise(**{**QUIET, **config})(joints, valid)
    return noisy - joints, visible


def test_jitter_and_bias_have_the_tabled_deviation():
    offset, visible = _run(200, 200)
    assert visible.all()
    # Medians over frames remove peaks and jitter, leaving the bias of each clip.
    bias = offset.median(dim=1).values.std(dim=(0, 2))
    torch.testing.assert_close(bias, 0.1 * BIAS.double(), rtol=0.12, atol=0)
    jitter = (offset - offset.median(dim=1, keepdim=True).values).abs()
    # The median magnitude of a Gaussian is 0.6745 deviations; rare peaks hardly move it.
    deviation = jitter.movedim(2, 0).flatten(1).median(dim=1).values / 0.6745
    expected = 0.05 * JITTER.double()
    assert ((deviation / expected > 0.95) & (deviation / expected < 1.25)).all()


def test_peaks_are_as_frequent_and_large_as_tabled():
    offset, _ = _run(200, 200)
    residual = offset - offset.median(dim=1, keepdim=True).values
    variance = residual.var(dim=(0, 1, 3)) - (0.05 * JITTER.double()) ** 2
    expected = (0.005 / PEAK_RARITY).clamp(max=1) * (0.3 * PEAK) ** 2
    torch.testing.assert_close(variance, expected.double(), rtol=0.15, atol=2e-6)


@pytest.mark.parametrize('compat, directions', [('correct', 3), ('published', 1)])
def test_each_peak_has_its_own_direction(compat, directions):
    offset, _ = _run(100, 100, compat=compat)
    residual = offset - offset.median(dim=1, keepdim=True).values
    peaks = residual[:, :, 9][residual[:, :, 9].norm(dim=-1) > 0.05]
    assert len(peaks) > 20
    spread = torch.linalg.svdvals(peaks / peaks.norm(dim=-1, keepdim=True))
    assert (spread > 0.35 * len(peaks) ** 0.5).sum() == directions


def test_occlusion_hides_what_hangs_on_a_joint():
    _, visible = _run(100, 200, occlusion_prob=0.03)
    hidden = ~visible
    parents = {0: (5, 6), 1: (0,), 2: (0,), 3: (1,), 4: (2,), 7: (5,), 8: (6,), 9: (7,)}
    parents.update({10: (8,), 13: (11,), 14: (12,), 15: (13,), 16: (14,)})
    for child, above in parents.items():
        for parent in above:
            assert hidden[..., child][hidden[..., parent]].all(), (child, parent)
    rates = hidden.double().mean(dim=(0, 1))
    depth = torch.tensor([3, 4, 4, 5, 5, 1, 1, 2, 2, 3, 3, 1, 1, 2, 2, 3, 3])
    torch.testing.assert_close(rates, 1 - 0.97 ** depth.double(), rtol=0.1, atol=0)


def test_legs_vanish_for_30_to_90_frames():
    _, visible = _run(2000, 120, leg_occlusion_prob=0.5)
    assert visible[..., :11].all()
    legs = ~visible[..., LEGS]
    assert torch.equal(legs.any(-1), legs.all(-1))
    hidden = legs[..., 0]
    duration = hidden.sum(dim=1)
    affected = duration > 0
    assert abs(affected.double().mean() - 0.5) < 0.05
    assert duration[affected].min() == 30 and duration[affected].max() == 90
    changes = (hidden[:, 1:] != hidden[:, :-1]).sum(dim=1)
    assert (changes[affected] <= 2).all(), 'the frames are not in one piece'
    assert hidden[:, 0].any() and hidden[:, -1].any(), 'a border is never reached'


@pytest.mark.parametrize('frames', [1, 29, 30, 60, 90, 91])
def test_short_clips(frames):
    _, visible = _run(200, frames, leg_occlusion_prob=1.0)
    duration = (~visible[..., LEGS[0]]).sum(dim=1)
    assert duration.min() >= min(frames, 30)
    assert duration.max() <= min(frames, 90)


def test_leg_occlusion_lies_within_the_valid_frames():
    valid = torch.arange(300) < torch.full((500, 1), 40)
    _, visible = _run(500, 300, valid, leg_occlusion_prob=1.0)
    hidden = (~visible[..., LEGS[0]] & valid).sum(dim=1)
    assert hidden.min() >= 30


@pytest.mark.parametrize('left, right', [(9, 10), (15, 16)])
def test_sides_are_confused(left, right):
    offset, visible = _run(50, 200, confusion_prob=0.05)
    # Joints are 100 m apart along x, so an offset shows whose place was taken.
    taken = (offset[..., 0] / 100).round().long()
    took_left, took_right = taken[..., left] == 1, taken[..., right] == -1
    both = (took_left & took_right).double().mean()
    one = (took_left ^ took_right).double().mean()
    assert abs(both - 0.05) < 0.012
    assert abs(one - 0.05) < 0.012
    assert (took_left & ~took_right).any() and (took_right & ~took_left).any()
    others = [joint for joint in range(17) if joint not in (9, 10, 15, 16)]
    assert (taken[..., others] == 0).all()
    assert visible.all()


def test_visibility_moves_with_the_place():
    joints, valid = _joints(50, 200), torch.ones(50, 200, dtype=torch.bool)
    noise = KeypointNoise(occlusion_prob=0.2, leg_occlusion_prob=0.0, confusion_prob=0.05)
    noisy, visible = noise(joints, valid)
    source = (noisy[..., 0] / 100).round().long()
    same = source[..., 9] == source[..., 10]
    assert same.any()
    assert torch.equal(visible[..., 9][same], visible[..., 10][same])


def test_published_confusion_has_no_effect():
    offset, _ = _run(50, 200, confusion_prob=0.5, compat='published')
    assert offset.abs().max() < 50


def test_invalid_frames_are_zero_and_near_joints_invisible():
    joints = _joints(2, 10).clone()
    joints[0, :, 3, 2] = -1.0
    joints[1, :5] = torch.nan
    valid = torch.ones(2, 10, dtype=torch.bool)
    valid[1, :5] = False
    before = joints.clone(), valid.clone()
    noisy, visible = KeypointNoise(**QUIET)(joints, valid)
    assert (noisy[1, :5] == 0).all() and not visible[1, :5].any()
    assert not visible[0, :, 3].any() and visible[0, :, :3].all()
    assert noisy.isfinite().all()
    assert torch.equal(joints.nan_to_num(), before[0].nan_to_num()), 'input was changed'
    assert torch.equal(valid, before[1]), 'input was changed'


def test_generator_decides_and_type_is_kept():
    joints, valid = _joints(3, 50).float(), torch.ones(3, 50, dtype=torch.bool)
    noise = TASK_UTILS.build(dict(type='KeypointNoise'))
    runs = [noise(joints, valid, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)]
    assert torch.equal(runs[0][0], runs[1][0]) and torch.equal(runs[0][1], runs[1][1])
    assert not torch.equal(runs[0][0], runs[2][0])
    assert runs[0][0].dtype == torch.float32


def test_bad_arguments():
    with pytest.raises(ConfigError, match='compat'):
        KeypointNoise(compat='paper')
    with pytest.raises(ShapeError, match='joints'):
        KeypointNoise()(torch.zeros(1, 2, 16, 3), torch.ones(1, 2, dtype=torch.bool))
    with pytest.raises(ShapeError, match='valid'):
        KeypointNoise()(torch.zeros(1, 2, 17, 3), torch.ones(1, 3, dtype=torch.bool))
