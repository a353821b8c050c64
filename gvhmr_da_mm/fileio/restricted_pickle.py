"""Safe reading of the pickles of SMPL and 3DPW.

These files hold numpy arrays, scipy's sparse matrices and, in the oldest ones, chumpy arrays. Only
the numpy names are resolved. Objects of scipy.sparse and chumpy become
:class:`~gvhmr_da_mm.fileio.restricted_unpickler.PickledObject`, which keeps their stored state, so
neither package is imported. Every other name is refused.
"""

from pathlib import Path
from typing import Any, Union

import numpy as np

from ..core.errors import DataError
from .restricted_unpickler import PLAIN_NAMES, RestrictedUnpickler, stand_in

_STATE_ONLY_PACKAGES = ('chumpy', 'scipy.sparse')


class _ModelUnpickler(RestrictedUnpickler):
    def __init__(self, file, path: Path) -> None:
        # Python 2 stored bytes as text; latin1 maps them one to one.
        super().__init__(file, encoding='latin1')
        self._path = path

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in PLAIN_NAMES:
            return PLAIN_NAMES[module, name]
        if any(
            module == package or module.startswith(f'{package}.')
            for package in _STATE_ONLY_PACKAGES
        ):
            return stand_in(module, name)
        raise DataError(
            f'{self._path} refers to `{module}.{name}`; expected numpy arrays, scipy.sparse '
            'matrices, chumpy arrays and plain types only. It was not loaded, because unpickling '
            'it could run code: use the file of the official website'
        )


def load_restricted_pickle(path: Union[str, Path]) -> Any:
    """Unpickle numpy arrays, scipy.sparse matrices, chumpy arrays and plain types.

    Args:
        path (str | Path): A pickle of any protocol, of Python 2 or 3.

    Returns:
        Any: The content; see :func:`stored_array` for the values.

    Raises:
        DataError: If the file refers to any other name or is not a pickle.
    """
    path = Path(path)
    with path.open('rb') as file:
        try:
            return _ModelUnpickler(file, path).load()
        except DataError:
            raise
        except Exception as error:  # a damaged pickle can raise nearly anything
            raise DataError(f'{path} should be a pickle, but cannot be read: {error!r}') from error


def stored_array(value: Any) -> np.ndarray:
    """Convert a stored object to a dense array.

    Args:
        value (Any): An array, or a ``PickledObject`` of scipy.sparse (CSC, CSR) or chumpy
            (``Ch``, ``Select``, ``Reshape``).

    Returns:
        np.ndarray: Numbers of any dtype.

    Raises:
        DataError: If the value is of another type, or damaged.
    """
    if isinstance(value, np.ndarray) and value.dtype.kind in 'biuf':
        return value
    state = getattr(value, 'state', None)
    kind = getattr(value, 'pickled_as', type(value).__name__)
    if not isinstance(state, dict):
        raise DataError(f'expected an array of numbers, got {kind}')
    name = kind.rpartition('.')[2]
    try:
        if kind.startswith('scipy.sparse') and name[:3] in ('csc', 'csr'):
            return _dense(state, by_column=name.startswith('csc'))
        if name == 'Ch':
            return stored_array(state['x'])
        if name == 'Select':
            picked = stored_array(state['a']).ravel()[stored_array(state['idxs'])]
            return picked.reshape(state.get('preferred_shape', picked.shape))
        if name == 'Reshape':
            return stored_array(state['a']).reshape(state['newshape'])
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise DataError(f'a damaged {kind}: {error!r}') from error
    raise DataError(
        f'expected an array, got {kind}, which is computed rather than stored. Convert the file '
        "with smplx's `tools/clean_ch.py`"
    )


def _dense(state: dict[str, Any], by_column: bool) -> np.ndarray:
    rows, columns = state['_shape'] if '_shape' in state else state['shape']
    pointers, inner = stored_array(state['indptr']), stored_array(state['indices'])
    outer = np.repeat(np.arange(len(pointers) - 1), np.diff(pointers))
    data = stored_array(state['data'])
    dense = np.zeros((rows, columns), data.dtype)
    np.add.at(dense, (inner, outer) if by_column else (outer, inner), data)
    return dense
