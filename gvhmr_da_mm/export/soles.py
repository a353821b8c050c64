"""Vertical alignment of meshes, so that their soles stand on the ground."""

from dataclasses import replace

import numpy as np
import torch

from ..body_models.body_rig import BodyRig
from ..core.conventions import FOOT_JOINTS, PARENTS_22
from ..core.kinematics import forward_kinematics
from ..core.postprocess.ground import FEET_QUANTILE
from .skeleton_motion import SkeletonMotion

MAX_STANDING_HEIGHT = 0.05
"""Largest distance from the ground of a foot joint that stands, m."""


def put_on_soles(motion: SkeletonMotion, rig: BodyRig) -> SkeletonMotion:
    """Lift a motion with foot joints on the ground, so that the soles of the mesh are there.

    Args:
        motion (SkeletonMotion): In the world, y up, ground at y = 0; F frames.
        rig (BodyRig): The mesh.

    Returns:
        SkeletonMotion: The lifted motion; unchanged where no foot is near the ground.
    """
    R_global, joints = forward_kinematics(
        motion.R_local, torch.from_numpy(rig.joints).to(motion.R_local), PARENTS_22
    )
    joints = joints - joints[:, :1] + motion.root[:, None]
    standing = joints[:, FOOT_JOINTS, 1].amin(dim=1).abs() < MAX_STANDING_HEIGHT
    if not standing.any():
        return motion
    soles = _lowest_vertices(rig, R_global[standing].numpy(), joints[standing].numpy())
    lift = torch.zeros(3, dtype=motion.root.dtype)
    lift[1] = -float(np.quantile(soles, FEET_QUANTILE))
    return replace(motion, root=motion.root + lift)


def _lowest_vertices(rig: BodyRig, R_global: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Return the height (F,) of the lowest vertex of the feet, m."""
    of_feet = np.isin(rig.bone_ids, FOOT_JOINTS) & (rig.weights > 0.5)
    chosen = np.flatnonzero(of_feet.any(axis=1))
    bones, weights = rig.bone_ids[chosen], rig.weights[chosen]
    # Heights need the second rows of the rotations only.
    row = R_global[:, :, 1]
    offset = joints[..., 1] - np.einsum('fpj,pj->fp', row, rig.joints)
    height = np.einsum('fvkj,vj->fvk', row[:, bones], rig.vertices[chosen]) + offset[:, bones]
    return (height * weights).sum(axis=-1).min(axis=1)
