"""Where the clips of one dataset are in a dataset of several sources."""

from typing import NamedTuple, Optional


class SourceRange(NamedTuple):
    """Indices [start, stop) of one dataset, and its weight within its domain.

    ``weight`` is None where none was chosen: real datasets then count the same, synthetic ones by
    their number of clips.
    """

    name: str
    start: int
    stop: int
    weight: Optional[float]
