"""Files of the published packs and body models below a data root."""

from ...compat.data_layout import BODY_FILES, ExpectedFiles
from .published_source import PUBLISHED_SOURCES, PublishedSource


def expected_files() -> tuple[ExpectedFiles, ...]:
    """Return the body models, and the files of every published layout that is not optional."""
    published = [source for source in PUBLISHED_SOURCES.values() if not source.is_optional]
    return (*BODY_FILES, *map(_expected_of, published))


def _expected_of(source: type[PublishedSource]) -> ExpectedFiles:
    files = source('').required_files(source.parts, ('labels', 'flip'))
    names = tuple(path.as_posix() for path in files)
    return ExpectedFiles(source.subfolder.split('/')[0], source.subfolder, names, source.how_to_get)
