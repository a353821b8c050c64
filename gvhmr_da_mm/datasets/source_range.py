"""Index range of one dataset within a concatenation."""

from typing import NamedTuple, Optional


class SourceRange(NamedTuple):
    """Indices [start, stop) of one dataset, and its weight within its domain.

    ``weight`` is None by default: real datasets then have equal weights, synthetic ones their
    number of clips.
    """

    name: str
    start: int
    stop: int
    weight: Optional[float]
