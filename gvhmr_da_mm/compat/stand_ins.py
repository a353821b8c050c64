"""Stand-ins for the four names MMPose imports from packages that a pip-only installation lacks.

MMPose needs them only while its modules are imported (a base class, a type alias, a helper of one
head). Building a part that really needs the compiled package raises an error.
"""

from typing import Any, Union

import numpy as np
import torch
from mmengine.config import ConfigDict
from mmengine.dist import all_reduce
from PIL import Image

ConfigType = Union[ConfigDict, dict]
"""Stand-in for the type alias ``mmdet.utils.ConfigType``."""


class MultiScaleDeformableAttention(torch.nn.Module):
    """Stand-in for ``mmcv.ops.MultiScaleDeformableAttention``; building one raises.

    Raises:
        RuntimeError: Always, because the operation is compiled code that is not installed.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        raise RuntimeError(
            'MultiScaleDeformableAttention needs the compiled operations of the full `mmcv`, which '
            'are not installed (`mmcv-lite` has none). Install the full MMPose environment '
            '(docs/en/install.md) to use this model.'
        )


class ToPILImage:
    """Stand-in for ``torchvision.transforms.ToPILImage``, for one-channel and RGB images."""

    def __call__(self, picture: Union[torch.Tensor, np.ndarray]) -> Image.Image:
        """Convert an image.

        Args:
            picture (Tensor or ndarray): A tensor (H, W), (1, H, W) or (3, H, W), or an array
                (H, W), (H, W, 1) or (H, W, 3). Floating point values of a tensor are in [0, 1].

        Returns:
            Image: 8-bit grey or RGB; a floating point array keeps its values, in mode ``F``.

        Raises:
            ValueError: If the shape is another.
        """
        if isinstance(picture, torch.Tensor):
            if picture.is_floating_point():
                picture = picture.mul(255).byte()
            picture = picture.detach().cpu().numpy()
            if picture.ndim == 3:
                picture = picture.transpose(1, 2, 0)
        if picture.ndim == 3 and picture.shape[-1] == 1:
            picture = picture[..., 0]
        if picture.ndim != 2 and (picture.ndim != 3 or picture.shape[-1] != 3):
            raise ValueError(
                f'ToPILImage expected one or three channels, got shape {tuple(picture.shape)}'
            )
        if picture.dtype.kind == 'f':
            return Image.fromarray(picture.astype(np.float32))
        return Image.fromarray(picture.astype(np.uint8))


def reduce_mean(tensor: torch.Tensor) -> torch.Tensor:
    """Return the mean over all processes; stand-in for ``mmdet.utils.reduce_mean``.

    Args:
        tensor (Tensor): Any shape; it is not changed.

    Returns:
        Tensor: The same shape; equal to the input when training is not distributed.
    """
    mean = tensor.clone()
    all_reduce(mean, op='mean')
    return mean
