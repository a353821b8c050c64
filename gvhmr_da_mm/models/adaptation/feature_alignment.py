"""Moves image features of real video to where those of the synthetic domain are."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from ...core.errors import ConfigError
from ...core.layout import IMAGE_FEATURE_DIM
from ...registry import MODELS

MODES = ('mean', 'mean_std')
MIN_STD = 1e-4


@MODELS.register_module()
class FeatureAlignment(nn.Module):
    """Give the features of both domains the same mean, and on request the same deviation.

    The statistics need no labels. They are fitted once over all real datasets together (those of a
    few clips alone would encode what the clips show) and travel with the checkpoint. Until then
    features pass unchanged.

    Note:
        - B: batch, L: frames, C: 1024 channels.

    Args:
        mode (str): ``'mean'``, or ``'mean_std'`` for mean and deviation. Defaults to ``'mean'``.
        channels (int): Defaults to 1024.

    Raises:
        ConfigError: If the mode is unknown.
    """

    def __init__(self, mode: str = 'mean', channels: int = IMAGE_FEATURE_DIM) -> None:
        super().__init__()
        if mode not in MODES:
            raise ConfigError(f'`mode` of FeatureAlignment should be one of {MODES}, got {mode!r}')
        self.mode = mode
        self.register_buffer('shift', torch.zeros(channels))
        self.register_buffer('scale', torch.ones(channels))
        self.register_buffer('fitted', torch.tensor(False))

    @torch.no_grad()
    def fit(self, synthetic: Iterable[Tensor], real: Iterable[Tensor]) -> None:
        """Measure both domains.

        Args:
            synthetic (Iterable[Tensor]): Features (L, C) of synthetic clips.
            real (Iterable[Tensor]): Features (L, C) of real clips.
        """
        target_mean, target_std = _mean_and_std(synthetic)
        mean, std = _mean_and_std(real)
        if self.mode == 'mean_std':
            self.scale.copy_(target_std.clamp(min=MIN_STD) / std.clamp(min=MIN_STD))
        self.shift.copy_(target_mean - mean * self.scale.cpu().double())
        self.fitted.fill_(True)

    def forward(self, features: Tensor, is_real: Tensor) -> Tensor:
        """Align the clips that are real.

        Args:
            features (Tensor): Shape (B, L, C).
            is_real (Tensor): Which clips are real (B,), bool.

        Returns:
            Tensor: Shape (B, L, C).
        """
        aligned = features * self.scale.to(features) + self.shift.to(features)
        return torch.where(is_real[:, None, None], aligned, features)


def _mean_and_std(clips: Iterable[Tensor]) -> tuple[Tensor, Tensor]:
    """Return mean and deviation (C,) over all frames, in float64."""
    frames = torch.cat([clip.cpu() for clip in clips]).double()
    return frames.mean(dim=0), frames.std(dim=0)
