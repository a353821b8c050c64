"""Check that windows can be opened."""

from ..core.errors import ConfigError

_FILE_BACKENDS = ('agg', 'cairo', 'pdf', 'pgf', 'ps', 'svg', 'template')
"""Backends of matplotlib that open no window."""


def require_display() -> None:
    """Check that matplotlib, which MMEngine shows pictures with, can open a window.

    Raises:
        ConfigError: If it cannot, as on a machine without a display.
    """
    import matplotlib.pyplot as plt

    backend = plt.get_backend()
    reason = f"matplotlib's backend is {backend!r}"
    try:
        plt.switch_backend(backend)
    except ImportError as error:
        reason = str(error)
    else:
        if backend.lower() not in _FILE_BACKENDS:
            return
    raise ConfigError(
        f'pictures cannot be shown, as there is no display ({reason}): write them to files with '
        '`--show-dir FOLDER` of tools/test.py instead; over ssh a window needs `ssh -X`'
    )
