"""Observations of a folder of videos, one file per person."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Optional

from ..core.conventions import FPS
from ..core.errors import StorageError
from ..datasets.packs.pack_writer import file_sha256, storage_errors
from ..datasets.sources import Failure, signature_of
from ..fileio.atomic_file import write_atomically
from .feature_job import FeatureJob
from .frame_source import find_clips, open_frames
from .observe import Progress

MANIFEST = 'manifest.json'
PARTIAL = '.partial'


@dataclass
class ExtractionReport:
    """What was done.

    Args:
        planned (int): Videos that there are, after ``limit``.
        skipped (int): Those that were done before.
        written (int): Those that were done now.
        failures (list[Failure]): Those that could not be.
    """

    planned: int
    skipped: int = 0
    written: int = 0
    failures: list[Failure] = field(default_factory=list)


def clip_ids(clips: list[Path], root: Path) -> list[str]:
    """Return the names of clips: their paths below the folder that was named, without suffix.

    Videos that differ in nothing but their suffix keep it.
    """
    inner = [clip.relative_to(root) if clip != root else Path(clip.name) for clip in clips]
    names = [
        (path if clip.is_dir() else path.with_suffix('')).as_posix()
        for clip, path in zip(clips, inner)
    ]
    counts = Counter(names)
    return [name if counts[name] == 1 else path.as_posix() for name, path in zip(names, inner)]


def extract_features(
    path: Path,
    out: Path,
    job: FeatureJob,
    fps: float = FPS,
    limit: Optional[int] = None,
    dry_run: bool = False,
    progress: Callable[[str], Progress] = lambda name: iter,
) -> ExtractionReport:
    """Observe the people of every video below a path.

    Each video is recorded in ``manifest.json`` when its files are complete; what is recorded,
    unchanged and made by the same settings is skipped next time. Videos that fail are recorded
    there, too, and tried again.

    Args:
        path (Path): A video, a folder of images, or a folder of these.
        out (Path): Folder of the results: ``{clip}.npz``, or ``{clip}_{person}.npz`` with
            ``people='all'``.
        job (FeatureJob): How.
        fps (float): Frames per second of folders of images. Defaults to 30.
        limit (int, optional): Only the first so many videos. Defaults to None.
        dry_run (bool): Only tell what would be done. Defaults to False.
        progress (Callable): Given the name of a video, returns what wraps its loops.

    Returns:
        ExtractionReport: What was done.

    Raises:
        MissingFilesError: If there is no video.
        StorageError: If the disk is full or write-protected; what is done stays.
    """
    clips = find_clips(path)
    manifest = Manifest(out)
    named = list(zip(clips, clip_ids(clips, path)))[:limit]
    report = ExtractionReport(len(named))
    for clip, name in named:
        signature = signature_of([clip], fps=fps, **job.describe())
        if manifest.is_done(name, signature):
            report.skipped += 1
            continue
        if dry_run:
            continue
        try:
            files = _extract(clip, name, out, job, fps, progress(name))
        except StorageError:
            raise
        except Exception as error:  # one bad video must not end the work on hundreds
            failure = Failure.of(name, clip, error)
            report.failures.append(failure)
            manifest.record(name, dict(signature='', failure=asdict(failure)))
            continue
        manifest.record(name, dict(signature=signature, files=files))
        report.written += 1
    return report


def _extract(
    clip: Path, name: str, out: Path, job: FeatureJob, fps: float, progress: Progress
) -> list[dict]:
    source = open_frames(clip, fps)
    source.name = Path(name).name
    people, _ = job.observe(source, name, progress=progress)
    files = []
    for person in people:
        # The name of the folders above belongs to the file, that of the person to its end.
        file = out / Path(name).parent / f'{person.name}.npz'
        partial = out / PARTIAL / f'{name.replace("/", "-")}-{person.name}.npz'
        with storage_errors(out):
            job.add_features(person, source, partial, progress)
            person.save(file)
        files.append(
            dict(
                file=file.relative_to(out).as_posix(),
                frames=len(person),
                sha256=file_sha256(file),
                facts=person.facts,
            )
        )
    return files


class Manifest:
    """What has been done in a folder: a JSON file, written anew after each video.

    Args:
        root (Path): The folder.
    """

    def __init__(self, root: Path) -> None:
        self.root, self.path = root, root / MANIFEST
        try:
            self.videos = json.loads(self.path.read_text(encoding='utf-8'))
        except (OSError, ValueError):
            self.videos = {}  # none, or cut off: what is there is made again

    def is_done(self, name: str, signature: str) -> bool:
        """Tell whether a video's files are there, and were made of this by these settings."""
        known = self.videos.get(name, {})
        files = [self.root / entry['file'] for entry in known.get('files', ())]
        return known.get('signature') == signature and all(file.is_file() for file in files)

    def record(self, name: str, entry: dict) -> None:
        """Note a video.

        Raises:
            StorageError: If the disk is full or write-protected.
        """
        self.videos[name] = entry
        with storage_errors(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            write_atomically(self.path, json.dumps(self.videos, indent=1) + '\n')


def load_people(folder: Path, name: str) -> list[Path]:
    """Return the files of a video's people below a folder that :func:`extract_features` filled."""
    known = Manifest(folder).videos.get(name, {})
    return [folder / entry['file'] for entry in known.get('files', ())]
