import pytest
import torch

from gvhmr_da_mm.core.filtering import joint_speed
from gvhmr_da_mm.core.rotation import rotation_angle
from gvhmr_da_mm.datasets.mocap import MocapBody, Motion
from gvhmr_da_mm.datasets.mocap.motion import (
    acceleration,
    frame_positions,
    joint_steps,
    leg_length,
)

from .recordings import walk


@pytest.fixture(scope='module')
def body(toy_root):
    return MocapBody(toy_root)


@pytest.fixture
def motion(body):
    poses, trans = (torch.from_numpy(x).float() for x in walk())
    return Motion.from_axis_angle(poses, trans, body.skeleton(torch.zeros(10))).rotate(
        torch.tensor([-(0.5**0.5), 0.0, 0.0, 0.5**0.5])
    )


def joints(body, motion, betas=None):
    betas = torch.zeros(10) if betas is None else betas
    return body.pose(motion.matrices, motion.pelvis, betas)[:, :22]


def test_the_walker_stands_on_the_floor_with_y_up(body, motion):
    points = joints(body, motion)
    assert (points[:, 15, 1] - points[:, 7:9, 1].mean(dim=1)).min() > 1.2
    assert 0 < points[..., 1].min() < 0.1


def test_mirrored_twice_is_the_same(motion):
    twice = motion.mirror().mirror()
    assert torch.equal(twice.rotations, motion.rotations)
    assert torch.equal(twice.pelvis, motion.pelvis)


def test_mirroring_swaps_the_joints(body, motion):
    flipped = joints(body, motion.mirror()) * torch.tensor([-1.0, 1.0, 1.0])
    straight = joints(body, motion)
    # The stand-in body is symmetric to a few millimetres.
    torch.testing.assert_close(flipped[:, [20, 21]], straight[:, [21, 20]], atol=0.02, rtol=0)


def test_turning_keeps_heights_and_speeds(body, motion):
    straight, turned = joints(body, motion), joints(body, motion.turn(1.0))
    torch.testing.assert_close(turned[..., 1], straight[..., 1], atol=1e-5, rtol=0)
    torch.testing.assert_close(joint_speed(turned), joint_speed(straight), atol=1e-3, rtol=0)
    assert (turned - straight).abs().max() > 0.1


@pytest.mark.parametrize('frame_rate', [24.0, 59.94, 100.0, 120.0])
def test_another_frame_rate_keeps_speeds(body, motion, frame_rate):
    poses, trans = (torch.from_numpy(x).float() for x in walk(frame_rate))
    recorded = Motion.from_axis_angle(poses, trans, motion.skeleton)
    positions = frame_positions(len(recorded), frame_rate)
    seen = recorded.resample(positions)
    assert abs(len(seen) - len(motion)) <= 2
    count = min(len(seen), len(motion)) - 1
    torch.testing.assert_close(
        seen.pelvis[:count].diff(dim=0).norm(dim=-1),
        motion.pelvis[:count].diff(dim=0).norm(dim=-1),
        atol=0.004,
        rtol=0,
    )


def test_a_tempo_is_a_factor_of_the_speed(motion):
    positions = torch.arange(0, 40, dtype=torch.float64) * 1.4
    positions = positions[positions <= len(motion) - 1]
    fast = motion.resample(positions)
    path = fast.pelvis.diff(dim=0).norm(dim=-1).sum()
    end = int(positions[-1])
    assert path == pytest.approx(
        float(motion.pelvis[: end + 1].diff(dim=0).norm(dim=-1).sum()), rel=0.05
    )


def test_resampling_at_frames_is_exact_and_between_them_halfway(motion):
    same = motion.resample(torch.arange(len(motion), dtype=torch.float64))
    torch.testing.assert_close(same.matrices, motion.matrices, atol=1e-5, rtol=0)
    half = motion.resample(torch.tensor([3.5], dtype=torch.float64))
    before, after = motion.matrices[3], motion.matrices[4]
    angles = [rotation_angle(r.mT @ half.matrices[0]) for r in (before, after)]
    torch.testing.assert_close(*angles, atol=1e-3, rtol=0)


@pytest.mark.parametrize('size', [-2.0, 2.0])
def test_another_person_walks_on_the_same_floor(body, motion, size):
    betas = torch.zeros(10)
    betas[0] = betas[2] = size
    skeleton = body.skeleton(betas)
    fitted = motion.fit(skeleton)
    assert abs(float(leg_length(skeleton) / leg_length(motion.skeleton)) - 1) > 0.05
    feet = joints(body, fitted, betas)[:, 10:12, 1]
    standing = joints(body, motion)[:, 10:12, 1]
    torch.testing.assert_close(feet.amin(dim=0), standing.amin(dim=0), atol=0.02, rtol=0)


def test_speeds_of_people_are_plausible(motion):
    assert acceleration(motion).max() < 110
    assert joint_steps(motion).max() < 1
