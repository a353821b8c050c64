"""Safe, lazy reading of published packs and sequence packs.

A published pack (``torch.save``) is opened with ``weights_only=True`` (no code in the file can run)
and memory-mapped: only the requested rows are read from disk. Of a sequence pack (:mod:`.packs`)
only the index is opened. :func:`load_pack` caches opened packs per process, so that datasets hold
file paths only, pickle to workers in a few bytes, and share a file between splits.
"""

import math
import os
import pickle
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np
import torch
from torch import Tensor

from ..core.checks import check_shape
from ..core.errors import DataError, MissingFilesError, ShapeError
from ..fileio.restricted_pickle import load_restricted_pickle, stored_array
from ..fileio.restricted_unpickler import PickledObject
from ..fileio.tensor_file import is_archive, load_tensor_file
from .packs import SequencePack
from .packs.json_index import JSON_INDEX_FILE
from .packs.pack_index import INDEX_FILE

PathLike = Union[str, Path]
MAX_IMAGE_SIDE = 100_000
"""Pixels; a larger value is taken for damaged data."""
MAX_FRAMES = 10**8
"""Frames of a video, over a month; a larger value is taken for damaged data."""


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def read_pack(path: PathLike) -> Any:
    """Read a file written by ``torch.save``, or a pickle, without executing anything in it.

    Args:
        path (str | Path): The file. A ``.pkl`` file that is a plain pickle, as the raw files of
            3DPW and EMDB are, may hold numpy arrays, sparse matrices and chumpy arrays; they become
            tensors.

    Returns:
        Any: Its content; tensors are memory-mapped and must not be written to.

    Raises:
        MissingFilesError: If there is no such file.
        DataError: If the file is damaged or holds more than plain containers and tensors.
    """
    try:
        # Only the zip format (torch >= 1.6) can be mapped; older files are read as a whole.
        mmap = is_archive(path)
        if not mmap and Path(path).suffix == '.pkl':
            content = load_restricted_pickle(path)
            if not isinstance(content, int):  # The number that files of `torch.save` begin with.
                return _with_tensors(content)
        return load_tensor_file(path, mmap=mmap)
    except DataError:
        raise
    except FileNotFoundError as error:
        raise MissingFilesError(f'{path} does not exist (any more)') from error
    except PermissionError as error:
        raise DataError(f'{path} may not be read: {error.strerror}') from error
    except pickle.UnpicklingError as error:
        raise DataError(
            f'{path} cannot be read safely: expected dicts, lists, numbers, strings and tensors, '
            'got other types or code. Nothing in it was run. If you trust its source, load it '
            'once with `torch.load(..., weights_only=False)` and save plain tensors. '
            f'({_first_line(error)})'
        ) from error
    except Exception as error:  # a damaged file can raise nearly anything
        raise DataError(
            f'{path} is damaged or is no file of `torch.save`: copy or download it again. '
            f'({_first_line(error)})'
        ) from error


