"""Base class of body models that compute the full mesh."""

import numpy as np
import torch

from .linear_blend_body import LinearBlendBody
from .loading import BodyArrays


class MeshBody(LinearBlendBody):
    """Linear blend body with all vertices and the faces; arguments as :class:`LinearBlendBody`."""

    def __init__(
        self,
        arrays: BodyArrays,
        num_posed: int,
        fixed_pose: np.ndarray,
        num_betas: int,
        chunk_size: int,
    ) -> None:
        super().__init__(arrays, num_posed, fixed_pose, num_betas, chunk_size=chunk_size)
        self.register_buffer('faces', torch.from_numpy(arrays.faces), persistent=False)
