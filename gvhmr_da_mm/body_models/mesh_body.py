"""Base class of body models that compute the full mesh."""

import numpy as np

from .linear_blend_body import LinearBlendBody, blend_constants
from .loading import BodyArrays


class MeshBody(LinearBlendBody):
    """Linear blend body with all vertices, the faces and further ``constants`` of a subclass."""

    def __init__(
        self,
        arrays: BodyArrays,
        num_posed: int,
        fixed_pose: np.ndarray,
        num_betas: int,
        chunk_size: int,
        **constants: np.ndarray,
    ) -> None:
        blend = blend_constants(arrays, num_posed, fixed_pose, num_betas)
        super().__init__(**blend, faces=arrays.faces, chunk_size=chunk_size, **constants)
