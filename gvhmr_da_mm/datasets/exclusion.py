"""List of sequences that a dataset leaves out."""

from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Union

from ..core.errors import ConfigError, DataError
from ..fileio.paths import require_files


def read_exclusion(exclude: Union[str, Path, Sequence[str]], folder: Path, owner: str) -> list[str]:
    """Return the names of an exclusion list.

    Args:
        exclude (str | Path | Sequence[str]): A UTF-8 text file with a name per line, where empty
            lines and lines that start with ``#`` do not count; or the names.
        folder (Path): Folder that a relative file is below.
        owner (str): Dataset, for messages.

    Raises:
        MissingFilesError: If the file does not exist.
        DataError: If the file is no text.
    """
    if not isinstance(exclude, (str, Path)):
        return list(exclude)
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
    return [name for name in names if name and not name.startswith('#')]


def check_known(names: Collection[str], known: Iterable[str], owner: str) -> None:
    """Check that the names of an exclusion list are those of sequences.

    Args:
        names (Collection[str]): The list.
        known (Iterable[str]): Names of the sequences.
        owner (str): Dataset, for messages.

    Raises:
        ConfigError: If a name is unknown.
    """
    known = sorted(set(known))
    unknown = sorted(set(names) - set(known))
    if not unknown:
        return
    similar = get_close_matches(unknown[0], known, n=1) or known[:1]
    example = f', which has {len(known)}, such as {similar[0]!r}' if similar else ''
    raise ConfigError(
        f'{owner}: `exclude` should name sequences of the dataset{example}, got {len(unknown)} '
        f'unknown: {", ".join(map(repr, unknown[:5]))}'
    )
