"""View with noisy image features."""

from typing import Any, Optional

import torch

from ...core.checks import check_at_least
from ...registry import TRANSFORMS
from .base_view import BaseView
from .functional import Inputs, clip_size, randn, require


@TRANSFORMS.register_module()
class FeatureNoise(BaseView):
    """Add noise to image features, relative to each frame's own spread. Nothing to undo.

    Args:
        std (float): Standard deviation as a share of that of the frame's channels. Defaults to 0.1.

    Raises:
        ConfigError: If it is negative.
    """

    def __init__(self, std: float = 0.1) -> None:
        check_at_least(0, std=std)
        self.std = float(std)

    def apply(
        self, inputs: Inputs, generator: Optional[torch.Generator] = None
    ) -> tuple[Inputs, dict[str, Any]]:
        """Disturb the features of a batch; missing features are constant zeros and stay so."""
        clip_size(inputs)
        require(inputs, ('f_imgseq',), 'FeatureNoise')
        features = inputs['f_imgseq']
        noise = randn(features.shape, features, generator)
        spread = features.std(dim=-1, keepdim=True, unbiased=False)
        return dict(inputs, f_imgseq=features + self.std * spread * noise), {}
