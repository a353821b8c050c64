"""Layers of the backbone and the heads."""

from .by_frames import by_frames
from .condition_dropout import drop_conditions
from .condition_embedding import ImageEmbedding, VectorEmbedding
from .gated_block import GatedBlock
from .key_window import KeyWindow
from .keypoint_embedding import KeypointEmbedding
from .mlp import MLP
from .rotary_attention import RotaryAttention
from .rotary_table import RotaryTable
from .windowed_attention import windowed_attention

__all__ = [
    'GatedBlock',
    'ImageEmbedding',
    'KeyWindow',
    'KeypointEmbedding',
    'MLP',
    'RotaryAttention',
    'RotaryTable',
    'VectorEmbedding',
    'by_frames',
    'drop_conditions',
    'windowed_attention',
]
