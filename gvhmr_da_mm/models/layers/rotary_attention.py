"""Multi-head self-attention with rotary positions."""

from typing import Optional

import torch
from torch import Tensor, nn

from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.core.precision import full_precision
from gvhmr_da_mm.registry import MODELS

from .key_window import KeyWindow
from .rotary_table import RotaryTable
from .windowed_attention import windowed_attention


@MODELS.register_module()
class RotaryAttention(nn.Module):
    """Self-attention over time whose queries and keys carry their frame as a rotation.

    Replace it through ``attention`` of the backbone's config. Frames see the keys of the parts of
    a :class:`KeyWindow`; its whole mask takes O(L²) memory.

    Note:
        Shape letters: B batch, L frames, C channels, H heads, D = C / H.

    Args:
        dim (int): Channels C.
        num_heads (int): Heads H; ``dim / num_heads`` must be even.
        dropout (float): Dropout of the weights and of the output. Defaults to 0.

    Raises:
        ConfigError: If the channels do not split into heads of an even size.

    Source: GVHMR, Sec. 3.3.
    """

    def __init__(self, dim: int, num_heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        if dim % (2 * num_heads):
            raise ConfigError(
                f'rotary attention rotates pairs of channels: `dim` should be a multiple of '
                f'2 * num_heads = {2 * num_heads}, got dim={dim}'
            )
        self.num_heads = num_heads
        self.query = nn.Linear(dim, dim)
        self.key = nn.Linear(dim, dim)
        self.value = nn.Linear(dim, dim)
        self.proj = nn.Linear(dim, dim)
        self.weight_dropout = dropout
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, rotary: RotaryTable, window: Optional[KeyWindow] = None) -> Tensor:
        """Attend.

        Args:
            x (Tensor): Tokens (B, L, C).
            rotary (RotaryTable): Table of L positions and D/2 pairs.
            window (KeyWindow, optional): Visible keys. Defaults to all.

        Returns:
            Tensor: Shape (B, L, C).
        """
        return self.drop(self.proj(self._attend(x, rotary, window)))

    def _attend(self, x: Tensor, rotary: RotaryTable, window: Optional[KeyWindow]) -> Tensor:
        """Return the attended values (B, L, C)."""

        def heads(layer: nn.Linear) -> Tensor:
            return layer(x).unflatten(-1, (self.num_heads, -1)).transpose(1, 2)

        # One after the other, so that of a long sequence few tensors are held at once. Under
        # autocast the table is float32 and so are the products.
        query, key = rotary.rotate(heads(self.query)), rotary.rotate(heads(self.key))
        value = heads(self.value)
        attend, dtype = windowed_attention, value.dtype
        if value.device.type == 'cpu' and dtype == torch.bfloat16:
            # In bfloat16, PyTorch's attention takes twice as long on a CPU.
            attend, value = full_precision(attend), value.float()
        dropout = self.weight_dropout if self.training else 0.0
        attended = attend(query.type_as(value), key.type_as(value), value, window, dropout)
        return attended.to(dtype).transpose(1, 2).flatten(-2)
