"""Approximate conversion of SMPL labels, of any gender, to SMPL-X by shape alone.

SMPL and SMPL-X share 22 joints, so the pose is kept and the shape is refitted to the bones. Shape
that moves no joint is lost, and the difference between the two rest poses stays in the pose. For
motions whose joints should agree see :mod:`~gvhmr_da_mm.body_models.skeleton_fit`.
"""

import torch
from torch import Tensor, nn

from ..core.conventions import PARENTS_22
from ..core.kinematics import bone_vectors
from ..core.layout import NUM_BETAS, NUM_BODY_JOINTS, NUM_JOINTS

RIDGE = 1e-5
"""Weight of squared betas against squared metres: keeps shape that moves no joint at zero."""


def bone_offsets(skeleton: Tensor) -> Tensor:
    """Return each joint's position relative to its parent (..., 21, 3) in m."""
    return bone_vectors(skeleton[..., :NUM_JOINTS, :], PARENTS_22)[..., 1:, :]


def fit_betas(skeleton: Tensor, body: nn.Module) -> Tensor:
    """Fit betas so that a body has the bones of another skeleton.

    Args:
        skeleton (Tensor): Rest joints to match (J, 3) in m, J >= 22.
        body (nn.Module): Body with ``skeleton(betas)``; it is affine in the betas.

    Returns:
        Tensor: Shape (10,).
    """
    basis = torch.cat((torch.zeros(1, NUM_BETAS), torch.eye(NUM_BETAS)))
    offsets = bone_offsets(body.skeleton(basis)).flatten(1).double()
    mean, slope = offsets[0], (offsets[1:] - offsets[0]).T
    target = bone_offsets(skeleton).flatten().double() - mean
    normal = slope.T @ slope + RIDGE * torch.eye(NUM_BETAS, dtype=torch.double)
    return torch.linalg.solve(normal, slope.T @ target).float()


def smpl_to_smplx(
    params: dict[str, Tensor], betas: Tensor, root_smpl: Tensor, root_smplx: Tensor
) -> dict[str, Tensor]:
    """Convert the parameters of one person; the hands of SMPL are left out.

    Note:
        L: frames.

    Args:
        params (dict): SMPL ``body_pose`` (L, 69), ``global_orient`` and ``transl`` (L, 3).
        betas (Tensor): The person's SMPL-X shape (10,), of :func:`fit_betas`.
        root_smpl (Tensor): Rest position of SMPL's root joint (3,) in m.
        root_smplx (Tensor): Rest position of SMPL-X's root joint (3,) in m.

    Returns:
        dict: SMPL-X ``body_pose`` (L, 63), ``betas`` (L, 10), ``global_orient`` and ``transl``
        (L, 3) in the same frame.
    """
    return dict(
        body_pose=params['body_pose'][:, : NUM_BODY_JOINTS * 3],
        betas=betas.expand(len(params['transl']), -1),
        global_orient=params['global_orient'],
        # Both bodies rotate about their root joint, whose position must not change.
        transl=params['transl'] + root_smpl - root_smplx,
    )
