"""Writer of sequence packs; each sequence is written atomically."""

import errno
import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional, Union

from ...core.errors import DataError, StorageError
from ...fileio.atomic_file import open_atomically, remove_partial_files, write_atomically
from ...fileio.checksum import file_sha256
from ...fileio.safetensors_file import encode_tensors
from .json_index import JSON_INDEX_FILE, encode_line, is_torn, write_json_index
from .pack_entry import SEQUENCES_FOLDER, PackEntry, sequence_file
from .pack_header import PackHeader
from .pack_index import INDEX_FILE, PackIndex, is_pack
from .pack_schema import FORMAT, LABELS, VERSION, normalize_arrays

CHECKSUM_FILE = 'SHA256SUMS'
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
_WRITE_PROTECTED = (errno.EACCES, errno.EPERM, errno.EROFS)


@contextmanager
def storage_errors(root: Path):
    """Turn a full or write-protected disk into a :class:`StorageError`."""
    try:
        yield
    except OSError as error:
        if error.errno in _DISK_FULL:
            raise StorageError(
                f'the disk of {root} is full. What is complete is kept: make room and run the same '
                'command again, it continues'
            ) from error
        if error.errno in _WRITE_PROTECTED or isinstance(
            error, (NotADirectoryError, FileExistsError)
        ):
            if _is_elsewhere(error.filename, Path(root)):
                raise StorageError(
                    f'{error.filename} cannot be read or written ({error.strerror}): change its '
                    'permissions or choose another'
                ) from error
            raise StorageError(
                f'cannot write to {root} ({error.strerror}): expected a folder that may be written '
                'to; change its permissions or choose another'
            ) from error
        raise


def _is_elsewhere(file: Any, root: Path) -> bool:
    """Return whether a file is known, and neither below a folder nor above it."""
    if not isinstance(file, (str, Path)):
        return False
    file, root = Path(file).absolute(), root.absolute()
    return not (file.is_relative_to(root) or root.is_relative_to(file))


def write_sequence(
    root: Union[str, Path], sequence_id: str, arrays: Mapping[str, Any], meta: Mapping[str, Any]
) -> PackEntry:
    """Write the file of one sequence; processes may write different sequences at once.

    Args:
        root (str | Path): Folder of the pack.
        sequence_id (str): Unique in the pack.
        arrays (Mapping): As :func:`~.pack_schema.normalize_arrays` takes them.
        meta (Mapping): Fields of :class:`PackEntry`, ``img_wh`` at least.

    Returns:
        PackEntry: For :meth:`PackWriter.record`.

    Raises:
        DataError: If the content violates the schema.
        StorageError: If the disk is full or may not be written to.
    """
    where = f'sequence {sequence_id!r}'
    if 'bbx_xys' not in arrays:
        raise DataError(f'{where}: expected the array bbx_xys, got none of that name')
    entry = PackEntry.of({**meta, 'id': sequence_id, 'frames': len(arrays['bbx_xys'])}, where)
    stored = normalize_arrays(arrays, entry.frames, where)
    if entry.world_up and 'T_w2c' not in stored:
        raise DataError(f'{where}: `world_up` describes the array T_w2c, got none of that name')
    entry.arrays = tuple(sorted(stored))
    entry.has_labels = any(name in stored for name in LABELS)
    entry.has_keypoints, entry.has_features = 'kp2d' in stored, 'features' in stored
    entry.file = sequence_file(sequence_id)
    texts = {'format': FORMAT, 'version': str(VERSION), 'entry': json.dumps(entry.as_dict())}
    content = encode_tensors(stored, texts)
    entry.bytes, entry.sha256 = len(content), hashlib.sha256(content).hexdigest()
    path = Path(root) / entry.file
    with storage_errors(Path(root)):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)
    return entry


