"""From predictions to motion in the world: rollout and post-processing."""

from functools import partial

import torch
from torch import Tensor

from benchmarks.speed.case import Case, Pair, Settings, close
from gvhmr_da_mm.core.conventions import PARENTS_22, STATIC_JOINTS
from gvhmr_da_mm.core.filtering import gaussian_smooth
from gvhmr_da_mm.core.gravity_view import horizontal_direction
from gvhmr_da_mm.core.postprocess import correct_moving_camera, correct_static_camera, solve_limbs
from gvhmr_da_mm.core.postprocess.limb_ik import LIMBS
from gvhmr_da_mm.core.rotation import axis_angle_to_matrix, matrix_to_axis_angle, rot6d_to_matrix
from gvhmr_da_mm.core.trajectory import rollout_world

FRAMES, QUICK_FRAMES = 4000, 1000


def walk(settings: Settings) -> dict[str, Tensor]:
    """Make up a body that turns and walks before a camera that turns."""
    generator = torch.Generator().manual_seed(0)
    frames = QUICK_FRAMES if settings.quick else FRAMES

    def smooth(*shape: int, scale: float) -> Tensor:
        noise = torch.randn(1, frames, *shape, generator=generator)
        return gaussian_smooth(noise, 8.0, dim=1) * scale

    body_pose_R = axis_angle_to_matrix(smooth(21, 3, scale=1.0))
    R_c = axis_angle_to_matrix(smooth(3, scale=3.0))
    R_c2gv = axis_angle_to_matrix(smooth(3, scale=0.5))
    skeleton = torch.randn(22, 3, generator=generator) * 0.15
    camera = torch.eye(3)[:2].reshape(6) + smooth(6, scale=0.02)
    R_gv = R_c2gv @ R_c
    velocity = smooth(3, scale=0.1) + 0.01
    R_w, transl_w = rollout_world(R_gv, R_c, camera, velocity)
    motion = dict(
        body_pose_R=body_pose_R,
        skeleton=skeleton.expand(1, frames, 22, 3).contiguous(),
        R_c=R_c,
        R_gv=R_gv,
        cam_angvel=camera,
        velocity=velocity,
        R_w=R_w,
        transl_w=transl_w,
        transl_c=smooth(3, scale=2.0) + torch.tensor([0.0, 0.0, 4.0]),
        static_logits=smooth(len(STATIC_JOINTS), scale=12.0),
    )
    motion['joints_w'] = (
        torch.stack([_chain(motion, frame)[1] for frame in range(frames)], dim=1)
        + motion['transl_w'][:, :, None]
    )
    return {name: value.to(settings.device) for name, value in motion.items()}


def _chain(motion: dict[str, Tensor], frame: int) -> tuple[Tensor, Tensor]:
    """Pose the skeleton of one frame: rotations (1, 22, 3, 3) and joints (1, 22, 3)."""
    skeleton = motion['skeleton'][:, frame]
    local = torch.cat((motion['R_w'][:, frame, None], motion['body_pose_R'][:, frame]), dim=1)
    return plain_kinematics(local, skeleton)


def plain_kinematics(local: Tensor, skeleton: Tensor) -> tuple[Tensor, Tensor]:
    """Go from joint to joint."""
    rotations, joints = [local[..., 0, :, :]], [skeleton[..., 0, :]]
    for joint, parent in enumerate(PARENTS_22[1:], start=1):
        bone = skeleton[..., joint, :] - skeleton[..., parent, :]
        joints.append(joints[parent] + (rotations[parent] @ bone[..., None])[..., 0])
        rotations.append(rotations[parent] @ local[..., joint, :, :])
    return torch.stack(rotations, dim=-3), torch.stack(joints, dim=-2)


# Rollout


