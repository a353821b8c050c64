"""Small models, batches and runs for tests of this package and of code that builds on it."""

from .tiny_run import isolated_registry, last_checkpoint, read_log, tiny_config, train
from .toy_batch import toy_batch, toy_inputs, toy_samples
from .toy_config import toy_adaptation_config, toy_model_config

__all__ = [
    'isolated_registry',
    'last_checkpoint',
    'read_log',
    'tiny_config',
    'toy_adaptation_config',
    'toy_batch',
    'toy_inputs',
    'toy_model_config',
    'toy_samples',
    'train',
]