class PackWriter:
    """Write a sequence pack, or continue an existing one.

    .. code-block:: python

        with PackWriter('packs/my_videos', 'my_videos', source='tools/...') as writer:
            for video in videos:
                if not writer.is_done(video.name, signature):
                    arrays = dict(bbx_xys=..., kp2d=..., K_fullimg=..., R_w2c=...)
                    meta = dict(img_wh=(w, h), video=str(video), signature=signature)
                    writer.add(video.name, arrays, meta)

    A sequence is written to its own file atomically, and then added to the index, which is of JSON
    lines while the pack is written. Leaving the ``with`` block without an error finishes the pack,
    with an index that needs not be read as a whole: readers refuse an interrupted one, and the same
    program run again continues it. One process records; others may call :func:`write_sequence`.

    Args:
        root (str | Path): Folder of the pack.
        dataset (str): Name of the dataset in samples.
        domain (str): ``synthetic`` or ``real``. Defaults to ``real``.
        source (str): Description of its origin. Defaults to ''.

    Raises:
        StorageError: If the folder cannot be written to.
        DataError: If it holds another dataset, or files that are no pack.
    """

    def __init__(
        self, root: Union[str, Path], dataset: str, domain: str = 'real', source: str = ''
    ) -> None:
        self.root = Path(root).expanduser()
        header = PackHeader(dataset, domain, source)
        with storage_errors(self.root):
            (self.root / SEQUENCES_FOLDER).mkdir(parents=True, exist_ok=True)
            if is_pack(self.root):
                self._continue(header)
            elif sorted(p.name for p in self.root.iterdir()) != [SEQUENCES_FOLDER]:
                raise DataError(
                    f'{self.root} is not empty and is no pack (it has no {INDEX_FILE}): choose '
                    'another folder'
                )
            else:
                self.header, self._entries = header, self._index(header)
                self._open()

    def _continue(self, header: PackHeader) -> None:
        with_torn_line = not (self.root / INDEX_FILE).exists() and is_torn(self._journal)
        with closing(PackIndex.open(self.root)) as found:
            known = found.header
            if (known.dataset, known.domain) != (header.dataset, header.domain):
                raise DataError(
                    f'{self.root} holds {known.dataset!r} ({known.domain}), not '
                    f'{header.dataset!r} ({header.domain}): choose another folder'
                )
            self.header = replace(known, source=header.source)
            self._entries = self._index(self.header, found.values())
        if with_torn_line:
            self._open()

    def __enter__(self) -> 'PackWriter':
        return self

    def __exit__(self, kind, error, traceback) -> None:
        if kind is None:
            self.finish()

    @property
    def entries(self) -> Mapping[str, PackEntry]:
        """Entries of the written sequences by id."""
        return self._entries

    def is_done(self, sequence_id: str, signature: str = '') -> bool:
        """Return whether a sequence is written: same signature, file and checksum."""
        entry = self._entries.get(sequence_id)
        if entry is None or entry.signature != signature:
            return False
        path = self.root / entry.file
        if not path.is_file() or path.stat().st_size != entry.bytes:
            return False
        return file_sha256(path) == entry.sha256

    def add(
        self, sequence_id: str, arrays: Mapping[str, Any], meta: Mapping[str, Any]
    ) -> PackEntry:
        """Write a sequence and add it to the index, replacing one of the same id.

        Args:
            sequence_id (str): Unique in the pack.
            arrays (Mapping): Tensors or arrays by the names of the schema: ``bbx_xys`` (F, 3) and
                ``K_fullimg`` (F, 3, 3) or (3, 3) in pixels; ``R_w2c`` (F, 3, 3) or ``T_w2c``
                (F, 4, 4); where there are any, ``kp2d`` (F, 17, 3), ``features`` (F, 1024),
                ``observed`` (F,) and the others of :data:`~.pack_schema.ARRAYS`.
            meta (Mapping): Fields of :class:`PackEntry`: ``img_wh`` at least.

        Returns:
            PackEntry: Its entry in the index.

        Raises:
            DataError: If the content violates the schema.
            StorageError: If the disk is full or may not be written to.
        """
        entry = write_sequence(self.root, sequence_id, arrays, meta)
        self.record(entry)
        return entry

    def record(self, entry: PackEntry) -> None:
        """Add a sequence to the index whose file :func:`write_sequence` has written."""
        with storage_errors(self.root):
            if self.header.complete:
                self.header.complete = False
                self._open()
            with self._journal.open('a', encoding='utf-8') as file:
                file.write(encode_line(entry))
        self._entries.put(entry)

    def finish(self, order: Optional[Iterable[str]] = None) -> None:
        """Mark the pack as complete, and write its index and checksums.

        Args:
            order (Iterable[str], optional): Ids in the order in which datasets should list them;
                others come after. Defaults to None: as they were added.
        """
        self.header.complete = True
        if order is not None:
            # Names of the order that failed are not in the index.
            ids = dict.fromkeys([*filter(self._entries.__contains__, order), *self._entries])
            self._entries = self._index(self.header, map(self._entries.__getitem__, ids))
        else:
            self._entries = self._index(self.header, self._entries.values())
        with storage_errors(self.root):
            with open_atomically(self.root / CHECKSUM_FILE) as file:
                for entry in self._entries.values():
                    file.write(f'{entry.sha256}  {entry.file}\n'.encode())
            self._entries.save(self.root)
            self._journal.unlink(missing_ok=True)
            remove_partial_files(self.root / SEQUENCES_FOLDER)

    @property
    def _journal(self) -> Path:
        return self.root / JSON_INDEX_FILE

    def _index(self, header: PackHeader, entries: Iterable[PackEntry] = ()) -> PackIndex:
        return PackIndex.temporary(header, entries, self.root / INDEX_FILE)

    def _open(self) -> None:
        """Write the index of an unfinished pack, which readers refuse."""
        write_json_index(self.root, self.header, self._entries.values())
        (self.root / INDEX_FILE).unlink(missing_ok=True)
