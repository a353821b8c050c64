"""Training that is interrupted in every way and has to end as if it had not been."""

from tests.robustness.soak.compare_runs import differences, final_state, logged_values
from tests.robustness.soak.interruption import KINDS, SIGNALS, Interruption
from tests.robustness.soak.soak import Outcome, Soak
from tests.robustness.soak.soak_config import soak_config

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
