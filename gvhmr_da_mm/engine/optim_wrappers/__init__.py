"""Optimiser wrappers and their constructors."""

from .averaging_optim_wrappers import (
    AveragingAmpOptimWrapper,
    AveragingOptimWrapper,
    BFloat16OptimWrapper,
)
from .constructors import (
    AdaptationOptimWrapperConstructor,
    AdaptationOptimWrapperDict,
    PrecisionOptimWrapperConstructor,
)
from .finite_step_mixin import FiniteStepMixin, SkippedStep

__all__ = [
    'AdaptationOptimWrapperConstructor',
    'AdaptationOptimWrapperDict',
    'AveragingAmpOptimWrapper',
    'AveragingOptimWrapper',
    'BFloat16OptimWrapper',
    'FiniteStepMixin',
    'PrecisionOptimWrapperConstructor',
    'SkippedStep',
]
