"""Safe reading of the pickles in which other methods store their results.

These are pickles of dicts, lists and arrays; files of ``joblib.dump``, in which the bytes of arrays
follow the pickle's references to them; and ``.npy`` files that hold one pickled object. Arrays may
be PyTorch's. Every name that these do not need is refused, and neither joblib nor PyTorch's own
unpickler of tensors is called.
"""

import io
import pickle
import tarfile
from collections import OrderedDict
from pathlib import Path
from typing import Any, Union

import numpy as np
import torch

from ..core.errors import DataError
from .restricted_unpickler import (
    PLAIN_NAMES,
    PickledObject,
    RestrictedUnpickler,
    stand_in,
)

NPY_MAGIC = b'\x93NUMPY'
STORAGE_MAGIC = b'\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.'
"""First bytes of a storage in a pickled tensor: the format of :func:`torch.save` before 1.6."""
COMPRESSED_MAGIC = (b'\x78', b'\x1f\x8b', b'BZ', b'\xfd7zXZ', b'\x5d\x00', b'\x04"M\x18')
"""First bytes of files of ``joblib.dump`` with ``compress``."""


class _JoblibArray(PickledObject):
    """Place of an array in a file of ``joblib.dump``."""


def _plain_dict(*_: Any) -> dict:
    """Replacement of ``collections.defaultdict``, whose default is of no use to a reader."""
    return {}


def _storage(content: bytes) -> Any:
    """Replacement of ``torch.storage._load_from_bytes``, which would unpickle anything."""
    if not content.startswith(STORAGE_MAGIC) or tarfile.is_tarfile(io.BytesIO(content)):
        raise pickle.UnpicklingError('refused a tensor in another format than that of pickle')
    return torch.load(io.BytesIO(content), map_location='cpu', weights_only=True)


def _tensor(storage: Any, offset: int, size: tuple, stride: tuple, *_: Any) -> np.ndarray:
    """Replacement of ``torch._utils._rebuild_tensor_v2``: an array."""
    if not isinstance(storage, torch.storage.TypedStorage):
        raise pickle.UnpicklingError(f'refused the storage {type(storage).__name__}')
    tensor = torch.empty(0, dtype=storage.dtype)
    return tensor.set_(storage._untyped_storage, offset, size, stride).numpy().copy()


_NAMES = {
    **PLAIN_NAMES,
    ('collections', 'OrderedDict'): OrderedDict,
    ('collections', 'defaultdict'): _plain_dict,
    ('builtins', 'dict'): dict,
    ('__builtin__', 'dict'): dict,
    ('torch._utils', '_rebuild_tensor_v2'): _tensor,
    ('torch.storage', '_load_from_bytes'): _storage,
    ('joblib.numpy_pickle', 'NumpyArrayWrapper'): stand_in(
        'joblib.numpy_pickle', 'NumpyArrayWrapper', _JoblibArray
    ),
}


class _ResultUnpickler(RestrictedUnpickler):
    dispatch = dict(RestrictedUnpickler.dispatch)

    def __init__(self, file: io.BufferedIOBase) -> None:
        super().__init__(file, encoding='latin1')
        self._stream = file

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _NAMES:
            return _NAMES[module, name]
        return super().find_class(module, name)

    def load_build(self) -> None:
        super().load_build()
        if isinstance(self.stack[-1], _JoblibArray):
            self.stack[-1] = self._array(self.stack[-1].state)

    dispatch[pickle.BUILD[0]] = load_build

    def _array(self, state: dict[str, Any]) -> np.ndarray:
        """Read the bytes of an array, which follow its description."""
        dtype, shape = state['dtype'], tuple(int(size) for size in state['shape'])
        if not isinstance(dtype, np.dtype) or dtype.hasobject:
            raise pickle.UnpicklingError(f'refused an array of {dtype!r}')
        if state.get('numpy_array_alignment_bytes') is not None:
            self._stream.read(self._stream.read(1)[0])
        count = int(np.prod(shape, dtype=object))
        content = self._stream.read(count * dtype.itemsize)
        values = np.frombuffer(content, dtype, count).copy()
        if state.get('order') == 'F':
            return values.reshape(shape[::-1]).T
        return values.reshape(shape)


def load_result_pickle(path: Union[str, Path]) -> Any:
    """Read a pickled result of another method; no code in it can run.

    Args:
        path (str | Path): A pickle, a file of ``joblib.dump`` without compression, or an ``.npy``
            file with one object.

    Returns:
        Any: Its dicts, lists and NumPy arrays.

    Raises:
        DataError: If the file holds anything else, or is damaged.
    """
    path = Path(path)
    with path.open('rb') as file:
        start = file.read(len(NPY_MAGIC))
        file.seek(0)
        if start.startswith(COMPRESSED_MAGIC):
            raise DataError(
                f'{path} is compressed, which is not read: load it with joblib and dump it again '
                'with `compress=0`'
            )
        try:
            if start == NPY_MAGIC:
                return _npy(file)
            return _ResultUnpickler(file).load()
        except Exception as error:  # a damaged pickle can raise nearly anything
            raise DataError(
                f'{path} should be a pickle of dicts, lists and arrays, but cannot be read as one: '
                f'{error or type(error).__name__}. Nothing in it was run'
            ) from error


def _npy(file: io.BufferedIOBase) -> Any:
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0
    if version != (1, 0):
        read = np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    if not dtype.hasobject:
        file.seek(0)
        return np.load(file, allow_pickle=False)
    content = _ResultUnpickler(file).load()
    return content.item() if shape == () else content
