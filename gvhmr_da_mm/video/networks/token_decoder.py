"""Transformer decoder of a single query token."""

from typing import Optional

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from ...core.layout import IMAGE_FEATURE_DIM
from ...registry import MODELS


def _split_heads(tokens: Tensor, num_heads: int) -> Tensor:
    batch, length, dim = tokens.shape
    return tokens.view(batch, length, num_heads, dim // num_heads).transpose(1, 2)


class TokenAttention(nn.Module):
    """Pre-norm cross-attention to a context, or self-attention without one.

    Args:
        dim (int): Channels of the tokens.
        num_heads (int): Attention heads.
        head_dim (int): Channels of each.
        context_dim (int, optional): Channels of the context. Defaults to None: self-attention.
    """

    def __init__(
        self, dim: int, num_heads: int, head_dim: int, context_dim: Optional[int] = None
    ) -> None:
        super().__init__()
        inner = num_heads * head_dim
        self.num_heads = num_heads
        self.norm = nn.LayerNorm(dim)
        self.to_q = nn.Linear(dim, inner, bias=False)
        self.to_kv = nn.Linear(context_dim or dim, 2 * inner, bias=False)
        self.to_out = nn.Linear(inner, dim)

    def forward(self, tokens: Tensor, context: Optional[Tensor] = None) -> Tensor:
        """Return the residual of the tokens (B, N, C); the context (B, M, D) is not normalised."""
        tokens = self.norm(tokens)
        source = tokens if context is None else context
        key, value = self.to_kv(source).chunk(2, dim=-1)
        heads = [_split_heads(part, self.num_heads) for part in (self.to_q(tokens), key, value)]
        out = F.scaled_dot_product_attention(*heads).transpose(1, 2)
        return self.to_out(out.flatten(2))


class DecoderLayer(nn.Module):
    """Self-attention, cross-attention and MLP, each pre-norm with a residual."""

    def __init__(
        self, dim: int, context_dim: int, num_heads: int, head_dim: int, mlp_dim: int
    ) -> None:
        super().__init__()
        self.self_attn = TokenAttention(dim, num_heads, head_dim)
        self.cross_attn = TokenAttention(dim, num_heads, head_dim, context_dim)
        self.mlp_norm = nn.LayerNorm(dim)
        self.fc1 = nn.Linear(dim, mlp_dim)
        self.fc2 = nn.Linear(mlp_dim, dim)

    def forward(self, tokens: Tensor, context: Tensor) -> Tensor:
        """Update tokens (B, N, C) by a context (B, M, D)."""
        tokens = tokens + self.self_attn(tokens)
        tokens = tokens + self.cross_attn(tokens, context)
        return tokens + self.fc2(F.gelu(self.fc1(self.mlp_norm(tokens))))


@MODELS.register_module()
class TokenDecoder(BaseModule):
    """Compute one feature from the tokens of an image, as the head of HMR2.0 does.

    The query is a projected zero plus a learned embedding, so it is the same for every image.

    Args:
        context_dim (int): Channels of the image tokens, D. Defaults to 1280.
        dim (int): Channels of the feature. Defaults to 1024.
        depth (int): Number of layers. Defaults to 6.
        num_heads (int): Attention heads. Defaults to 8.
        head_dim (int): Channels of each head. Defaults to 64.
        mlp_dim (int): Hidden channels of the MLP. Defaults to 1024.
        init_cfg (dict, optional): Weight initialisation.

    Source: Goel et al., Humans in 4D, ICCV 2023, Sec. 3.
    """

    def __init__(
        self,
        context_dim: int = 1280,
        dim: int = IMAGE_FEATURE_DIM,
        depth: int = 6,
        num_heads: int = 8,
        head_dim: int = 64,
        mlp_dim: int = 1024,
        init_cfg: Optional[dict] = None,
    ) -> None:
        super().__init__(init_cfg)
        self.to_token = nn.Linear(1, dim)
        self.pos_embed = nn.Parameter(torch.randn(1, 1, dim))
        self.layers = nn.ModuleList(
            DecoderLayer(dim, context_dim, num_heads, head_dim, mlp_dim) for _ in range(depth)
        )

    def forward(self, context: Tensor) -> Tensor:
        """Map image tokens (B, N, D) to features (B, C)."""
        token = self.to_token(context.new_zeros(len(context), 1, 1)) + self.pos_embed
        for layer in self.layers:
            token = layer(token, context)
        return token[:, 0]
