"""Training that is interrupted in every way and has to end as if it had not been."""

from .compare_runs import differences, final_state, logged_values
from .interruption import KINDS, SIGNALS, Interruption
from .soak import Outcome, Soak
from .soak_config import soak_config

__all__ = [
    'KINDS',
    'SIGNALS',
    'Interruption',
    'Outcome',
    'Soak',
    'differences',
    'final_state',
    'logged_values',
    'soak_config',
]
