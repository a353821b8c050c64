"""One body model moved by another: the joints stay where they were."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from gvhmr_da_mm.body_models import get_body_model
from gvhmr_da_mm.body_models.skeleton_fit import fit_skeleton
from gvhmr_da_mm.core.conventions import PARENTS_22
from gvhmr_da_mm.core.kinematics import bone_vectors, forward_kinematics
from gvhmr_da_mm.core.rotation import axis_angle_to_matrix, rotation_angle
from gvhmr_da_mm.demo.motions.clip import CLIP_FOLDER

MILLIMETRE = 1e-3
FIELDS = ('body_pose', 'global_orient', 'transl')


@pytest.fixture
def smplx(toy_root):
    return get_body_model('smplx', data_root=toy_root)


@pytest.fixture
def motion():
    """Return a motion with large angles of all joints that turns once."""
    time = torch.linspace(0, 1, 40)[:, None]
    return dict(
        body_pose=torch.sin(6 * time + torch.arange(63)) * 0.9,
        global_orient=torch.cat((0.3 * time, 3 * time - 1.5, -0.5 * time), dim=1),
        transl=torch.cat((time, 0.1 * time, -2 * time), dim=1),
    )


def joints_of(body, betas, params):
    """Return the body joints (L, 22, 3), m."""
    hands = 3 * body.num_posed - 66
    pose = torch.nn.functional.pad(params['body_pose'], (0, hands))
    betas = betas.expand(len(pose), 10)
    return body.fk(pose, betas, params['global_orient'], params['transl'])[:, :22]


def recorded(clip):
    """Return the parameters of a clip of the demo, float32."""
    with np.load(CLIP_FOLDER / f'{clip}.npz') as file:
        return {name: torch.from_numpy(file[name]).float() for name in FIELDS}


@pytest.mark.parametrize('clip', ['cartwheel', 'crawl', 'dance_b', 'punch', 'walk'])
@pytest.mark.parametrize('source, target', [('smplx', 'smpl'), ('smpl', 'smplx')])
def test_joints_of_people_of_any_shape(toy_root, source, target, clip):
    source, target = (get_body_model(kind, data_root=toy_root) for kind in (source, target))
    motion = recorded(clip)
    for _ in range(4):
        betas = torch.randn(10)
        skeleton, before = source.skeleton(betas), joints_of(source, betas, motion)
        fit = fit_skeleton(skeleton, motion['body_pose'], target)
        converted = fit.convert(motion, skeleton[0])
        after = joints_of(target, converted['betas'], converted)
        assert (after - before).norm(dim=-1).max() < MILLIMETRE
        # The motion becomes no less smooth, and the pose hardly changes.
        acceleration = torch.diff(after.double() - before.double(), n=2, dim=0)
        assert acceleration.norm(dim=-1).max() < 0.5 * MILLIMETRE
        assert rotation_angle(fit.R_rest).max().rad2deg() < 1


class _OtherRestPose:
    """A body with other rotations at rest."""

    def __init__(self, body, turns):
        self.body, self.R_rest = body, axis_angle_to_matrix(turns)

    def skeleton(self, betas):
        bones = bone_vectors(self.body.skeleton(betas)[..., :22, :], PARENTS_22)
        joints = [bones[..., 0, :]]
        for joint, parent in enumerate(PARENTS_22[1:], start=1):
            joints.append(joints[parent] + bones[..., joint, :] @ self.R_rest[parent])
        return torch.stack(joints, dim=-2)


def test_another_rest_pose(smplx, motion):
    """Bones that point elsewhere at rest, as in an A-pose, are turned back."""
    turns = 0.2 * torch.sin(torch.arange(66.0).view(22, 3))
    turns[[0, 9, 10, 11, 15, 20, 21]] = 0  # joints that hold several bones, or none
    other = _OtherRestPose(smplx, turns)
    betas = torch.linspace(-1, 1, 10)
    skeleton = smplx.skeleton(betas)
    fit = fit_skeleton(skeleton, motion['body_pose'], other)

    def moved_by(fit):
        converted = fit.convert(motion, skeleton[0])
        pose = torch.cat((converted['global_orient'], converted['body_pose']), dim=1)
        R_local = axis_angle_to_matrix(pose.unflatten(1, (22, 3)))
        rest = other.skeleton(converted['betas'])
        return forward_kinematics(R_local, rest, PARENTS_22)[1] + converted['transl'][:, None]

    expected = joints_of(smplx, betas, motion)
    assert (moved_by(fit) - expected).norm(dim=-1).max() < MILLIMETRE
    # It is the pose that does it: with the pose kept, joints are off by centimetres.
    kept = replace(fit, R_rest=torch.eye(3, dtype=torch.double).expand(22, 3, 3))
    assert (moved_by(kept) - expected).norm(dim=-1).max() > 50 * MILLIMETRE


def test_the_own_skeleton(smplx, motion):
    """A body that has the skeleton keeps the motion, of one frame too."""
    betas = torch.linspace(-1, 1, 10)
    skeleton = smplx.skeleton(betas)
    for frames in (40, 1):
        part = {name: value[:frames] for name, value in motion.items()}
        fit = fit_skeleton(skeleton, part['body_pose'], smplx)
        converted = fit.convert(part, skeleton[0])
        after = joints_of(smplx, converted['betas'], converted)
        assert (after - joints_of(smplx, betas, part)).norm(dim=-1).max() < 0.02 * MILLIMETRE
        torch.testing.assert_close(converted['body_pose'], part['body_pose'], atol=1e-3, rtol=0)
        torch.testing.assert_close(converted['transl'], part['transl'], atol=2e-3, rtol=0)
