"""Temporal transformer of GVHMR."""

from collections.abc import Iterator, Sequence
from typing import Optional

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from gvhmr_da_mm.core.checks import check_at_least, check_shape
from gvhmr_da_mm.core.layout import IMAGE_FEATURE_DIM, NUM_COCO, ROT6D
from gvhmr_da_mm.registry import MODELS

from ..layers import (
    GatedBlock,
    ImageEmbedding,
    KeypointEmbedding,
    KeyWindow,
    RotaryTable,
    VectorEmbedding,
    by_frames,
)

CLIFF_DIM = 3
WINDOW_REACHES = 8
"""Frames that are encoded together, in reaches: a quarter of the work is done twice."""


@MODELS.register_module()
class RotaryTemporalTransformer(BaseModule):
    """Turn keypoints, camera and image features of a video into one context vector per frame.

    Rotary positions make any length usable. Beyond ``max_len`` frames attention is local (see
    :class:`KeyWindow`), so that a frame sees no more context than in training. Without a graph, a
    long video is encoded window by window, with all frames around it that matter to the window: the
    result is that of one piece, and what the blocks need in between does not grow with the video.

    Note:
        Shape letters: B batch, L frames, C channels.

    Args:
        latent_dim (int): Channels C. Defaults to 512.
        num_layers (int): Transformer blocks. Defaults to 12.
        num_heads (int): Attention heads. Defaults to 8.
        mlp_ratio (float): Hidden channels of the feed-forward parts over C. Defaults to 4.
        dropout (float): Dropout probability. Defaults to 0.1.
        max_len (int): Frames up to which attention is global. Defaults to 120.
        cliffcam_dim (int): Size of the box condition. Defaults to 3.
        cam_angvel_dim (int): Size of the camera rotation condition. Defaults to 6.
        imgseq_dim (int): Size of the image feature. Defaults to 1024.
        attention (dict, optional): Config of the attention module, which also gets ``dim``,
            ``num_heads`` and ``dropout``. Defaults to ``dict(type='RotaryAttention')``.
        init_cfg (dict, optional): Initialisation on top of the built-in one (gates and condition
            outputs zero, so that every block and condition starts without effect). Defaults to
            None.

    Raises:
        ConfigError: If ``max_len`` is smaller than 2 or heads have an odd size.

    Source: GVHMR, Sec. 3.3.
    """

    def __init__(
        self,
        latent_dim: int = 512,
        num_layers: int = 12,
        num_heads: int = 8,
        mlp_ratio: float = 4.0,
        dropout: float = 0.1,
        max_len: int = 120,
        cliffcam_dim: int = CLIFF_DIM,
        cam_angvel_dim: int = ROT6D,
        imgseq_dim: int = IMAGE_FEATURE_DIM,
        attention: Optional[dict] = None,
        init_cfg: Optional[dict] = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        check_at_least(2, max_len=max_len)
        self.latent_dim = latent_dim
        self.num_heads = num_heads
        self.max_len = max_len
        self.keypoint_embedding = KeypointEmbedding(latent_dim, dropout)
        self.cliffcam_embedding = VectorEmbedding(cliffcam_dim, latent_dim, dropout)
        self.cam_angvel_embedding = VectorEmbedding(cam_angvel_dim, latent_dim, dropout)
        self.image_embedding = ImageEmbedding(imgseq_dim, latent_dim)
        attention = dict(type='RotaryAttention') if attention is None else attention
        attention = dict(dim=latent_dim, num_heads=num_heads, dropout=dropout, **attention)
        self.blocks = nn.ModuleList(
            GatedBlock(MODELS.build(attention), latent_dim, mlp_ratio, dropout)
            for _ in range(num_layers)
        )

    def forward(
        self,
        obs: Tensor,
        length: Optional[Tensor],
        f_cliffcam: Tensor,
        f_cam_angvel: Tensor,
        f_imgseq: Tensor,
    ) -> Tensor:
        """Encode a batch of videos.

        Args:
            obs (Tensor): COCO-17 keypoints in box coordinates and scores (B, L, 17, 3).
            length (Tensor, optional): Valid frames (B,). None if all are, which saves the mask.
            f_cliffcam (Tensor): Box centre and size over the focal length (B, L, 3).
            f_cam_angvel (Tensor): Normalised camera rotation to the next frame, 6D (B, L, 6).
            f_imgseq (Tensor): Image features (B, L, 1024).

        Returns:
            Tensor: Context (B, L, C). Rows beyond ``length`` are finite and never influence others.

        Raises:
            ShapeError: If an input does not have the documented shape.
        """
        sizes = check_shape(obs, f'B L {NUM_COCO} 3', 'obs')
        for name, condition in (('f_cliffcam', f_cliffcam), ('f_cam_angvel', f_cam_angvel)):
            check_shape(condition, 'B L C', name, **sizes)
        check_shape(f_imgseq, 'B L C', 'f_imgseq', **sizes)
        if length is not None:
            check_shape(length, 'B', 'length', B=sizes['B'])

        conditions = (obs, f_cliffcam, f_cam_angvel, f_imgseq)
        if torch.is_grad_enabled() or sizes['L'] <= (WINDOW_REACHES + 2) * self.reach:
            return self._encode(conditions, length)
        parts = []
        for seen, wanted in self._windows(sizes['L']):
            here = None if length is None else (length - seen.start).clamp(min=0)
            parts.append(self._encode([x[:, seen] for x in conditions], here)[:, wanted])
        return torch.cat(parts, dim=1)

    @property
    def reach(self) -> int:
        """Most frames between two of a long video of which one influences the other."""
        # By half of `max_len` in each block, and by all of it at the ends of the video.
        return (len(self.blocks) - 1) * (self.max_len // 2) + self.max_len

    def _windows(self, frames: int) -> Iterator[tuple[slice, slice]]:
        """Yield the frames to see of each window of a video, and those of them that are wanted."""
        size = WINDOW_REACHES * self.reach
        for start in range(0, frames, size):
            first = max(start - self.reach, 0)
            yield (
                slice(first, start + size + self.reach),
                slice(start - first, start - first + size),
            )

    def _encode(self, conditions: Sequence[Tensor], length: Optional[Tensor]) -> Tensor:
        """Return the context of a video in one piece, see :meth:`forward`."""
        x = by_frames(self._embed, *conditions)
        obs, head_dim = conditions[0], self.latent_dim // self.num_heads
        rotary = RotaryTable.build(obs.shape[1], head_dim, obs.dtype, obs.device)
        window = KeyWindow.build(obs.shape[1], self.max_len, length, obs.device)
        for block in self.blocks:
            x = block(x, rotary, window)
        return x

    def _embed(
        self, obs: Tensor, f_cliffcam: Tensor, f_cam_angvel: Tensor, f_imgseq: Tensor
    ) -> Tensor:
        """Return the token (B, L, C) of each frame."""
        x = self.keypoint_embedding(obs)
        x = x + self.cliffcam_embedding(f_cliffcam)
        x = x + self.cam_angvel_embedding(f_cam_angvel)
        return x + self.image_embedding(f_imgseq)
