"""A linear blend body with its whole mesh."""

from typing import Optional

import numpy as np
import torch
from torch import Tensor

from .linear_blend_body import LinearBlendBody
from .loading import BodyArrays


class MeshBody(LinearBlendBody):
    """Base of the bodies that compute all vertices, a bounded number of frames at once.

    Args:
        arrays (BodyArrays): The model file's arrays.
        num_posed (int): P.
        fixed_pose (np.ndarray): Axis-angle of the other joints, (J - P, 3).
        num_betas (int): Shape components used.
        chunk_size (int): Frames computed at once.
    """

    def __init__(
        self,
        arrays: BodyArrays,
        num_posed: int,
        fixed_pose: np.ndarray,
        num_betas: int,
        chunk_size: int,
    ) -> None:
        super().__init__(arrays, num_posed, fixed_pose, num_betas)
        self.chunk_size = chunk_size
        self.register_buffer('faces', torch.from_numpy(arrays.faces), persistent=False)

    def forward(
        self,
        body_pose: Tensor,
        betas: Tensor,
        global_orient: Optional[Tensor] = None,
        transl: Optional[Tensor] = None,
    ) -> Tensor:
        """Return the posed mesh.

        Args:
            body_pose (Tensor): Axis-angle in rad, (..., 3 (P - 1)): 63 for SMPL-X, 69 for SMPL.
            betas (Tensor): Shape, (..., 10).
            global_orient (Tensor, optional): Axis-angle in rad, (..., 3). Defaults to no rotation.
            transl (Tensor, optional): In m, (..., 3). Defaults to zero.

        Returns:
            Tensor: (..., V, 3) in m.
        """
        return self.forward_matrices(*self._rotations(body_pose, global_orient, betas), transl)

    def forward_matrices(
        self,
        body_pose_R: Tensor,
        betas: Tensor,
        R: Optional[Tensor] = None,
        transl: Optional[Tensor] = None,
    ) -> Tensor:
        """Return the posed mesh (..., V, 3) from matrices (..., P - 1, 3, 3) and (..., 3, 3)."""
        return self.pose_vertices(body_pose_R, betas, R, transl, self.chunk_size)
