"""Small models, batches and runs."""

from tests.testing.ranks import free_port, print_to, run_ranks, start_fork_server
from tests.testing.tiny_run import isolated_registry, last_checkpoint, read_log, tiny_config, train
from tests.testing.toy_batch import toy_batch, toy_inputs, toy_samples
from tests.testing.toy_config import toy_adaptation_config, toy_model_config

__all__ = [
    'free_port',
    'isolated_registry',
    'last_checkpoint',
    'print_to',
    'read_log',
    'run_ranks',
    'start_fork_server',
    'tiny_config',
    'toy_adaptation_config',
    'toy_batch',
    'toy_inputs',
    'toy_model_config',
    'toy_samples',
    'train',
]
