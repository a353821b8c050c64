"""Errors of this package. Each message states what was expected and found, and what to do."""

from collections.abc import Sequence


class GVHMRError(Exception):
    """Base class of the errors of this package."""


class ConfigError(GVHMRError, ValueError):
    """A config field or command-line option is unknown or has an impossible value."""


class ShapeError(GVHMRError, ValueError):
    """A tensor at a public boundary does not have the documented shape."""


class DataError(GVHMRError, ValueError):
    """The content of a pack or model file violates its format."""


class MissingFilesError(GVHMRError, FileNotFoundError):
    """One or more files are absent; the message lists all of them."""


class StorageError(GVHMRError, OSError):
    """A place to write to is full, write-protected or not a folder."""


class CheckpointError(GVHMRError, RuntimeError):
    """A checkpoint does not fit the model that should load it."""


class TrainingCollapseError(GVHMRError, RuntimeError):
    """A collapse of the training was detected, which stops it."""


class DryRunError(GVHMRError, RuntimeError):
    """A dry run met an error of any other type; the message names the stage."""


class DivergenceError(GVHMRError, RuntimeError):
    """Losses or gradients were not finite too often, which stops the training."""


class InstallationError(GVHMRError, ImportError):
    """A required package is missing, or its version or Python's is not supported."""


def list_some(items: Sequence[str], limit: int = 10, separator: str = ', ') -> str:
    """Join the first items in one line, and append the number of the others."""
    more = f' and {len(items) - limit} more' if len(items) > limit else ''
    return separator.join(items[:limit]) + more
