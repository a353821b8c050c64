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

__all__ = [
    'AdaptationOptimWrapperConstructor',
    'AdaptationOptimWrapperDict',
    'AveragingAmpOptimWrapper',
    'AveragingOptimWrapper',
    'BFloat16OptimWrapper',
    'PrecisionOptimWrapperConstructor',
]
