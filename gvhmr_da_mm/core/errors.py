"""Typed errors. Each message says what was expected, what was found and what to do."""

from collections.abc import Sequence


class GVHMRError(Exception):
    """Base of every error this package raises on purpose."""


class ConfigError(GVHMRError, ValueError):
    """A config field or command-line option is unknown or has an impossible value."""


class ShapeError(GVHMRError, ValueError):
    """A tensor at a public boundary does not have the documented shape."""


class DataError(GVHMRError, ValueError):
    """A pack or model file was read, but its content is not what the format promises."""


class MissingFilesError(GVHMRError, FileNotFoundError):
    """One or more files are absent; the message lists all of them."""


class StorageError(GVHMRError, OSError):
    """A place to write to is full, write-protected or no folder."""


class CheckpointError(GVHMRError, RuntimeError):
    """A checkpoint does not fit the model that should load it."""


class TrainingCollapseError(GVHMRError, RuntimeError):
    """Training got so much worse that going on is of no use."""


class DryRunError(GVHMRError, RuntimeError):
    """A dry run met an error that has no better name; the message tells the stage."""


class DivergenceError(GVHMRError, RuntimeError):
    """Losses or gradients were not finite so often that training does not go on."""


class InstallationError(GVHMRError, ImportError):
    """Python or a package that is required is missing or of a version that is not supported."""


def list_some(items: Sequence[str], limit: int = 10, separator: str = ', ') -> str:
    """Return the first items in one line, and how many more there are."""
    more = f' and {len(items) - limit} more' if len(items) > limit else ''
    return separator.join(items[:limit]) + more
