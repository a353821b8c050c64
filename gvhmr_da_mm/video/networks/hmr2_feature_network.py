"""Network of HMR2.0 up to its image feature, and loading of its published weights."""

from contextlib import nullcontext
from pathlib import Path
from typing import Optional, Union

import torch
from mmengine.model import BaseModule
from torch import Tensor

from ...core.checks import check_shape
from ...models.checkpoint_reading import read_checkpoint
from ...registry import MODELS
from .hmr2_keys import hmr2_to_ours

CROP_SIZE = 256
BACKBONE_COLUMNS = slice(32, 224)
"""Columns of the square crop that the backbone sees."""
PIXEL_MEAN = (0.485, 0.456, 0.406)
PIXEL_STD = (0.229, 0.224, 0.225)


@MODELS.register_module()
class HMR2FeatureNetwork(BaseModule):
    """Compute the image features of GVHMR from crops of persons.

    Note:
        The defaults are the network of the 4D-Humans checkpoint (ViT-H/16, one-token decoder). The
        decoder's regressors of pose, shape and camera are left out.

    Args:
        backbone (dict, optional): Defaults to ``dict(type='VisionTransformer')``.
        head (dict, optional): Defaults to ``dict(type='TokenDecoder')``.
        checkpoint (str | Path, optional): Published weights, ``epoch=10-step=25000.ckpt``; nothing
            in the file is run. Defaults to None.
        init_cfg (dict, optional): Weight initialisation.

    Raises:
        MissingFilesError: If there is no such file.
        CheckpointError: If tensors are missing, unknown or of another shape; it lists them.

    Source: Goel et al., Humans in 4D, ICCV 2023.
    """

    def __init__(
        self,
        backbone: Optional[dict] = None,
        head: Optional[dict] = None,
        checkpoint: Optional[Union[str, Path]] = None,
        init_cfg: Optional[dict] = None,
    ) -> None:
        super().__init__(init_cfg)
        # Read first, so that a missing file fails at once. With published weights the modules are
        # built without random ones, which would take a minute at full size.
        published = checkpoint and read_checkpoint(checkpoint).state_dict
        with torch.device('meta') if published else nullcontext():
            self.backbone = MODELS.build(backbone or dict(type='VisionTransformer'))
            self.head = MODELS.build(head or dict(type='TokenDecoder'))
        self.register_buffer('mean', torch.tensor(PIXEL_MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer('std', torch.tensor(PIXEL_STD).view(3, 1, 1), persistent=False)
        if published:
            weights = hmr2_to_ours(published, self.state_dict(), str(checkpoint))
            self.load_state_dict(weights, assign=True)

    def forward(self, crops: Tensor) -> Tensor:
        """Compute features.

        Args:
            crops (Tensor): RGB crops (B, 3, 256, 256), uint8 or 0 to 255.

        Returns:
            Tensor: Shape (B, 1024).

        Raises:
            ShapeError: If the crops have another size.
        """
        check_shape(crops, f'B 3 {CROP_SIZE} {CROP_SIZE}', 'crops')
        pixels = (crops.to(self.mean.dtype) / 255 - self.mean) / self.std
        return self.head(self.backbone(pixels[..., BACKBONE_COLUMNS]))
