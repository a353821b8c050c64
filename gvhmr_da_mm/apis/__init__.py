"""What tools and notebooks call."""

from .config import check_options, limit_for_debugging, load_config, set_data_root
from .preflight import check_checkpoint, check_files

__all__ = [
    'check_checkpoint',
    'check_files',
    'check_options',
    'limit_for_debugging',
    'load_config',
    'set_data_root',
]
