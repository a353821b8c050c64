"""Index of JSON lines: of packs that are being written, and of packs of earlier versions.

The first line is of the pack, the others of one sequence each. A line is appended when a sequence
is complete, so that an interrupted conversion can continue; of two lines of one sequence the later
is used.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

from ...core.errors import DataError
from ...fileio.atomic_file import open_atomically
from .pack_entry import PackEntry
from .pack_header import PackHeader

JSON_INDEX_FILE = 'index.jsonl'


def encode_line(entry: PackEntry) -> str:
    """Return the line of a sequence."""
    return json.dumps(entry.as_dict(), separators=(',', ':'), ensure_ascii=False) + '\n'


def write_json_index(root: Path, header: PackHeader, entries: Iterable[PackEntry]) -> None:
    """Write the whole index atomically."""
    with open_atomically(root / JSON_INDEX_FILE) as file:
        file.write(json.dumps(asdict(header), separators=(',', ':')).encode() + b'\n')
        for entry in entries:
            file.write(encode_line(entry).encode())


def read_json_index(path: Path) -> tuple[PackHeader, Iterator[PackEntry]]:
    """Read an index.

    Args:
        path (Path): The file.

    Returns:
        tuple[PackHeader, Iterator[PackEntry]]: The header, and the entries of the other lines. A
        last line that was cut off is left out.

    Raises:
        DataError: If the index is invalid, or of another version; also while iterating.
    """
    lines = _lines(path)
    values = next(lines, None)
    if values is None:
        raise DataError(f'{path} has no complete line: convert again into an empty folder')
    return PackHeader.of(values[1], path), _entries(path, lines)


def is_torn(path: Path) -> bool:
    """Return whether the last line of an index was cut off."""
    with path.open('rb') as file:
        size = file.seek(0, 2)
        file.seek(max(size - 1, 0))
        return file.read(1) not in (b'', b'\n')


def _lines(path: Path) -> Iterator[tuple[int, object]]:
    # In bytes, as other separators than line feeds may be within a name.
    with path.open('rb') as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b'\n'):
                return
            try:
                yield number, json.loads(line)
            except (ValueError, RecursionError) as error:
                raise DataError(
                    f'{path}, line {number} is no JSON: restore or convert again'
                ) from error


def _entries(path: Path, lines: Iterator[tuple[int, object]]) -> Iterator[PackEntry]:
    for number, values in lines:
        if not isinstance(values, dict):
            raise DataError(f'{path}, line {number} should be a JSON object')
        yield PackEntry.of(values, f'{path}, line {number}')
