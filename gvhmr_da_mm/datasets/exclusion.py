"""Sequences that a dataset leaves out."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from fnmatch import fnmatch
from pathlib import Path
from typing import Optional, Union

import numpy as np

from ..core.errors import ConfigError, DataError, list_some
from ..fileio.paths import require_files


class Exclusion:
    """Names and patterns of the sequences that a dataset leaves out.

    Args:
        patterns (Sequence[str]): Names, or patterns as of :mod:`fnmatch`. A name with brackets
            fits itself, too.
        owner (str): Dataset, for messages.
    """

    def __init__(self, patterns: Sequence[str], owner: str) -> None:
        self.patterns, self.owner = tuple(patterns), owner
        self._unmatched = set(self.patterns)

    @classmethod
    def read(
        cls, exclude: Union[str, Path, Sequence[str]], folder: Path, owner: str
    ) -> 'Exclusion':
        """Read the value of ``exclude``.

        Args:
            exclude (str | Path | Sequence[str]): A UTF-8 text file with a name or pattern per line,
                where empty lines and lines that start with ``#`` do not count; or a list of them.
            folder (Path): Folder that a relative file is below.
            owner (str): Dataset, for messages.

        Raises:
            MissingFilesError: If the file does not exist.
            DataError: If the file is no text.
        """
        if not isinstance(exclude, (str, Path)):
            return cls(exclude, owner)
        path = folder / Path(exclude).expanduser()
        hint = 'the text file of `exclude`, with the name of a sequence per line; or write a list'
        require_files({path: hint}, owner=owner)
        try:
            lines = path.read_text('utf-8-sig').splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(
                f'{path} should be a text file with the name of a sequence per line, but cannot be '
                f'read ({error})'
            ) from error
        names = (line.strip() for line in lines)
        return cls([name for name in names if name and not name.startswith('#')], owner)

    def keeps(self, names: Sequence[str], known: Optional[Iterable[str]] = None) -> np.ndarray:
        """Return which sequences are not left out (N,) bool.

        Args:
            names (Sequence[str]): Names of the sequences.
            known (Iterable[str], optional): Names that each pattern has to fit one of. Defaults to
                None: those of the sequences.

        Raises:
            ConfigError: If a pattern fits no name, in this call and those before.
        """
        if not self.patterns:
            return np.ones(len(names), bool)
        known = sorted(set(names if known is None else known))
        excluded: set[str] = set()
        for pattern in self.patterns:
            fitting = {name for name in known if name == pattern or fnmatch(name, pattern)}
            if fitting:
                self._unmatched.discard(pattern)
            excluded |= fitting
        if self._unmatched:
            raise self._error(known)
        return np.array([name not in excluded for name in names], bool)

    def _error(self, known: Sequence[str]) -> ConfigError:
        unknown = [pattern for pattern in self.patterns if pattern in self._unmatched]
        similar = get_close_matches(unknown[0], known, n=1) or known[:1]
        example = f', which has {len(known)}, such as {similar[0]!r}' if similar else ''
        return ConfigError(
            f'{self.owner}: `exclude` should name sequences of the dataset{example}, got '
            f'{len(unknown)} unknown: {list_some([repr(name) for name in unknown], 5)}'
        )
