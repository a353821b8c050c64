"""Forward kinematics of a skeleton, to compare it with the body model."""

import torch

from gvhmr_da_mm.core.conventions import PARENTS_22
from gvhmr_da_mm.core.kinematics import forward_kinematics


def rest_joints(motion):
    """Return the joints at rest, the root at the origin (22, 3), m."""
    joints = torch.zeros_like(motion.offsets)
    for joint, parent in enumerate(PARENTS_22):
        if parent >= 0:
            joints[joint] = joints[parent] + motion.offsets[joint]
    return joints


def posed(motion):
    """Return global rotations (F, 22, 3, 3) and joints (F, 22, 3) in the space, m."""
    R_global, joints = forward_kinematics(motion.R_local, rest_joints(motion), PARENTS_22)
    return R_global, joints + motion.root[:, None]
