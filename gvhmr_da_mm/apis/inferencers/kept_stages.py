"""Where the results of stages are kept, from which a later run goes on."""

from dataclasses import dataclass
from pathlib import Path

KEPT = '.stages'
OBSERVATIONS = 'observations'


@dataclass(frozen=True)
class KeptStages:
    """Folders of the results of stages.

    Args:
        video (Path): Those of one video.
        observations (Path): What was observed in videos, for all commands that look at them.
    """

    video: Path
    observations: Path

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
