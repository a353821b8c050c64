"""Transformer block: pre-norm attention and feed-forward part behind learned gates."""

from typing import Optional

import torch
from torch import Tensor, nn

from .by_frames import by_frames
from .key_window import KeyWindow
from .mlp import MLP
from .rotary_table import RotaryTable

NORM_EPS = 1e-6


class GatedBlock(nn.Module):
    """``x += g1 * attn(norm1(x))``, then ``x += g2 * ffn(norm2(x))``, with gates that start at 0.

    A new block is the identity, so that depth costs nothing early in training.

    Note:
        Shape letters: B batch, L frames, C channels.

    Args:
        attn (nn.Module): Attention called with tokens, rotary table and key window.
        dim (int): Channels C.
        mlp_ratio (float): Hidden channels of the feed-forward part over C. Defaults to 4.
        dropout (float): Dropout of the feed-forward part. Defaults to 0.

    Source: GVHMR, Sec. 3.3.
    """

    def __init__(
        self, attn: nn.Module, dim: int, mlp_ratio: float = 4.0, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=NORM_EPS)
        self.attn = attn
        self.gate_attn = nn.Parameter(torch.zeros(1, 1, dim))
        self.norm2 = nn.LayerNorm(dim, eps=NORM_EPS)
        self.ffn = MLP(dim, int(dim * mlp_ratio), dim, tanh_gelu=True, dropout=dropout)
        self.gate_ffn = nn.Parameter(torch.zeros(1, 1, dim))

    def forward(self, x: Tensor, rotary: RotaryTable, window: Optional[KeyWindow] = None) -> Tensor:
        """Refine tokens (B, L, C)."""
        x = torch.addcmul(x, self.gate_attn, self.attn(self.norm1(x), rotary, window))
        return by_frames(self._feed_forward, x)

    def _feed_forward(self, x: Tensor) -> Tensor:
        return torch.addcmul(x, self.gate_ffn, self.ffn(self.norm2(x)))
