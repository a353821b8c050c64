import numpy as np
import pytest
import torch

from gvhmr_da_mm.core.conventions import FPS, PARENTS_22
from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.core.kinematics import forward_kinematics
from gvhmr_da_mm.core.rotation import relative_angle
from gvhmr_da_mm.datasets.mocap import MocapBody, Motion, PoseVariation
from gvhmr_da_mm.datasets.mocap.pose_variation import (
    ANKLES,
    UPPER_BODY,
    _bearing,
    _feet,
    _lean,
)

from .recordings import walk

UPRIGHT = torch.tensor([-(0.5**0.5), 0.0, 0.0, 0.5**0.5])
SEEDS = range(30)


@pytest.fixture(scope='module')
def skeleton(toy_root):
    return MocapBody(toy_root).skeleton(torch.zeros(10))


def recorded(skeleton, name='walk'):
    poses, trans = (torch.from_numpy(x).float() for x in walk(name=name))
    motion = Motion.from_axis_angle(poses, trans, skeleton).rotate(UPRIGHT)
    return motion.resample(torch.arange(60))


@pytest.fixture(scope='module')
def walker(skeleton):
    return recorded(skeleton)


@pytest.fixture(scope='module')
def dancer(skeleton):
    return recorded(skeleton, 'dance_a')


def vary(motion, other, seed, prob=1.0, mix_prob=0.0, **options):
    variation = PoseVariation(prob=prob, mix_prob=mix_prob, **options)
    return variation(motion, lambda frames: other, np.random.default_rng(seed))


def pose(motion):
    """Return global rotations and joints relative to the pelvis."""
    rest = motion.skeleton - motion.skeleton[0]
    return forward_kinematics(motion.matrices, rest, PARENTS_22)


def trunk_angle(motion):
    """Return the mean angle of the trunk to the vertical in degrees."""
    joints = pose(motion)[1]
    trunk = torch.nn.functional.normalize(joints[:, 12] - joints[:, 0], dim=-1).mean(dim=0)
    return float(torch.rad2deg(torch.atan2(trunk[[0, 2]].norm(), trunk[1])))


def test_trunks_lean_in_all_directions(walker, dancer):
    angles = [trunk_angle(vary(walker, dancer, seed)) for seed in SEEDS]
    assert trunk_angle(walker) < 8
    assert np.median(angles) > 10 and max(angles) < 80


def off_balance(motion, varied):
    """Return by how many metres, in the mean, the centre of mass has left its place sideways."""
    change = _lean(pose(varied)[1]) - _lean(pose(motion)[1])
    return float(change[:, [0, 2]].norm(dim=-1).mean())


def test_the_body_keeps_its_balance(walker, dancer, monkeypatch):
    balanced = [off_balance(walker, vary(walker, dancer, seed)) for seed in SEEDS]
    monkeypatch.setattr('gvhmr_da_mm.datasets.mocap.pose_variation.TILT_STEPS', 0)
    falling = [off_balance(walker, vary(walker, dancer, seed)) for seed in SEEDS]
    assert np.mean(balanced) < 0.6 * np.mean(falling)


@pytest.mark.parametrize('mix_prob', [0.0, 1.0])
def test_soles_keep_their_orientation(walker, dancer, mix_prob):
    before = pose(walker)[0][:, ANKLES]
    for seed in SEEDS:
        after = pose(vary(walker, dancer, seed, mix_prob=mix_prob))[0][:, ANKLES]
        assert relative_angle(before, after).max() < 2e-3


def standing_speed(motion):
    """Return the median speed of the slower foot in m/s."""
    feet = _feet(pose(motion)[1]) + motion.pelvis[:, None]
    return float((feet.diff(dim=0).norm(dim=-1) * FPS).amin(dim=1).median())


def test_standing_feet_stand_on_the_same_floor(walker, dancer):
    def height(motion):
        feet = _feet(pose(motion)[1])
        return ((feet[..., 1] + motion.pelvis[:, 1:2]) * _bearing(feet)).sum(dim=1).mean()

    speeds = []
    for seed in SEEDS:
        varied = vary(walker, dancer, seed)
        speeds.append(standing_speed(varied))
        assert float(height(varied)) == pytest.approx(float(height(walker)), abs=0.03)
    assert np.mean(speeds) < standing_speed(walker) + 0.15


def test_the_upper_body_is_that_of_the_other_motion(walker, dancer):
    mixed = vary(walker, dancer, 0, prob=0.0, mix_prob=1.0)
    upper = list(UPPER_BODY)
    assert relative_angle(mixed.matrices[:, upper], dancer.matrices[:, upper]).max() < 2e-3
    legs = [1, 2, 4, 5]
    assert relative_angle(mixed.matrices[:, legs], walker.matrices[:, legs]).max() < 2e-3


def test_changes_are_smooth(walker, dancer):
    step = relative_angle(walker.matrices[1:], walker.matrices[:-1]).max()
    for seed in SEEDS:
        varied = vary(walker, dancer, seed).matrices
        assert relative_angle(varied[1:], varied[:-1]).max() < step + 0.1


def test_probability_zero_returns_the_motion_itself(walker, dancer):
    assert vary(walker, dancer, 0, prob=0.0) is walker


def test_a_group_can_be_left_alone(walker, dancer):
    still = dict.fromkeys(('pelvis', 'legs', 'spine', 'neck', 'shoulders'), 0.0)
    varied = vary(walker, dancer, 0, degrees=still)
    change = relative_angle(varied.matrices, walker.matrices)
    assert change[:, [18, 19]].mean() > 0.05
    assert change[:, [3, 6, 9, 16, 17]].max() < 2e-3


def test_one_seed_gives_one_variation(walker, dancer):
    first, again, second = (vary(walker, dancer, seed, mix_prob=0.5) for seed in (3, 3, 4))
    assert torch.equal(first.rotations, again.rotations)
    assert torch.equal(first.pelvis, again.pelvis)
    assert not torch.equal(first.pelvis, second.pelvis)


def test_people_who_lie_stay_where_they_are(skeleton, dancer):
    lying = recorded(skeleton, 'getup_faceup')
    assert pose(lying)[1][:20, 12, 1].mean() < 0.3
    for seed in SEEDS:
        varied = vary(lying, dancer, seed)
        assert torch.isfinite(varied.rotations).all()
        assert (varied.pelvis - lying.pelvis).norm(dim=-1).mean() < 0.5


@pytest.mark.parametrize(
    ('options', 'named'),
    [
        (dict(prob=1.2), '`prob`'),
        (dict(mix_prob=-0.1), '`mix_prob`'),
        (dict(degrees=dict(tail=3.0)), 'tail'),
        (dict(degrees=dict(legs=-1.0)), '`degrees`'),
        (dict(swing=-0.5), '`swing`'),
    ],
)
def test_bad_options_are_named(options, named):
    with pytest.raises(ConfigError, match=named):
        PoseVariation(**options)


def test_turned_hips_leave_the_legs_alone(walker, dancer):
    alone = dict.fromkeys(('legs', 'spine', 'neck', 'shoulders', 'elbows'), 0.0)
    varied = vary(walker, dancer, 1, degrees=dict(alone, pelvis=20.0))
    pelvis = relative_angle(pose(varied)[0][:, 0], pose(walker)[0][:, 0])
    thighs = relative_angle(pose(varied)[0][:, [1, 2]], pose(walker)[0][:, [1, 2]])
    assert pelvis.mean() > 3 * thighs.mean()
