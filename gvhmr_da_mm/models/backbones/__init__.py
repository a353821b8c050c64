"""Backbones."""

from .rotary_temporal_transformer import RotaryTemporalTransformer

__all__ = ['RotaryTemporalTransformer']
