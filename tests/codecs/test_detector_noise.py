import pytest
import torch

from gvhmr_da_mm.codecs import DetectorNoise
from gvhmr_da_mm.core.conventions import COCO_FLIP_INDEX
from gvhmr_da_mm.core.errors import ConfigError, ShapeError
from gvhmr_da_mm.registry import TASK_UTILS

from .test_self_occlusion import WRIST, standing

QUIET = dict(swaps=dict(rate=0.0), cover_prob=0.0)
NONE = (0.0,) * 9


def person(batch=64, frames=120):
    return standing().expand(batch, frames, 17, 3), torch.ones(batch, frames, dtype=torch.bool)


def spread(group):
    return [group[0]] + [value for value in group[1:] for _ in range(2)]


def test_errors_have_the_deviation_and_correlation_they_are_given():
    joints, valid = person(400)
    noise = DetectorNoise(bias=NONE, **QUIET)
    error = (noise(joints, valid)[0] - joints)[..., :2]
    torch.testing.assert_close(
        error.std(dim=(0, 1, 3)), torch.tensor(spread(noise.error)), atol=5e-4, rtol=0.05
    )
    assert (noise(joints, valid)[0][..., 2] == joints[..., 2]).all()
    correlation = (error[:, 3:] * error[:, :-3]).mean() / error.square().mean()
    assert correlation == pytest.approx(torch.e**-1, abs=0.03)


def test_the_bias_lasts_for_the_clip():
    joints, valid = person(2000, 2)
    noise = DetectorNoise(error=NONE, **QUIET)
    error = (noise(joints, valid)[0] - joints)[..., :2]
    torch.testing.assert_close(error[:, 0], error[:, 1])
    torch.testing.assert_close(
        error[:, 0].std(dim=(0, 2)), torch.tensor(spread(noise.bias)), atol=5e-4, rtol=0.06
    )


def test_a_hidden_hand_is_guessed_with_less_confidence():
    joints, valid = person(200)
    behind = joints.clone()
    behind[:, :, WRIST] = torch.tensor([0.02, -0.1, 4.3])
    noise = DetectorNoise(bias=NONE, **QUIET)
    seen, hidden = (noise(points, valid) for points in (joints, behind))
    deviation = [
        (noisy - points)[:, :, WRIST, :2].std()
        for (noisy, _), points in ((seen, joints), (hidden, behind))
    ]
    assert deviation[1] / deviation[0] == pytest.approx(noise.hidden_error, rel=0.05)
    assert seen[1][:, :, WRIST].median() > 0.9
    assert 0.4 < hidden[1][:, :, WRIST].median() < 0.8
    assert (hidden[1][:, :, WRIST] < 0.5).float().mean() > 0.2


def test_the_trunk_is_always_sure_and_limbs_are_not():
    joints, valid = person()
    confidence = DetectorNoise(**QUIET)(joints, valid)[1]
    assert ((confidence >= 0) & (confidence <= 1)).all()
    assert confidence[:, :, [5, 6, 11, 12]].min() > 0.9
    assert 0.005 < (confidence[:, :, [9, 10]] < 0.5).float().mean() < 0.2


def exchanged(joints, noisy):
    """Return which joints are nearer to their counterpart's place."""
    partner = joints[:, :, COCO_FLIP_INDEX, :]
    return (noisy - partner).norm(dim=-1) < (noisy - joints).norm(dim=-1)


def test_sides_are_swapped_for_some_frames_with_full_confidence():
    joints, valid = person(500)
    noise = DetectorNoise(error=NONE, bias=NONE, cover_prob=0, swaps=dict(legs_prob=0.0))
    noisy, confidence = noise(joints, valid)
    body = exchanged(joints, noisy)[:, :, 5:].all(dim=-1)
    share = noise.swaps.rate * noise.swaps.frames / 30
    assert body.float().mean() == pytest.approx(share, rel=0.25)
    starts = (body[:, 1:] & ~body[:, :-1]).float().mean() * 30
    assert starts == pytest.approx(noise.swaps.rate, rel=0.25)
    assert not exchanged(joints, noisy)[:, :, :3].any()
    assert confidence[body][:, [5, 6, 11, 12]].min() > 0.9


def test_legs_alone_are_swapped():
    joints, valid = person(300)
    noisy = DetectorNoise(cover_prob=0, swaps=dict(legs_prob=1.0))(joints, valid)[0]
    swapped = exchanged(joints, noisy)
    assert swapped[:, :, 11:].any() and not swapped[:, :, 5:11].any()


def test_covered_legs():
    joints, valid = person(100)
    confidence = DetectorNoise(swaps=dict(rate=0.0), cover_prob=1)(joints, valid)[1]
    lowest = confidence.amin(dim=1)
    assert (lowest[:, 15:] < 0.8).float().mean() > 0.8
    assert lowest[:, 5:7].min() > 0.9


def test_padding_and_near_joints():
    joints, valid = person(4)
    joints = joints.clone()
    joints[0, :, 3, 2] = 0.1
    valid[1, 50:] = False
    noisy, confidence = DetectorNoise(**QUIET)(joints, valid)
    assert (confidence[0, :, 3] == 0).all() and (confidence[0, :, 4] > 0).all()
    assert (noisy[1, 50:] == 0).all() and (confidence[1, 50:] == 0).all()


def test_a_generator_decides():
    joints, valid = person(2)
    first, second = (
        DetectorNoise()(joints, valid, torch.Generator().manual_seed(3)) for _ in range(2)
    )
    assert torch.equal(first[0], second[0]) and torch.equal(first[1], second[1])


@pytest.mark.parametrize('frames', [1, 3, 40])
def test_short_clips(frames):
    joints, valid = person(2, frames)
    noisy, confidence = DetectorNoise(cover_prob=1)(joints, valid)
    assert noisy.shape == joints.shape and confidence.isfinite().all()


def test_errors():
    with pytest.raises(ConfigError, match='`bias`.*nine|`bias`.*9 numbers'):
        DetectorNoise(bias=(0.1,))
    with pytest.raises(ShapeError, match='joints'):
        DetectorNoise()(torch.zeros(2, 5, 16, 3), torch.ones(2, 5, dtype=torch.bool))


def test_it_is_registered():
    assert isinstance(TASK_UTILS.build(dict(type='DetectorNoise')), DetectorNoise)
