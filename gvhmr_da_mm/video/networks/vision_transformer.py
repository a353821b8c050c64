"""Plain vision transformer for images of a fixed size."""

from typing import Optional

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from ...core.checks import check_shape
from ...core.errors import ConfigError
from ...registry import MODELS

NORM_EPS = 1e-6
PATCH_PADDING = 2


class SelfAttention(nn.Module):
    """Multi-head attention with one projection for query, key and value."""

    def __init__(self, dim: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """Attend among tokens (B, N, C)."""
        batch, length, dim = tokens.shape
        heads = self.qkv(tokens).view(batch, length, 3, self.num_heads, dim // self.num_heads)
        query, key, value = heads.permute(2, 0, 3, 1, 4)
        out = F.scaled_dot_product_attention(query, key, value)
        return self.proj(out.transpose(1, 2).reshape(batch, length, dim))


class Block(nn.Module):
    """Pre-norm attention and MLP, each with a residual."""

    def __init__(self, dim: int, num_heads: int, mlp_ratio: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=NORM_EPS)
        self.attn = SelfAttention(dim, num_heads)
        self.norm2 = nn.LayerNorm(dim, eps=NORM_EPS)
        self.fc1 = nn.Linear(dim, int(dim * mlp_ratio))
        self.fc2 = nn.Linear(int(dim * mlp_ratio), dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """Update tokens (B, N, C)."""
        tokens = tokens + self.attn(self.norm1(tokens))
        return tokens + self.fc2(F.gelu(self.fc1(self.norm2(tokens))))


@MODELS.register_module()
class VisionTransformer(BaseModule):
    """ViT (Dosovitskiy et al., ICLR 2021) as HMR2.0 uses it; the defaults are ViT-H/16.

    Note:
        The image is padded by 2 pixels before it is cut into patches. The position embedding has an
        entry for a class token, which does not exist: it is added to every patch.

    Args:
        img_size (tuple[int, int]): Height and width in pixels. Defaults to (256, 192).
        patch_size (int): Side of a patch in pixels. Defaults to 16.
        embed_dim (int): Channels of a token, C. Defaults to 1280.
        depth (int): Number of blocks. Defaults to 32.
        num_heads (int): Attention heads. Defaults to 16.
        mlp_ratio (float): Hidden channels over C. Defaults to 4.
        init_cfg (dict, optional): Weight initialisation.

    Raises:
        ConfigError: If the heads do not divide the channels.
    """

    def __init__(
        self,
        img_size: tuple[int, int] = (256, 192),
        patch_size: int = 16,
        embed_dim: int = 1280,
        depth: int = 32,
        num_heads: int = 16,
        mlp_ratio: float = 4.0,
        init_cfg: Optional[dict] = None,
    ) -> None:
        super().__init__(init_cfg)
        if embed_dim % num_heads:
            raise ConfigError(
                f'`embed_dim` of VisionTransformer should be a multiple of num_heads={num_heads}, '
                f'got {embed_dim}'
            )
        self.img_size, self.embed_dim = tuple(img_size), embed_dim
        self.patch_embed = nn.Conv2d(3, embed_dim, patch_size, patch_size, padding=PATCH_PADDING)
        rows, columns = ((side + 2 * PATCH_PADDING) // patch_size for side in img_size)
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + rows * columns, embed_dim))
        nn.init.trunc_normal_(self.pos_embed, std=0.02)
        self.blocks = nn.ModuleList(Block(embed_dim, num_heads, mlp_ratio) for _ in range(depth))
        self.last_norm = nn.LayerNorm(embed_dim, eps=NORM_EPS)

    def forward(self, images: Tensor) -> Tensor:
        """Map normalised images (B, 3, H, W) to tokens (B, N, C), row by row.

        Raises:
            ShapeError: If the images have another size.
        """
        check_shape(images, f'B 3 {self.img_size[0]} {self.img_size[1]}', 'images')
        tokens = self.patch_embed(images).flatten(2).transpose(1, 2)
        tokens = tokens + self.pos_embed[:, 1:] + self.pos_embed[:, :1]
        for block in self.blocks:
            tokens = block(tokens)
        return self.last_norm(tokens)
