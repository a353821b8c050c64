"""Adaptation of a model to a few videos."""

from .adapt import adapt
from .report import AdaptationReport

__all__ = ['AdaptationReport', 'adapt']
