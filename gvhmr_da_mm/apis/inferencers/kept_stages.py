"""Where the results of stages are kept, from which a later run goes on."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KEPT = '.stages'
OBSERVATIONS = 'observations'
ADAPTED_VIDEOS = 'videos'
OVERLAY = 'overlay.mp4'
EARLIER = 'earlier'
"""Folder, among the stages, of the result of an earlier run where the present one failed."""


@dataclass(frozen=True)
class KeptStages:
    """Folders of the results of stages.

    Args:
        video (Path): Those of one video.
        observations (Path): What was observed in videos, for all commands that look at them.
    """

    video: Path
    observations: Path

    @property
    def earlier(self) -> Path:
        """Folder of the result of an earlier run, where the present one failed."""
        return self.video / EARLIER

    @classmethod
    def below(cls, out: Path, video: Path) -> 'KeptStages':
        """Return the folders for a folder of results.

        Args:
            out (Path): Folder of the results. If it lies in a folder that has observations, these
                are used and added to.
            video (Path): Folder of the results of one video.
        """
        place = out.resolve()
        folders = [folder / KEPT / OBSERVATIONS for folder in (place, *place.parents)]
        shared = next((folder for folder in folders if folder.is_dir()), folders[0])
        return cls(video, shared)


def stages_of_adaptation(out: Path, name: str) -> Path:
    """Return the folder of a video in that of an adaptation, which draws ``OUT/<name>.mp4``."""
    return out / KEPT / ADAPTED_VIDEOS / name


def is_drawing(clip: Path, root: Path) -> bool:
    """Return whether a video below a folder was drawn by an earlier run, so is no input.

    Args:
        clip (Path): The video.
        root (Path): The folder.
    """
    if clip.name == OVERLAY and (clip.parent / KEPT).is_dir():
        return True
    folders = [folder for folder in clip.parents if folder == root or root in folder.parents]
    names = ((folder, clip.relative_to(folder).with_suffix('')) for folder in folders)
    return any(stages_of_adaptation(folder, name.as_posix()).is_dir() for folder, name in names)


def move_file(file: Path, folder: Path) -> Path:
    """Move a file to a folder, which is created, in place of one of the same name there."""
    folder.mkdir(parents=True, exist_ok=True)
    moved = folder / file.name
    moved.unlink(missing_ok=True)
    shutil.move(file, moved)
    return moved


def read_record(file: Path) -> dict[str, Any]:
    """Return the dict in a JSON file of an earlier run; an empty one if it cannot be read."""
    try:
        found = json.loads(file.read_text(encoding='utf-8'))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
