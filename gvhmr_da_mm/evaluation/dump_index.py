"""Index of a dump: the list of its sequences, by which missing files are noticed."""

import json
import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any, Union

from ..core.errors import ConfigError, DataError, MissingFilesError, list_some

PathLike = Union[str, Path]
INDEX_FILE = 'index.json'
FORMAT_VERSION = 1


@dataclass(frozen=True)
class DumpEntry:
    """One file of a dump.

    Attributes:
        file (str): Path below the folder of the dump.
        dataset (str): Name of the dataset.
        sequence (str): Name of the sequence.
        frames (int): Number of frames.
        start (int): Index of its first frame in the sequence. Defaults to 0.
    """

    file: str
    dataset: str
    sequence: str
    frames: int
    start: int = 0


def name_files(folder: PathLike, entries: Sequence[DumpEntry]) -> list[DumpEntry]:
    """Rename the files of a finished dump to ``<dataset>/<sequence>.npz``.

    Letters and digits of every language, ``-``, ``_`` and ``.`` are kept, folders of a sequence's
    name are folders, and anything else becomes ``_``. Where several files would have one name, the
    range of frames is added, and a number where that is not enough.

    Args:
        folder (str | Path): The dump.
        entries (Sequence[DumpEntry]): Its files under their present names.

    Returns:
        list[DumpEntry]: The same files under their new names, sorted.
    """
    folder = Path(folder)
    stems = [_safe_name(f'{entry.dataset}/{entry.sequence}') for entry in entries]
    counts = Counter(stem.casefold() for stem in stems)
    taken: set[str] = set()
    named = []
    for stem, entry in sorted(zip(stems, entries), key=lambda pair: astuple(pair[1])):
        if counts[stem.casefold()] > 1:
            stem += f'_{entry.start}-{entry.start + entry.frames}'
        numbered = (stem if number == 1 else f'{stem}_{number}' for number in count(1))
        stem = next(name for name in numbered if name.casefold() not in taken)
        taken.add(stem.casefold())
        named.append(replace(entry, file=f'{stem}.npz'))
        path = folder / named[-1].file
        path.parent.mkdir(parents=True, exist_ok=True)
        os.replace(folder / entry.file, path)
    return sorted(named, key=lambda entry: entry.file)


def _safe_name(name: str) -> str:
    parts = [re.sub(r'[^\w.-]', '_', part) for part in name.split('/')]
    # No part may lead out of the folder, be hidden, or look like an option.
    return '/'.join(re.sub(r'^[.-]+', '_', part) or '_' for part in parts)


def check_dump_dir(folder: PathLike) -> None:
    """Refuse a folder that already holds a dump, so that two are not mixed.

    Args:
        folder (str | Path): The folder; it need not exist.

    Raises:
        ConfigError: If it holds an index or npz files, or is a file.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f'`--dump` should be a folder, got the file {str(folder)!r}')
    if (folder / INDEX_FILE).exists() or any(folder.glob('**/*.npz')):
        raise ConfigError(
            f'`--dump {folder}` already holds predicted sequences; choose another folder or remove '
            'it first'
        )


def write_index(folder: PathLike, entries: Sequence[DumpEntry], **meta: Any) -> None:
    """Write the index of a dump.

    Args:
        folder (str | Path): The dump.
        entries (Sequence[DumpEntry]): Its files.
        meta: Facts about the run: ``config``, ``checkpoint``, ``transductive``.
    """
    content = dict(format=FORMAT_VERSION, meta=meta, sequences=[asdict(entry) for entry in entries])
    path = Path(folder) / INDEX_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + '\n', encoding='utf-8')


def read_index(folder: PathLike) -> tuple[list[DumpEntry], dict[str, Any]]:
    """Read the index and check it against the files of the folder.

    Args:
        folder (str | Path): The dump.

    Returns:
        tuple: The entries, and the facts about the run.

    Raises:
        MissingFilesError: If the folder, its index or a sequence is missing.
        DataError: If the index cannot be read or there are files that it does not name.
    """
    folder = Path(folder)
    path = folder / INDEX_FILE
    if not path.is_file():
        raise MissingFilesError(
            f'there is no {INDEX_FILE} in {str(folder)!r}: either the folder was not written by '
            '`tools/test.py --dump DIR`, or that run did not end; run it again'
        )
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
        entries = [DumpEntry(**entry) for entry in content['sequences']]
        meta, version = dict(content['meta']), content['format']
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f'{path} should be the index of a dump, got {type(error).__name__} {error}: dump again'
        ) from error
    if version != FORMAT_VERSION:
        raise DataError(f'{path} should have format {FORMAT_VERSION}, got {version!r}: dump again')
    missing = [entry.file for entry in entries if not (folder / entry.file).is_file()]
    if missing:
        raise MissingFilesError(
            f'{len(missing)} of {len(entries)} sequences of {path} are missing: '
            f'{list_some(missing)}; copy the whole folder, or dump again'
        )
    found = {str(file.relative_to(folder)) for file in folder.glob('**/*.npz')}
    unknown = sorted(found - {entry.file for entry in entries})
    if unknown:
        raise DataError(
            f'{path} does not name {len(unknown)} file(s) of its folder: {list_some(unknown)}; '
            'they are of another run: remove them'
        )
    return entries, meta
