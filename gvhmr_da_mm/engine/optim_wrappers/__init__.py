"""Optimiser wrappers and their constructors."""

from .bf16_optim_wrapper import BFloat16OptimWrapper
from .constructors import (
    AdaptationOptimWrapperConstructor,
    AdaptationOptimWrapperDict,
    PrecisionOptimWrapperConstructor,
)

__all__ = [
    'AdaptationOptimWrapperConstructor',
    'AdaptationOptimWrapperDict',
    'BFloat16OptimWrapper',
    'PrecisionOptimWrapperConstructor',
]
