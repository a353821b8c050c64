"""The network of HMR2.0 up to its feature, and the reading of its published weights."""

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
STRIP = slice(32, 224)
"""Columns of the square crop that the backbone sees."""
PIXEL_MEAN = (0.485, 0.456, 0.406)
PIXEL_STD = (0.229, 0.224, 0.225)


@MODELS.register_module()
class HMR2FeatureNetwork(BaseModule):
    """Turn crops of persons into the image features that GVHMR reads.

    Note:
        The defaults are the network of the 4D-Humans checkpoint (ViT-H/16, one-token decoder). The
        decoder's regressors of pose, shape and camera are not needed and not there.

    Args:
        backbone (dict, optional): Defaults to ``dict(type='VisionTransformer')``.
        head (dict, optional): Defaults to ``dict(type='TokenDecoder')``.
        checkpoint (str | Path, optional): Published weights to load. Defaults to None.
        init_cfg (dict, optional): Weight initialisation.

    Raises:
        CheckpointError: If the checkpoint does not fit.

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
        self.backbone = MODELS.build(backbone or dict(type='VisionTransformer'))
        self.head = MODELS.build(head or dict(type='TokenDecoder'))
        self.register_buffer('mean', torch.tensor(PIXEL_MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer('std', torch.tensor(PIXEL_STD).view(3, 1, 1), persistent=False)
        if checkpoint is not None:
            self.load_published(checkpoint)

    def load_published(self, path: Union[str, Path]) -> None:
        """Load the weights of 4D-Humans, ``epoch=10-step=25000.ckpt``.

        Args:
            path (str | Path): The file; nothing in it is run.

        Raises:
            MissingFilesError: If there is no such file.
            CheckpointError: Listing what is missing, unknown or of another shape.
        """
        weights = hmr2_to_ours(read_checkpoint(path).state_dict, self.state_dict(), str(path))
        self.load_state_dict(weights)

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
        return self.head(self.backbone(pixels[..., STRIP]))
