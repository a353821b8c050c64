"""Files of named arrays in the safetensors format: memory-mapped, nothing to unpickle.

The format is eight bytes with the length of a JSON header (little endian), the header (name to
dtype, shape and byte range), and the arrays one after another. The ``safetensors`` package reads
the files written here, and the other way round. It is not used, as it writes metadata in random
order, which changes the checksum.

Source: https://github.com/huggingface/safetensors, section "Format".
"""

import json
import math
import mmap
from collections.abc import Mapping
from pathlib import Path
from typing import Optional, Union

import numpy as np

from ..core.errors import DataError

DTYPES = {
    'F64': np.dtype('<f8'),
    'F32': np.dtype('<f4'),
    'F16': np.dtype('<f2'),
    'I64': np.dtype('<i8'),
    'I32': np.dtype('<i4'),
    'U8': np.dtype('u1'),
    'BOOL': np.dtype('?'),
}
"""Types of the format that are supported."""
_CODES = {dtype: code for code, dtype in DTYPES.items()}
_LENGTH_BYTES = 8
_ALIGNMENT = 8
_MAX_HEADER_BYTES = 100_000_000
_METADATA_KEY = '__metadata__'


def encode_tensors(arrays: Mapping[str, np.ndarray], texts: Mapping[str, str]) -> bytes:
    """Return the bytes of a file.

    Args:
        arrays (Mapping[str, np.ndarray]): The arrays, of a dtype in :data:`DTYPES`.
        texts (Mapping[str, str]): Metadata of the header.

    Returns:
        bytes: Independent of the order of the arguments.

    Raises:
        DataError: If an array has another dtype.
    """
    # Wide types first, so that every array starts at a multiple of its item size.
    names = sorted(arrays, key=lambda name: (-arrays[name].dtype.itemsize, name))
    header: dict = {_METADATA_KEY: dict(sorted(texts.items()))}
    chunks, offset = [], 0
    for name in names:
        array = np.asarray(arrays[name])
        dtype = array.dtype.newbyteorder('<')
        if dtype not in _CODES:
            raise DataError(f'array {name!r} should be one of {", ".join(DTYPES)}, got {dtype}')
        content = np.ascontiguousarray(array, dtype).tobytes()
        header[name] = dict(
            dtype=_CODES[dtype],
            shape=list(array.shape),
            data_offsets=[offset, offset + len(content)],
        )
        chunks.append(content)
        offset += len(content)
    text = json.dumps(header, separators=(',', ':')).encode()
    text += b' ' * (-len(text) % _ALIGNMENT)
    return b''.join([len(text).to_bytes(_LENGTH_BYTES, 'little'), text, *chunks])


class TensorFile(Mapping):
    """The arrays of a file; only the rows that are used are read from disk.

    Args:
        path (str | Path): The file.
        size (int, optional): Bytes that it should have. Defaults to None: not checked.

    Attributes:
        texts (dict[str, str]): Metadata of the header.

    Raises:
        DataError: If the file is cut off, damaged or of another format.
    """

    def __init__(self, path: Union[str, Path], size: Optional[int] = None) -> None:
        self.path = Path(path)
        with self.path.open('rb') as file:
            found = file.seek(0, 2)
            if size is not None and found != size:
                raise self._damaged(f'it has {found} bytes, expected {size}')
            if found <= _LENGTH_BYTES:
                raise self._damaged(f'it has {found} bytes')
            # Copy on write: arrays are writable, and the file does not change.
            self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        length = int.from_bytes(self._bytes[:_LENGTH_BYTES], 'little')
        self._start = _LENGTH_BYTES + length
        if length > _MAX_HEADER_BYTES or self._start > found:
            raise self._damaged('its header is longer than the file')
        try:
            header = json.loads(self._bytes[_LENGTH_BYTES : self._start])
            self.texts: dict[str, str] = header.pop(_METADATA_KEY, {})
        except (ValueError, AttributeError, TypeError, RecursionError) as error:
            raise self._damaged('its header is no JSON object') from error
        self._header = header

    def _damaged(self, reason: str) -> DataError:
        return DataError(
            f'{self.path} should be a safetensors file, but {reason}: copy it again or convert it '
            'again'
        )

    def __getitem__(self, name: str) -> np.ndarray:
        field = self._header[name]
        try:
            dtype, shape = DTYPES[field['dtype']], tuple(field['shape'])
            start, stop = (self._start + offset for offset in field['data_offsets'])
            count = math.prod(shape)
            if stop - start != count * dtype.itemsize or not self._start <= start <= stop:
                raise ValueError(f'bytes {start} to {stop} do not hold shape {shape}')
            return np.frombuffer(self._bytes, dtype, count, start).reshape(shape)
        except (KeyError, TypeError, ValueError) as error:
            raise self._damaged(f'array {name!r} cannot be read ({error})') from error

    def __iter__(self):
        return iter(self._header)

    def __len__(self) -> int:
        return len(self._header)

    def __contains__(self, name: object) -> bool:
        return name in self._header
