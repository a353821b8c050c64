"""Rotary position embedding (Su et al., RoFormer, 2021) over adjacent channel pairs."""

from typing import NamedTuple, Optional

import torch
from torch import Tensor

ROTARY_BASE = 10000.0
COMPLEX_PARTS = (torch.float32, torch.float64)
"""Real dtypes with a complex counterpart."""


class RotaryTable(NamedTuple):
    """Cosines and sines (L, D/2) that rotate the channel pair ``(2i, 2i+1)`` of each frame.

    The table is computed for each sequence instead of being stored in the model: it fits any
    length, keeps float64 precision in a float64 model, and never enters a checkpoint.
    """

    cos: Tensor
    sin: Tensor
    phase: Optional[Tensor] = None
    """Both as a complex number, where its products are faster."""

    @classmethod
    def build(
        cls, num_frames: int, head_dim: int, dtype: torch.dtype, device: torch.device
    ) -> 'RotaryTable':
        """Compute the table of ``num_frames`` positions for heads of ``head_dim`` channels."""
        # In float32 the angle of frame 1000 would be off by 6e-5 rad. MPS has no float64.
        exact = torch.float32 if device.type == 'mps' else torch.float64
        pair = torch.arange(0, head_dim, 2, dtype=exact, device=device) / head_dim
        frame = torch.arange(num_frames, dtype=exact, device=device)
        angle = frame[:, None] * ROTARY_BASE**-pair
        cos, sin = angle.cos().to(dtype), angle.sin().to(dtype)
        # A complex product reads and writes once; compilers fuse the real form as well.
        is_complex = dtype in COMPLEX_PARTS and not torch.compiler.is_compiling()
        return cls(cos, sin, torch.complex(cos, sin) if is_complex else None)

    def rotate(self, x: Tensor) -> Tensor:
        """Rotate queries or keys (..., L, D) by the position of their frame."""
        if self.phase is not None and x.dtype == self.cos.dtype:
            pairs = torch.view_as_complex(x.unflatten(-1, (-1, 2)))
            return torch.view_as_real(pairs * self.phase).flatten(-2)
        even, odd = x[..., 0::2], x[..., 1::2]
        rotated = (even * self.cos - odd * self.sin, even * self.sin + odd * self.cos)
        return torch.stack(rotated, dim=-1).flatten(-2)
