"""Index range of one dataset within a concatenation."""

from typing import NamedTuple, Optional


class SourceRange(NamedTuple):
    """Indices [start, stop) of one dataset, and its weight within its domain.

    ``weight`` is None by default: synthetic datasets then have their number of clips as weight,
    real ones equal weights, unless the sampler's ``alternating_ratio`` is None.
    """

    name: str
    start: int
    stop: int
    weight: Optional[float]
