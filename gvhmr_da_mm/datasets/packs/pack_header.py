"""Facts about a whole sequence pack."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...core.errors import DataError
from .pack_schema import FORMAT, VERSION


@dataclass
class PackHeader:
    """Facts about a whole sequence pack, in its index.

    Args:
        dataset (str): Name of the dataset, such as ``emdb``.
        domain (str): ``synthetic`` or ``real``. Defaults to ``real``.
        source (str): Description of its origin. Defaults to ''.
        complete (bool): Whether the conversion is finished. Defaults to False.
        format (str): Name of the format.
        version (int): Its version.
    """

    dataset: str
    domain: str = 'real'
    source: str = ''
    complete: bool = False
    format: str = FORMAT
    version: int = VERSION

    @classmethod
    def of(cls, values: Any, path: Path) -> 'PackHeader':
        """Create the header from the values in an index.

        Args:
            values (Any): Should be a dict of the arguments.
            path (Path): The index, for messages.

        Raises:
            DataError: If it is that of another format or version.
        """
        if not isinstance(values, Mapping) or values.get('format') != FORMAT:
            raise DataError(f'{path} is no index of a pack: its header should name {FORMAT!r}')
        if values.get('version') != VERSION:
            raise DataError(
                f'{path} has version {values.get("version")!r} of the format, expected {VERSION}: '
                'update this package, or convert again'
            )
        try:
            return cls(**values)
        except TypeError as error:
            raise DataError(f'{path}: its header is wrong ({error})') from error
