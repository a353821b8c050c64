"""Index of a sequence pack: a JSON line for the pack, then one for each sequence.

A line is appended when a sequence is complete, so that an interrupted conversion can continue; of
two lines of one sequence the later is used.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Optional, Union

from ...core.errors import DataError
from ...fileio.atomic_file import write_atomically
from .pack_entry import PackEntry
from .pack_schema import FORMAT, VERSION

INDEX_FILE = 'index.jsonl'


@dataclass
class PackHeader:
    """First line of the index.

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


def is_pack(root: Union[str, Path]) -> bool:
    """Return whether a folder is a sequence pack."""
    return (Path(root) / INDEX_FILE).is_file()


def encode_line(entry: PackEntry) -> str:
    """Return the line of a sequence."""
    return json.dumps(entry.as_dict(), separators=(',', ':'), ensure_ascii=False) + '\n'


def write_index(root: Path, header: PackHeader, entries: list[PackEntry]) -> None:
    """Write the whole index atomically."""
    first = json.dumps(asdict(header), separators=(',', ':')) + '\n'
    write_atomically(root / INDEX_FILE, first + ''.join(map(encode_line, entries)))


def read_index(root: Union[str, Path]) -> tuple[PackHeader, dict[str, PackEntry], bool]:
    """Read the index of a pack.

    Args:
        root (str | Path): The pack.

    Returns:
        tuple[PackHeader, dict[str, PackEntry], bool]: The header, the sequences by id in the order
        of the file, and whether its last line was cut off (and left out).

    Raises:
        DataError: If the index is invalid, or of another version.
    """
    path = Path(root) / INDEX_FILE
    entries: dict[str, PackEntry] = {}
    header: Optional[PackHeader] = None
    # Split at line feeds alone: other separators may be within a name.
    *lines, last = path.read_bytes().split(b'\n')
    for number, line in enumerate(lines, 1):
        try:
            values = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(
                f'{path}, line {number} is no JSON: restore or convert again'
            ) from error
        if header is None:
            header = _header(path, values)
        else:
            if not isinstance(values, dict):
                raise DataError(f'{path}, line {number} should be a JSON object')
            entry = PackEntry.of(values, f'{path}, line {number}')
            entries[entry.id] = entry
    if header is None:
        raise DataError(f'{path} has no complete line: convert again into an empty folder')
    return header, entries, bool(last)


def _header(path: Path, values: dict) -> PackHeader:
    if not isinstance(values, dict) or values.get('format') != FORMAT:
        raise DataError(f'{path} is no index of a pack: its first line should name {FORMAT!r}')
    if values.get('version') != VERSION:
        raise DataError(
            f'{path} has version {values.get("version")!r} of the format, expected {VERSION}: '
            'update this package, or convert again'
        )
    try:
        return PackHeader(**values)
    except TypeError as error:
        raise DataError(f'{path}, line 1: {error}') from error
