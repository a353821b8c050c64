"""Index of a sequence pack: a SQLite database, of which only what is asked for is read."""

import json
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, ValuesView
from contextlib import closing, contextmanager
from dataclasses import asdict
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np

from ...core.errors import DataError, StorageError
from ...fileio.atomic_file import partial_file
from .json_index import JSON_INDEX_FILE, read_json_index
from .pack_entry import PackEntry
from .pack_header import PackHeader

INDEX_FILE = 'index.sqlite'
_SCHEMA = (
    'CREATE TABLE header (field TEXT PRIMARY KEY, value TEXT)',
    'CREATE TABLE kinds (kind INTEGER PRIMARY KEY, splits TEXT, arrays TEXT)',
    'CREATE TABLE sequences (number INTEGER PRIMARY KEY, id TEXT UNIQUE, sequence TEXT, '
    '"group" TEXT, kind INTEGER, start INTEGER, frames INTEGER)',
    'CREATE TABLE facts (number INTEGER PRIMARY KEY, facts TEXT)',
)
"""A kind is what many sequences share. Other facts are apart, so that lists are read quickly."""
_COLUMNS = ('id', 'sequence', 'group', 'splits', 'arrays', 'start', 'frames')
"""Fields of an entry that are not among its other facts."""
_ENTRIES = (
    'SELECT id, sequence, "group", kind, start, frames, facts '
    'FROM sequences JOIN facts USING (number)'
)
TABLE = np.dtype([('kind', np.int64), ('start', np.int64), ('frames', np.int64)])
_CACHED_ENTRIES = 1024


