"""The table of checks."""

from collections.abc import Callable, Iterable

from ..finding import Finding
from ..sequence import Sequence

Check = Callable[[Sequence], Iterable[Finding]]
CHECKS: dict[str, Check] = {}
"""Every check by the name that its findings carry, in the order in which they run."""


def sequence_check(name: str) -> Callable[[Check], Check]:
    """Add a check to the table.

    Args:
        name (str): What its findings are called.

    Returns:
        Callable: The decorator of a function that takes a :class:`Sequence` and yields findings.
        It runs on every sequence, and must yield nothing where the fields it needs are absent.
    """

    def register(check: Check) -> Check:
        CHECKS[name] = check
        return check

    return register
