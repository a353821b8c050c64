"""Files of the published packs and body models below a data root."""

from ...compat.data_layout import BODY_FILES, ExpectedFiles
from .published_source import PUBLISHED_SOURCES, PublishedSource


def expected_files() -> tuple[ExpectedFiles, ...]:
    """Return the body models, and the files of every published layout."""
    return (*BODY_FILES, *map(_expected_of, PUBLISHED_SOURCES.values()))


def _expected_of(source: type[PublishedSource]) -> ExpectedFiles:
    files = source('').required_files(source.parts, ('labels', 'flip'))
    names = tuple(path.as_posix() for path in files)
    name = source.subfolder.split('/')[0]
    return ExpectedFiles(name, source.subfolder, names, source.how_to_get, source.is_optional)
