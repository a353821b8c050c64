"""Spoiled packs and configs: each must work, or be refused with an error that names the cause."""

from tests.robustness.fuzzing.config_cases import config_cases
from tests.robustness.fuzzing.outcome import FAILED, REFUSED, WORKS, Outcome
from tests.robustness.fuzzing.pack_cases import pack_cases

__all__ = ['FAILED', 'REFUSED', 'WORKS', 'Outcome', 'config_cases', 'pack_cases']
