"""Functions that tools and notebooks call: configs, checks before a run, the dry run."""

from ..config.flags import scale_learning_rate, use_half_precision
from ..config.loading import check_options, limit_for_debugging, load_config, set_data_root
from ..config.stored import load_stored_config
from ..models.model_zoo import list_models, read_card
from .body_root import find_body_root
from .check_training import check_training
from .dry_run import DryRunReport, dry_run
from .init_model import init_model
from .preflight import check_checkpoint, check_files
from .stored_sizes import use_stored_sizes

__all__ = [
    'DryRunReport',
    'check_checkpoint',
    'check_files',
    'check_training',
    'check_options',
    'dry_run',
    'find_body_root',
    'init_model',
    'limit_for_debugging',
    'list_models',
    'load_config',
    'load_stored_config',
    'read_card',
    'scale_learning_rate',
    'set_data_root',
    'use_half_precision',
    'use_stored_sizes',
]
