"""Files of results, by the video that each is of."""

from collections.abc import Sequence
from pathlib import Path
from typing import Optional

from ...core.errors import ConfigError, MissingFilesError, list_some
from ...export.readers.read_result import READERS
from .labelled_videos import LabelledVideos


def result_files(
    path: Path, labelled: LabelledVideos, sequences: Optional[Sequence[str]] = None
) -> dict[str, Optional[Path]]:
    """Return the result of each video that is to be scored.

    Args:
        path (Path): A result, or a folder of results that are named as videos or sequences.
        labelled (LabelledVideos): The labelled videos.
        sequences (Sequence[str], optional): Score only these. Defaults to None: the video that the
            name of a single result says, or all of the data set for a folder of results.

    Returns:
        dict[str, Path | None]: None for videos of a folder of results that has none for them.

    Raises:
        MissingFilesError: If there is no result.
        ConfigError: If it is not clear which video a result is of.
    """
    if not path.exists():
        raise MissingFilesError(f'there is no result {str(path)!r}')
    wanted = list(dict.fromkeys(labelled.video_of(name) for name in sequences or ()))
    named = _named(path, labelled) if path.is_dir() else {}
    if named:
        return {video: named.get(video) for video in wanted or labelled.videos}
    if len(wanted) > 1:
        raise ConfigError(
            f'{path} is one result: expected one video in `sequence`, got {list_some(wanted)}'
        )
    if wanted:
        return {wanted[0]: path}
    if len(labelled.videos) == 1:
        return dict.fromkeys(labelled.videos, path)
    for name in (path.stem, path.name, path.parent.name):
        try:
            return {labelled.video_of(name): path}
        except ConfigError:
            continue
    raise ConfigError(
        f'it is not clear which video of {labelled.path} the result {path} is of: name it by '
        f'`sequence`, one of {list_some(list(labelled.videos))}'
    )


def _named(folder: Path, labelled: LabelledVideos) -> dict[str, Path]:
    """Return the files and folders that are named as videos or their sequences."""
    found: dict[str, Path] = {}
    for entry in sorted(folder.iterdir()):
        if entry.is_dir() or entry.suffix.lower() in READERS:
            for name in (entry.name, entry.stem):
                try:
                    found.setdefault(labelled.video_of(name), entry)
                except ConfigError:
                    continue
    return found