def plain_rollout(R_gv: Tensor, R_c: Tensor, cam_angvel: Tensor, velocity: Tensor) -> tuple:
    """Turn and walk frame by frame."""
    R_c2gv, steps = R_gv @ R_c.mT, rot6d_to_matrix(cam_angvel)
    small = matrix_to_axis_angle(steps).norm(dim=-1) < 1e-5
    steps = torch.where(small[..., None, None], torch.eye(3).to(steps), steps)
    yaw = []
    for frame in range(R_gv.shape[1]):
        here = horizontal_direction(R_c2gv[:, frame, :, 2])
        there = (R_c2gv[:, frame] @ steps[:, frame, 2, :, None])[..., 0]
        there = horizontal_direction(there)
        axis = torch.cross(here, there, dim=-1)
        angle = torch.atan2(axis.norm(dim=-1), (here * there).sum(dim=-1))
        yaw.append(torch.nn.functional.normalize(axis, dim=-1) * angle[..., None])
    turn = axis_angle_to_matrix(gaussian_smooth(torch.stack(yaw, dim=1), 3.0, dim=1))
    R, transl = torch.eye(3).to(R_gv).expand(len(R_gv), 3, 3), torch.zeros_like(velocity[:, 0])
    orientations, path = [], []
    for frame in range(R_gv.shape[1]):
        orientations.append(R @ R_gv[:, frame])
        path.append(transl)
        transl = transl + (orientations[-1] @ velocity[:, frame, :, None])[..., 0]
        R = R @ turn[:, frame]
    half_turn = torch.diag(torch.tensor([-1.0, -1.0, 1.0])).to(R_gv)
    return half_turn @ torch.stack(orientations, dim=1), torch.stack(path, dim=1) @ half_turn


def rollout(settings: Settings) -> Pair:
    """Roll a video out into the world."""
    motion = walk(settings)
    names = ('R_gv', 'R_c', 'cam_angvel', 'velocity')
    arguments = [motion[name] for name in names]
    return Pair(partial(rollout_world, *arguments), partial(plain_rollout, *arguments), close(2e-2))


# Paths


def _sliding(joints: Tensor, weights: Tensor) -> Tensor:
    """Sum up, frame by frame, what static joints slide by: (1, L, 3)."""
    total = [torch.zeros_like(joints[:, 0, 0])]
    for frame in range(joints.shape[1] - 1):
        moved = joints[:, frame + 1, STATIC_JOINTS] - joints[:, frame, STATIC_JOINTS]
        total.append(total[-1] + (moved * weights[:, frame, :, None]).sum(dim=1))
    return torch.stack(total, dim=1)


def _ground(path: Tensor, joints: Tensor) -> Tensor:
    path = path.clone()
    path[..., 1] -= joints[..., 1].min()
    return path


def plain_moving_camera(transl_w: Tensor, joints_w: Tensor, static_logits: Tensor) -> Tensor:
    """Remove sliding by a loop over the frames."""
    weights = []
    for logits in static_logits.unbind(dim=1):
        weight = torch.where(logits > 0, logits, torch.full_like(logits, -1e6)).softmax(dim=-1)
        weights.append(weight * (logits > 0))
    path = transl_w - _sliding(joints_w, torch.stack(weights, dim=1))
    smooth = path.clone()
    for axis in (0, 2):
        smooth[..., axis] = gaussian_smooth(path[..., axis], 3.0, dim=1)
    return _ground(smooth, joints_w + (smooth - transl_w)[:, :, None])


def static_joint(settings: Settings) -> Pair:
    """Correct the path of a moving camera's video."""
    motion = walk(settings)
    arguments = [motion[name] for name in ('transl_w', 'joints_w', 'static_logits')]
    return Pair(
        # The plain way puts the lowest joint on the ground.
        partial(correct_moving_camera, *arguments, compat='published'),
        partial(plain_moving_camera, *arguments),
        close(1e-2),
    )


