"""Registry of the checks."""

from collections.abc import Callable, Iterable

from ..finding import Finding
from ..sequence import Sequence

Check = Callable[[Sequence], Iterable[Finding]]
CHECKS: dict[str, Check] = {}
"""Checks by the name in their findings, in the order in which they run."""


def sequence_check(name: str) -> Callable[[Check], Check]:
    """Register a check.

    Args:
        name (str): Name in its findings.

    Returns:
        Callable: The decorator of a function that takes a :class:`Sequence` and yields findings.
        It runs on every sequence, and must yield nothing where the fields it needs are absent.
    """

    def register(check: Check) -> Check:
        CHECKS[name] = check
        return check

    return register
