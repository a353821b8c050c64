"""Network that maps the crop of a person to an image feature."""

from .hmr2_feature_network import HMR2FeatureNetwork
from .token_decoder import TokenDecoder
from .vision_transformer import VisionTransformer

__all__ = ['HMR2FeatureNetwork', 'TokenDecoder', 'VisionTransformer']