def plain_static_camera(
    transl_w: Tensor,
    joints_w: Tensor,
    R_w: Tensor,
    transl_c: Tensor,
    R_c: Tensor,
    root_offset: Tensor,
    static_logits: Tensor,
) -> Tensor:
    """Pull each frame, and all that follow it, towards the path that the camera saw."""
    seen = gaussian_smooth(transl_c, 5.0, dim=1) + root_offset
    R_c2w = R_w[:, 0] @ R_c[:, 0].mT
    pelvis = joints_w[:, :, 0].clone()
    target = (seen - seen[:, :1]) @ R_c2w.mT + pelvis[:, :1]
    path = transl_w.clone()
    for frame in range(path.shape[1]):
        gap = target[:, frame] - pelvis[:, frame]
        pull = torch.where(gap.abs() >= 0.25, gap.clamp(-0.02, 0.02), torch.zeros_like(gap))
        path[:, frame:] += pull[:, None]
        pelvis[:, frame:] += pull[:, None]
    joints = joints_w + (path - transl_w)[:, :, None]
    held = (static_logits.sigmoid() > 0.8).to(joints)
    sliding = _sliding(joints, held / held.sum(dim=-1, keepdim=True).clamp(min=1))
    path[..., 0] -= sliding[..., 0]
    path[..., 2] -= sliding[..., 2]
    return _ground(path, joints_w + (path - transl_w)[:, :, None])


def static_camera(settings: Settings) -> Pair:
    """Correct the path of a static camera's video."""
    motion = walk(settings)
    names = ('transl_w', 'joints_w', 'R_w', 'transl_c', 'R_c')
    arguments = [motion[name] for name in names]
    arguments += [motion['skeleton'][:, :, 0], motion['static_logits']]
    return Pair(
        partial(correct_static_camera, *arguments, compat='published'),
        partial(plain_static_camera, *arguments),
        close(5e-2),
    )


# Limbs


def plain_limbs(
    body_pose_R: Tensor, R_w: Tensor, transl_w: Tensor, skeleton: Tensor, static_logits: Tensor
) -> Tensor:
    """Blend targets frame by frame, and pose the whole body anew after each turned joint."""
    local = torch.cat((R_w[:, :, None], body_pose_R), dim=2)
    joints = plain_kinematics(local, skeleton)[1] + transl_w[:, :, None]
    present, keep = joints[:, :, STATIC_JOINTS], static_logits.sigmoid()[..., None]
    targets = [present[:, 0]]
    for frame in range(1, present.shape[1]):
        share = keep[:, frame - 1]
        targets.append(share * targets[-1] + (1 - share) * present[:, frame])
    target = torch.stack(targets, dim=1)

    for limb in LIMBS:
        count = len(limb.joints)
        for _ in range(2):
            for place in range(1, count - 1):
                local = _turn_joint(local, skeleton, transl_w, target, limb, place, count)
    return local[:, :, 1:]


def _turn_joint(local, skeleton, transl_w, target, limb, place, count) -> Tensor:
    R_global, joints = plain_kinematics(local, skeleton)
    joints = joints + transl_w[:, :, None]
    joint, parent = limb.joints[place], limb.joints[place - 1]
    turned = 0
    for tip in limb.targets:
        if limb.joints.index(tip) <= place:
            continue
        start = torch.nn.functional.normalize(joints[:, :, tip] - joints[:, :, joint], dim=-1)
        wanted = target[:, :, STATIC_JOINTS.index(tip)] - joints[:, :, joint]
        wanted = torch.nn.functional.normalize(wanted, dim=-1)
        axis = torch.cross(start, wanted, dim=-1)
        angle = torch.atan2(axis.norm(dim=-1), (start * wanted).sum(dim=-1))
        share = (place + 1) / count * angle[..., None]
        vector = torch.nn.functional.normalize(axis, dim=-1) * share
        turned = turned + axis_angle_to_matrix(vector) @ R_global[:, :, joint]
    u, _, vh = torch.linalg.svd(turned)
    local = local.clone()
    local[:, :, joint] = torch.linalg.inv(R_global[:, :, parent]) @ (u @ vh)
    return local


def limbs(settings: Settings) -> Pair:
    """Hold static ankles, feet and wrists."""
    motion = walk(settings)
    names = ('body_pose_R', 'R_w', 'transl_w', 'skeleton', 'static_logits')
    arguments = [motion[name] for name in names]
    return Pair(partial(solve_limbs, *arguments), partial(plain_limbs, *arguments))


def cases() -> list[Case]:
    """Return the cases of this family."""
    return [
        Case('rollout_4000', rollout),
        Case('static_joint_4000', static_joint),
        Case('static_camera_4000', static_camera),
        Case('ik_4000', limbs),
    ]