def _with_tensors(value: Any) -> Any:
    """Replace the arrays of a raw pickle by tensors."""
    if isinstance(value, dict):
        return {key: _with_tensors(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_with_tensors(part) for part in value]
    if isinstance(value, (np.ndarray, np.generic, PickledObject)):
        array = stored_array(np.asarray(value) if isinstance(value, np.generic) else value)
        # PyTorch knows neither foreign byte orders nor, before 2.3, unsigned integers.
        wide = array.astype(np.int64) if array.dtype.kind == 'u' and array.itemsize > 1 else array
        return torch.from_numpy(wide.astype(wide.dtype.newbyteorder('=')))
    return value


@lru_cache(maxsize=32)
def _load_cached(path: str, modified_ns: int, size: int) -> Mapping:
    pack = read_pack(path)
    if not isinstance(pack, Mapping):
        raise DataError(f'{path} should hold a dict of sequences, got {type(pack).__name__}')
    odd = [name for name in pack if not isinstance(name, str)]
    if odd:
        raise DataError(f'{path} should have names of sequences as keys, got {odd[0]!r:.80}')
    return pack


@lru_cache(maxsize=32)
def _load_folder_cached(path: str, modified_ns: int, size: int, process: int) -> SequencePack:
    return SequencePack(path)


def load_pack(path: PathLike) -> Mapping:
    """Open a pack; once per process, until it changes.

    Args:
        path (str | Path): A published pack, or the folder of a sequence pack.

    Returns:
        Mapping: Sequence name to entry.

    Raises:
        MissingFilesError: If there is no such file.
        DataError: If it cannot be read or is no mapping.
    """
    # Called several times for each item, so that one call of the file system must be enough.
    path = os.fspath(path)
    try:
        status = os.stat(f'{path}{os.sep}{INDEX_FILE}')
    except OSError:
        try:
            status = os.stat(f'{path}{os.sep}{JSON_INDEX_FILE}')
        except OSError:  # No sequence pack.
            return _load_file(path)
    # A forked process must not use the open index of its parent.
    return _load_folder_cached(path, status.st_mtime_ns, status.st_size, os.getpid())


def _load_file(path: str) -> Mapping:
    if not os.path.exists(path):
        raise MissingFilesError(f'{path} does not exist (any more)')
    if os.path.isdir(path):
        raise DataError(f'{path} is no sequence pack: it has no {INDEX_FILE}; see docs/en/packs.md')
    status = os.stat(path)
    return _load_cached(path, status.st_mtime_ns, status.st_size)


class RecordError(DataError):
    """An entry of a file, or a field of it, cannot be used.

    Args:
        message (str): The whole message.
        path (str | Path): The file. Defaults to ''.
        key (str): The field. Defaults to ''.
        check (str): Name of the violated check of the validator, such as ``shape``. Defaults to
            ''.
        problem (str): What was expected and found, without file and key. Defaults to ''.
    """

    # All but the message have defaults, so that data loaders can raise it again.
    def __init__(
        self,
        message: str,
        path: PathLike = '',
        key: str = '',
        check: str = '',
        problem: str = '',
    ) -> None:
        super().__init__(message)
        self.path, self.key, self.check, self.problem = path, key, check, problem


def as_frame_range(value: Any, record: 'PackRecord', key: str) -> tuple[int, int]:
    """Return a pair of frames (start, end) with 0 <= start < end.

    Args:
        value (Any): A tuple, list or tensor of two whole numbers.
        record (PackRecord): The entry, for messages.
        key (str): The field, for messages.

    Raises:
        DataError: If it is something else.
    """
    pair = value.tolist() if isinstance(value, Tensor) and value.numel() == 2 else value
    whole = isinstance(pair, (list, tuple)) and len(pair) == 2
    whole = whole and all(type(frame) is int for frame in pair)
    if not (whole and 0 <= pair[0] < pair[1] <= MAX_FRAMES):
        expected, check = 'frames (start, end) with 0 <= start < end', 'frame-range'
        raise record.error(key, expected, f'{value!r:.80}', check if whole else 'dtype')
    return pair[0], pair[1]


class PackRecord:
    """Entry of a sequence in a file; errors name file, sequence and key.

    Args:
        path (str | Path): The file, for messages.
        sequence (str): Name of the sequence, for messages.
        fields (Mapping): The fields.
        prefix (str): Path of nested keys, for messages. Defaults to ''.

    Raises:
        DataError: If ``fields`` is no mapping.
    """

    def __init__(self, path: PathLike, sequence: str, fields: Any, prefix: str = '') -> None:
        self.path, self.sequence, self.prefix = path, sequence, prefix
        if not isinstance(fields, Mapping):
            raise self.error('', 'a dict', type(fields).__name__)
        self.fields = fields

    @classmethod
    def of(cls, path: PathLike, sequence: str) -> 'PackRecord':
        """Return the record of a sequence in the pack at ``path``."""
        pack = load_pack(path)
        if sequence not in pack:
            raise DataError(
                f'{path}: sequence `{sequence}` is missing among its {len(pack)} sequences; '
                'the files of a dataset must come from the same release'
            )
        return cls(path, sequence, pack[sequence])

    @classmethod
    def read(cls, path: PathLike, sequence: str) -> 'PackRecord':
        """Return the record that is a file of its own."""
        return cls(path, sequence, read_pack(path))

    def error(self, key: str, expected: str, got: str, check: str = 'dtype') -> RecordError:
        """Return the error that describes a bad field; ``check`` as for :class:`RecordError`."""
        key, problem = f'{self.prefix}{key}', f'expected {expected}, got {got}'
        message = f'{self.path}: sequence `{self.sequence}`, key `{key}`: {problem}'
        return RecordError(message, self.path, key, check, problem)

    def __contains__(self, key: str) -> bool:
        return key in self.fields

    def value(self, key: str, *types: type) -> Any:
        """Return a field of one of the given types; a dot in the key leads to nested ones."""
        if key not in self.fields:
            head, _, rest = key.partition('.')
            if rest and head in self.fields:
                return self.nested(head).value(rest, *types)
            keys = f'none (keys: {", ".join(map(str, self.fields))})'
            raise self.error(key, 'a value', keys, 'missing-key')
        value = self.fields[key]
        if types and not isinstance(value, types):
            names = ' or '.join(kind.__name__ for kind in types)
            raise self.error(key, names, type(value).__name__)
        return value

    def nested(self, key: str) -> 'PackRecord':
        """Return the record below ``key``."""
        return PackRecord(self.path, self.sequence, self.value(key), f'{self.prefix}{key}.')

    def tensor(self, key: str, pattern: str, **sizes: int) -> Tensor:
        """Return a tensor, not read yet, after checking its shape.

        Args:
            key (str): The field.
            pattern (str): Shape as for :func:`~gvhmr_da_mm.core.checks.check_shape`.
            sizes (int): Known letters of the pattern.

        Returns:
            Tensor: The memory-mapped tensor.
        """
        tensor = self.value(key, Tensor)
        try:
            check_shape(tensor, pattern, key, **sizes)
        except ShapeError as error:
            known = f' with {sizes}' if sizes else ''
            expected, got = f'shape ({pattern}){known}', f'{tuple(tensor.shape)}'
            raise self.error(key, expected, got, 'shape') from error
        if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_complex():
            kind = f'{tensor.layout}, {tensor.dtype}'
            raise self.error(key, 'a dense tensor of real numbers', kind)
        return tensor.detach()

    def matrix(self, key: str, pattern: str) -> Tensor:
        """Copy a field that is not per frame as float32, finite."""
        values = self.tensor(key, pattern).to(torch.float32, copy=True)
        if not values.isfinite().all():
            raise self.error(key, 'finite values', 'NaN or infinity')
        return values

    def image_size(self, key: str = 'img_wh') -> tuple[int, int]:
        """Return the image's width and height in pixels."""
        width, height = self.matrix(key, '2').tolist()
        if not (1 <= width <= MAX_IMAGE_SIDE and 1 <= height <= MAX_IMAGE_SIDE):
            raise self.error(key, 'width and height in pixels', f'{width:g} x {height:g}')
        return int(width), int(height)

    def frame_range(self, key: str) -> tuple[int, int]:
        """Return a pair of frames (start, end)."""
        return as_frame_range(self.value(key), self, key)

    def rows(
        self,
        key: str,
        pattern: str,
        start: int,
        end: int,
        first: int = 0,
        needed: Optional[Tensor] = None,
        **sizes: int,
    ) -> Tensor:
        """Copy the frames [start, end) of a per-frame field.

        Args:
            key (str): The field.
            pattern (str): Its shape; the first letter is the number of frames.
            start (int): First frame.
            end (int): One past the last frame.
            first (int): Frame that row 0 of the field belongs to. Defaults to 0.
            needed (Tensor, optional): Frames of these (L,), bool, that have to be finite. Defaults
                to None: all.
            sizes (int): Known letters of the pattern.

        Returns:
            Tensor: float32 (bool stays bool) of ``end - start`` rows, finite where needed.

        Raises:
            DataError: If the shape is wrong, frames are missing, or a value is NaN or infinite.
        """
        tensor = self.tensor(key, pattern, **sizes)
        last = first + len(tensor)
        if not first <= start < end <= last:
            raise self.error(key, f'frames {start} to {end - 1}', f'frames {first} to {last - 1}')
        selected = tensor[start - first : end - first]
        if tensor.dtype == torch.bool:
            if tensor.ndim > 1:  # Only masks are bool.
                raise self.error(key, 'numbers', 'True and False')
            return selected.clone()
        rows = selected.to(torch.float32, copy=True)
        # The sum is much faster than `isfinite`; if it overflows, each value is checked below.
        if math.isfinite(rows.sum().item()):
            return rows
        finite = rows.flatten(1).isfinite().all(dim=1)
        if needed is not None:
            finite |= ~needed
        if not finite.all():
            frame = start + int((~finite).nonzero()[0])
            raise self.error(key, 'finite values', f'NaN or infinity first at frame {frame}')
        return rows
