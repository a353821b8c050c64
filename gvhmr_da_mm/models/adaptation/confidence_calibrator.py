"""Calibration of a discriminator's scores by those of true motion."""

import torch
from torch import Tensor, nn

from ...core.errors import ConfigError
from ...registry import MODELS

CALIBRATION_MODES = ('none', 'quantile')


@MODELS.register_module()
class ConfidenceCalibrator(nn.Module):
    """Turn a discriminator's scores into confidences that suit a fixed threshold.

    A least-squares discriminator at equilibrium scores everything near 0.5, so an absolute
    threshold may select nothing. With ``'quantile'`` the confidence is the score's rank among the
    latest scores of true motion: 0.6 means that 60% of true motion looks less true. The scores of
    true motion are buffers, saved in checkpoints.

    Args:
        mode (str): ``'none'`` passes scores through, ``'quantile'`` ranks them. Defaults to
            ``'none'``.
        size (int): Scores of true motion to keep. Defaults to 1024.
        min_scores (int): With fewer known scores every confidence is 0, so that nothing is
            selected. Defaults to 64.

    Raises:
        ConfigError: If the mode is unknown or the sizes are impossible.
    """

    def __init__(self, mode: str = 'none', size: int = 1024, min_scores: int = 64) -> None:
        super().__init__()
        if mode not in CALIBRATION_MODES:
            raise ConfigError(
                f'`mode` of ConfidenceCalibrator should be one of {CALIBRATION_MODES}, got {mode!r}'
            )
        if not 1 <= min_scores <= size:
            raise ConfigError(
                f'`min_scores` should be from 1 to `size`, got {min_scores} and {size}'
            )
        self.mode = mode
        self.min_scores = min_scores
        self.register_buffer('true_scores', torch.zeros(size))
        self.register_buffer('num_seen', torch.zeros((), dtype=torch.long))

    @property
    def needs_true_scores(self) -> bool:
        """Whether :meth:`update` needs the scores of true motion, which cost a forward pass."""
        return self.mode == 'quantile'

    @torch.no_grad()
    def update(self, true_scores: Tensor) -> None:
        """Store scores of true motion in place of the oldest.

        Args:
            true_scores (Tensor): Scores of any shape, in [0, 1]; those that are not finite are left
                out.
        """
        scores = true_scores.detach().flatten().to(self.true_scores)
        for part in scores.split(len(self.true_scores)):
            self._store(part)

    def _store(self, scores: Tensor) -> None:
        """Store the finite ones of at most ``size`` scores, without a GPU synchronisation."""
        finite = scores.isfinite()
        order = torch.argsort((~finite).to(torch.uint8), stable=True)
        position, count = torch.arange(len(scores), device=scores.device), finite.sum()
        slots = (self.num_seen + position) % len(self.true_scores)
        before = self.true_scores[slots]
        self.true_scores[slots] = torch.where(position < count, scores[order], before)
        self.num_seen += count

    @torch.no_grad()
    def forward(self, scores: Tensor) -> Tensor:
        """Turn scores into confidences.

        Args:
            scores (Tensor): Scores of any shape, in [0, 1].

        Returns:
            Tensor: Confidences in [0, 1] of the same shape; 0 for scores that are not finite.
        """
        if self.mode == 'none':
            return scores.nan_to_num(0, posinf=0, neginf=0)
        size = len(self.true_scores)
        known = self.num_seen.clamp(max=size)
        unknown = torch.arange(size, device=known.device) >= known
        ordered = self.true_scores.masked_fill(unknown, torch.inf).sort().values
        query = scores.detach().to(ordered).contiguous()
        # Ties count half: a score equal to all true scores is typical, not perfect.
        below = torch.searchsorted(ordered, query, side='left')
        up_to = torch.searchsorted(ordered, query, side='right')
        rank = ((below + up_to) / (2 * known.clamp(min=1))).to(scores)
        usable = scores.isfinite() & (known >= self.min_scores)
        return torch.where(usable, rank, torch.zeros_like(rank))
