"""Checked access to the fields of raw files, which differ between releases."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional

import numpy as np

from ....core.checks import fits_shape, shape_text
from ....core.errors import DataError


class RawFields:
    """Fields of one raw file; errors name file and field.

    Args:
        path (Path): The file, for messages.
        fields (Mapping): Its content, or a part of it.
        prefix (str): Nested keys of the part, for messages. Defaults to ''.

    Raises:
        DataError: If the content is no mapping.
    """

    def __init__(self, path: Path, fields: Any, prefix: str = '') -> None:
        self.path, self.prefix = path, prefix
        if not isinstance(fields, Mapping):
            raise DataError(
                f'{path}: {prefix or "the file"} should hold named fields, got '
                f'{type(fields).__name__}: another version of the data set?'
            )
        self._fields = fields

    def error(self, key: str, expected: str, got: str) -> DataError:
        """Return the error that describes a bad field."""
        return DataError(
            f'{self.path}: field `{self.prefix}{key}`: expected {expected}, got {got}; is this '
            'the version of the data set that docs/en/packs.md names?'
        )

    def value(self, key: str, *types: type) -> Any:
        """Return a field of one of the given types."""
        if key not in self._fields:
            raise self.error(key, 'a value', f'none (fields: {", ".join(map(str, self._fields))})')
        value = self._fields[key]
        if isinstance(value, np.ndarray) and value.ndim == 0:
            value = value.item()
        if types and not isinstance(value, types):
            names = ' or '.join(kind.__name__ for kind in types)
            raise self.error(key, names, type(value).__name__)
        return value

    def text(self, key: str) -> str:
        """Return a string; files of Python 2 store some as bytes."""
        value = self.value(key, str, bytes)
        return value.decode('latin1') if isinstance(value, bytes) else value

    def nested(self, key: str) -> 'RawFields':
        """Return the fields below ``key``."""
        return RawFields(self.path, self.value(key), f'{self.prefix}{key}.')

    def array(self, key: str, *shape: Optional[int], dtype: Any = np.float32) -> np.ndarray:
        """Return a field as an array.

        Args:
            key (str): The field.
            shape (int, optional): Its shape; None stands for any size.
            dtype: Its type. Defaults to float32.
        """
        return self._checked(key, self.value(key), shape, dtype)

    def item(self, key: str, index: int, *shape: Optional[int], dtype: Any = np.float32):
        """Return the entry of a person from a field that is a list."""
        value = self.value(key, list, tuple, np.ndarray)
        if index >= len(value):
            raise self.error(key, f'an entry for person {index}', f'{len(value)} entries')
        return self._checked(f'{key}[{index}]', value[index], shape, dtype)

    def _checked(
        self, key: str, value: Any, shape: tuple[Optional[int], ...], dtype: Any
    ) -> np.ndarray:
        try:
            array = np.asarray(value, dtype)
        except (TypeError, ValueError) as error:
            raise self.error(key, 'an array of numbers', type(value).__name__) from error
        if not fits_shape(array.shape, shape):
            raise self.error(key, f'shape {shape_text(shape)}', str(array.shape))
        return array
