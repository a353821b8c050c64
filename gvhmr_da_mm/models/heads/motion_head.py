"""Head that predicts motion, camera and static joints from the context of each frame."""

from typing import Optional

import torch
from mmengine.model import BaseModule
from torch import Tensor

from gvhmr_da_mm.core.checks import check_shape
from gvhmr_da_mm.core.filtering import length_to_mask
from gvhmr_da_mm.core.layout import MOTION, NUM_STATIC_JOINTS
from gvhmr_da_mm.registry import MODELS

from ..layers import MLP

CAMERA_MEAN = (1.0606, -0.0027, 0.2702)
CAMERA_STD = (0.1784, 0.0956, 0.0764)
MIN_SCALE = 0.25
"""A smaller weak-perspective scale would put the person impossibly far away."""


@MODELS.register_module()
class MotionHead(BaseModule):
    """Predict the normalised motion vector, the weak-perspective camera and static-joint logits.

    Note:
        Shape letters: B batch, L frames, C channels.

    Args:
        latent_dim (int): Channels C of the context. Defaults to 512.
        avg_betas (bool): Give all frames the mean shape of the valid ones. Defaults to True.
        init_cfg (dict, optional): Initialisation config. Defaults to None.

    Source: GVHMR, Sec. 3.3.
    """

    def __init__(
        self, latent_dim: int = 512, avg_betas: bool = True, init_cfg: Optional[dict] = None
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        self.latent_dim = latent_dim
        self.avg_betas = avg_betas
        self.motion = MLP(latent_dim, latent_dim, MOTION.size)
        self.camera = MLP(latent_dim, latent_dim, len(CAMERA_MEAN))
        self.static = MLP(latent_dim, latent_dim, NUM_STATIC_JOINTS)

    def forward(self, context: Tensor, length: Optional[Tensor] = None) -> dict[str, Tensor]:
        """Predict from the context.

        Args:
            context (Tensor): Output of the backbone (B, L, C).
            length (Tensor, optional): Valid frames (B,). Defaults to all.

        Returns:
            dict[str, Tensor]: ``pred_x`` (B, L, 151), normalised; ``pred_cam`` (B, L, 3), scale
            (at least 0.25) and translation of the box camera; ``static_logits`` (B, L, 6).

        Raises:
            ShapeError: If the context has another number of channels.
        """
        sizes = check_shape(context, 'B L C', 'context', C=self.latent_dim)
        pred_x = self.motion(context)
        if self.avg_betas:
            if length is not None:
                check_shape(length, 'B', 'length', B=sizes['B'])
            pred_x = self._average_betas(pred_x, length)
        scale, x, y = (
            channel * std + mean
            for channel, mean, std in zip(self.camera(context).unbind(-1), CAMERA_MEAN, CAMERA_STD)
        )
        pred_cam = torch.stack((scale.clamp(min=MIN_SCALE), x, y), dim=-1)
        return dict(pred_x=pred_x, pred_cam=pred_cam, static_logits=self.static(context))

    @staticmethod
    def _average_betas(pred_x: Tensor, length: Optional[Tensor]) -> Tensor:
        """Replace the betas of every frame, padding too, by their mean over valid frames."""
        betas = pred_x[..., MOTION.betas]
        if length is None:
            mean = betas.mean(dim=1, keepdim=True)
        else:
            valid = length_to_mask(length, pred_x.shape[1])[..., None]
            mean = torch.where(valid, betas, 0.0).sum(dim=1, keepdim=True)
            mean = mean / valid.sum(dim=1, keepdim=True).clamp(min=1)
        before, after = pred_x[..., : MOTION.betas.start], pred_x[..., MOTION.betas.stop :]
        return torch.cat((before, mean.expand_as(betas), after), dim=-1)
