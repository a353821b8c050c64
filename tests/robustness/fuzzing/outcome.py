"""What a spoiled case led to."""

import faulthandler
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gvhmr_da_mm.core.errors import GVHMRError

WORKS, REFUSED, FAILED = 'works', 'refused', 'failed'
GRACE = 3
"""A case that does not stop after so many times its limit hangs outside Python: the process ends,
and tells where it hung."""


class OutOfTimeError(BaseException):
    """A case takes too long; no error handler of the code under test may catch it."""


@dataclass(frozen=True)
class Outcome:
    """What a case led to.

    Attributes:
        kind (str): ``works``; ``refused`` with an error of :mod:`gvhmr_da_mm.core.errors` that
            names its cause; or ``failed``.
        case (str): What was spoiled.
        detail (str): The error.
    """

    kind: str
    case: str
    detail: str = ''


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raise :class:`OutOfTimeError` after some seconds; only signals of the main thread can."""

    def stop(*_) -> None:
        raise OutOfTimeError

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    faulthandler.dump_traceback_later(GRACE * seconds, exit=True)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        faulthandler.cancel_dump_traceback_later()


def observe(
    case: str, action: Callable[[], None], names: tuple[str, ...], seconds: float
) -> Outcome:
    """Run an action and judge how it ends.

    Args:
        case (str): What was spoiled, for the report.
        action (Callable): What uses it.
        names (tuple[str, ...]): An error must have one of these in its message.
        seconds (float): It must end within this time.
    """
    try:
        with _time_limit(seconds):
            action()
    except GVHMRError as error:
        if any(name in str(error) for name in names):
            return Outcome(REFUSED, case, f'{type(error).__name__}: {error}')
        return Outcome(FAILED, case, f'names none of {names}: {type(error).__name__}: {error}')
    except OutOfTimeError:
        return Outcome(FAILED, case, f'takes longer than {seconds} s:\n{traceback.format_exc()}')
    except Exception:  # This is what is looked for.
        return Outcome(FAILED, case, traceback.format_exc())
    return Outcome(WORKS, case)
