"""The motion clips of this package, a few of which only the real domain shows."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .clip import Take, load_clip

SYNTHETIC_MOTIONS = (
    'walk', 'run', 'crawl', 'dance_a', 'getup_facedown', 'punch', 'spin', 'cartwheel',
)  # fmt: skip
REAL_MOTIONS = ('dance_b', 'kick', 'jump', 'roll', 'spinkick', 'backflip', 'getup_faceup')
"""Motions of the real domain alone."""
LEAPING_MOTIONS = ('run', 'spin', 'dance_b', 'jump', 'spinkick', 'backflip')
"""Motions with time in the air."""
UNSEEN_SHARE = 0.6
"""Share of real clips whose motion is not in the synthetic domain, at full shift."""


def embedded_takes(*names: str) -> list[Take]:
    """Return clips of this package by name."""
    return [Take(load_clip(name), leaps=name in LEAPING_MOTIONS) for name in names]


class EmbeddedMotions:
    """Motions of both domains, of the clips of this package.

    Args:
        shift (float): Gap between the motions of the domains, 0 to 1.
    """

    def __init__(self, shift: float) -> None:
        self.shift = shift

    def synthetic(self, frames: int, rng: np.random.Generator) -> list[Take]:
        """Draw two motions of the synthetic domain."""
        return embedded_takes(*rng.choice(SYNTHETIC_MOTIONS, size=2, replace=False))

    def real(
        self, usual: Sequence[str], is_test: bool, frames: int, rng: np.random.Generator
    ) -> list[Take]:
        """Draw a motion of the real domain, at random one of that domain alone.

        Args:
            usual (Sequence[str]): Synthetic motions that suit the sequence's name; empty for any.
            is_test (bool): Not used: training and test clips show the same motions.
            frames (int): Not used: short clips are repeated.
            rng (Generator): Source of all randomness.
        """
        unseen = rng.random() < UNSEEN_SHARE * self.shift
        names = rng.choice(REAL_MOTIONS if unseen else (usual or SYNTHETIC_MOTIONS), size=1)
        return embedded_takes(*names)

    def report(self) -> dict[str, Any]:
        """Return what a manifest says of the motions: nothing, as they belong to the version."""
        return {}
