"""Embedding of the 2D keypoints of each frame."""

import torch
from torch import Tensor, nn

from gvhmr_da_mm.core.layout import NUM_COCO

from .mlp import MLP

JOINT_DIM = 32
MIN_VISIBLE_SCORE = 0.5


class KeypointEmbedding(nn.Module):
    """Embed normalised keypoints; each joint has a learned vector for where it is not visible.

    Note:
        Shape letters: B batch, L frames, C channels.

    Args:
        dim (int): Channels C of the token.
        dropout (float): Dropout of the perceptron. Defaults to 0.

    Source: GVHMR, Sec. 3.3.
    """

    def __init__(self, dim: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.position = nn.Linear(2, JOINT_DIM)
        self.invisible = nn.Parameter(torch.empty(NUM_COCO, JOINT_DIM))
        nn.init.trunc_normal_(self.invisible, std=0.02)
        self.mlp = MLP(NUM_COCO * JOINT_DIM, 2 * dim, dim, dropout=dropout)

    def forward(self, obs: Tensor) -> Tensor:
        """Embed keypoints.

        Args:
            obs (Tensor): COCO-17 keypoints in box coordinates and their scores (B, L, 17, 3); a
                joint is visible if its score exceeds 0.5.

        Returns:
            Tensor: Tokens (B, L, C).
        """
        visible = obs[..., 2:] > MIN_VISIBLE_SCORE
        # An invisible joint may hold NaN, which must not reach the gradient.
        position = self.position(torch.where(visible, obs[..., :2], 0.0))
        joints = torch.where(visible, position, self.invisible.to(position.dtype))
        return self.mlp(joints.flatten(-2))