class PackIndex(Mapping):
    """Entries of a pack by id, in the order in which datasets list them.

    A process must not use the index of another: :func:`~..pack_io.load_pack` opens one for each.

    Args:
        connection (sqlite3.Connection): The database.
        path (Path): Its file, for messages.

    Attributes:
        header (PackHeader): Facts about the whole pack.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection, self.path = connection, path
        self._cache: OrderedDict[str, PackEntry] = OrderedDict()
        self._size: Optional[int] = None
        with self._errors():
            values = dict(connection.execute('SELECT field, value FROM header'))
            decoded = {field: json.loads(value) for field, value in values.items()}
        self.header = PackHeader.of(decoded, path)

    @classmethod
    def open(cls, root: Union[str, Path]) -> 'PackIndex':
        """Open the index of a pack; that of JSON lines is read into a temporary database.

        Args:
            root (str | Path): The pack.

        Raises:
            DataError: If there is none, or it is invalid or of another version.
        """
        root = Path(root)
        path = root / INDEX_FILE
        if not path.is_file():
            path = root / JSON_INDEX_FILE
            if not path.is_file():
                raise DataError(f'{root} is no pack: it has no index; see docs/en/packs.md')
            return cls.temporary(*read_json_index(path), path)
        # Nobody changes a finished index in place, so it needs no locks, which not every network
        # file system has.
        uri = f'{path.absolute().as_uri()}?mode=ro&immutable=1'
        try:
            connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
            # A file of others must not run what it defines.
            connection.execute('PRAGMA trusted_schema = OFF')
            found = connection.execute('SELECT sql FROM sqlite_master WHERE sql IS NOT NULL')
            sound = sorted(str(sql) for (sql,) in found) == sorted(_SCHEMA)
        except sqlite3.Error as error:
            raise _damaged(path, error) from error
        if not sound:
            raise _damaged(path, 'it has other tables')
        return cls(connection, path)

    @classmethod
    def temporary(cls, header: PackHeader, entries: Iterable[PackEntry], path: Path) -> 'PackIndex':
        """Make an index in memory, beyond some megabytes in a temporary file.

        Args:
            header (PackHeader): Facts about the whole pack.
            entries (Iterable[PackEntry]): In order; of two with one id the later counts.
            path (Path): The file that they are from, for messages.
        """
        connection = sqlite3.connect('', isolation_level=None, check_same_thread=False)
        connection.execute('PRAGMA synchronous = OFF')
        connection.execute('PRAGMA journal_mode = OFF')
        for statement in _SCHEMA:
            connection.execute(statement)
        values = ((field, json.dumps(value)) for field, value in asdict(header).items())
        connection.executemany('INSERT INTO header VALUES (?, ?)', values)
        index = cls(connection, path)
        connection.execute('BEGIN')
        for entry in entries:
            index.put(entry)
        connection.execute('COMMIT')
        return index

    # -- entries ----------------------------------------------------------------------------------

    def __getitem__(self, sequence_id: str) -> PackEntry:
        if sequence_id not in self._cache:
            rows = self._read(f'{_ENTRIES} WHERE id = ?', (sequence_id,))
            self._remember(next(map(self._entry, rows), None), sequence_id)
        return self._cache[sequence_id]

    def at(self, number: int) -> PackEntry:
        """Return the entry at a place of the order."""
        entry = next(map(self._entry, self._read(f'{_ENTRIES} WHERE number = ?', (number,))), None)
        self._remember(entry, number)
        return entry

    def _remember(self, entry: Optional[PackEntry], key: Union[str, int]) -> None:
        if entry is None:
            raise KeyError(key)
        self._cache[entry.id] = entry
        if len(self._cache) > _CACHED_ENTRIES:
            self._cache.popitem(last=False)

    def __iter__(self) -> Iterator[str]:
        return (name for (name,) in self._read('SELECT id FROM sequences ORDER BY number'))

    def __len__(self) -> int:
        if self._size is None:
            self._size = next(self._read('SELECT COUNT(*) FROM sequences'))[0]
        return self._size

    def values(self) -> ValuesView:
        """Return the entries, in order."""
        return _Entries(self)

    def __contains__(self, sequence_id: object) -> bool:
        found = self._read('SELECT COUNT(*) FROM sequences WHERE id = ?', (sequence_id,))
        return sequence_id in self._cache or next(found)[0] > 0

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def __reduce__(self) -> tuple:
        return PackIndex.open, (self.path.parent,)

    def read_entries(self) -> Iterator[PackEntry]:
        """Read all entries in one pass, in order."""
        return map(self._entry, self._read(f'{_ENTRIES} ORDER BY number'))

    # -- columns ----------------------------------------------------------------------------------

    @cached_property
    def table(self) -> np.ndarray:
        """Kind, first frame and number of frames of each sequence, of type :data:`TABLE` (N,)."""
        count = len(self) * len(TABLE.names)
        with self._errors():
            columns = ', '.join(TABLE.names)
            rows = self._connection.execute(f'SELECT {columns} FROM sequences ORDER BY number')
            # Flat, as a million tuples take several times as long.
            return np.fromiter(chain.from_iterable(rows), np.int64, count).view(TABLE)

    def kinds(self, fits: Callable[[tuple, tuple], bool]) -> list[int]:
        """Return the kinds of sequences whose splits and arrays fit.

        Args:
            fits (Callable): Called with splits and arrays, both tuples of names.
        """
        return [kind for kind, names in self._kinds.items() if fits(*names)]

    def column(self, field: str) -> Iterator[str]:
        """Return the ``id``, ``sequence`` or ``group`` of each sequence, in order."""
        rows = self._read(f'SELECT coalesce("{field}", id) FROM sequences ORDER BY number')
        return (value for (value,) in rows)

    @cached_property
    def _kinds(self) -> dict[int, tuple[tuple[str, ...], tuple[str, ...]]]:
        rows = self._read('SELECT kind, splits, arrays FROM kinds')
        with self._errors():
            return {
                kind: (tuple(json.loads(splits)), tuple(json.loads(arrays)))
                for kind, splits, arrays in rows
            }

    # -- writing ----------------------------------------------------------------------------------

    def put(self, entry: PackEntry) -> None:
        """Add an entry at the end, or replace that of the same id."""
        names = (tuple(entry.splits), tuple(entry.arrays))
        kind = next(iter(self.kinds(lambda *other: other == names)), None)
        if kind is None:
            kind = len(self._kinds)
            self._kinds[kind] = names
            self._connection.execute(
                'INSERT INTO kinds VALUES (?, ?, ?)', (kind, *map(json.dumps, names))
            )
        known = next(self._read('SELECT number FROM sequences WHERE id = ?', (entry.id,)), None)
        number = len(self) if known is None else known[0]
        self._size = len(self) + (known is None)
        values = entry.as_dict()
        facts = {name: value for name, value in values.items() if name not in _COLUMNS}
        names = (entry.id, values.get('sequence'), values.get('group'))
        self._connection.execute(
            'INSERT OR REPLACE INTO sequences VALUES (?, ?, ?, ?, ?, ?, ?)',
            (number, *names, kind, entry.start, entry.frames),
        )
        text = json.dumps(facts, separators=(',', ':'), ensure_ascii=False)
        self._connection.execute('INSERT OR REPLACE INTO facts VALUES (?, ?)', (number, text))
        self._cache.pop(entry.id, None)
        self.__dict__.pop('table', None)

    def save(self, root: Path) -> None:
        """Write the index of a pack atomically.

        Raises:
            StorageError: If there is no room for it.
        """
        with partial_file(root / INDEX_FILE) as partial:
            uri = f'{partial.absolute().as_uri()}?mode=rwc&nolock=1'
            try:
                with closing(sqlite3.connect(uri, uri=True)) as connection:
                    self._connection.backup(connection)
            except sqlite3.Error as error:
                raise StorageError(
                    f'the index of {root} cannot be written ({error}). The sequences are kept: '
                    'make room and run the same command again, it continues'
                ) from error

    # ---------------------------------------------------------------------------------------------

    def _read(self, statement: str, values: Sequence[Any] = ()) -> Iterator[tuple]:
        with self._errors():
            # `yield from` closes the cursor of an iteration that is left unfinished: an error where
            # the database is closed by then.
            for row in self._connection.execute(statement, values):  # noqa: UP028
                yield row

    def _entry(self, row: tuple) -> PackEntry:
        name, sequence, group, kind, start, frames, facts = row
        where = f'{self.path}: sequence {name!r}'
        with self._errors():
            splits, arrays = self._kinds[kind]
            known = dict(
                json.loads(facts), id=name, splits=splits, arrays=arrays, start=start, frames=frames
            )
        return PackEntry.of(dict(known, sequence=sequence or '', group=group or ''), where)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except DataError:
            raise
        except (sqlite3.Error, KeyError, TypeError, ValueError, RecursionError) as error:
            raise _damaged(self.path, error) from error


class _Entries(ValuesView):
    """The entries of an index, which reads them faster than one by one."""

    def __iter__(self) -> Iterator[PackEntry]:
        return self._mapping.read_entries()


def is_pack(root: Union[str, Path]) -> bool:
    """Return whether a folder is a sequence pack."""
    return any((Path(root) / name).is_file() for name in (INDEX_FILE, JSON_INDEX_FILE))


def _damaged(path: Path, reason: Any) -> DataError:
    return DataError(f'{path} is damaged or no index ({reason}): copy it again or convert again')
