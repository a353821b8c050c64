"""GVHMR with domain adaptation, as an MMPose/MMEngine plugin."""

from importlib import import_module
from typing import Any

from .compat import provide_xtcocotools, require_packages
from .version import __version__

require_packages()
provide_xtcocotools()

__all__ = [
    'MotionInferencer',
    'MotionResult',
    '__version__',
    'adapt',
    'init_model',
    'load_result',
]

_PLACES = {
    'MotionInferencer': 'apis.inferencers',
    'MotionResult': 'structures',
    'adapt': 'apis.video_adaptation',
    'init_model': 'apis',
    'load_result': 'apis.load_result',
}
"""Modules of the names that are imported on first use, as PyTorch and MMPose take seconds."""


def __getattr__(name: str) -> Any:
    """Import a name on first use."""
    if name not in _PLACES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    value = globals()[name] = getattr(import_module(f'.{_PLACES[name]}', __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PLACES})
