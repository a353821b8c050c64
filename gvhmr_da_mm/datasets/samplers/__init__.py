from .alternating_multi_source_sampler import AlternatingMultiSourceSampler
from .clip_key import ClipKey, clip_seed

__all__ = ['AlternatingMultiSourceSampler', 'ClipKey', 'clip_seed']
