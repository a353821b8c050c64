"""Extraction of keypoints and image features from a folder of videos, one file per person."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Optional, Union

from ..core.conventions import FPS
from ..core.errors import StorageError
from ..datasets.packs.pack_writer import storage_errors
from ..datasets.sources import Failure, signature_of
from ..executors import check_executor, run_tasks
from ..fileio.atomic_file import write_atomically
from ..fileio.checksum import file_sha256
from ..registry.arguments import checks_flags
from .feature_job import FeatureJob
from .frame_source import clip_name, find_clips, open_frames
from .observe import Progress

MANIFEST = 'manifest.json'
PARTIAL_FOLDER = '.partial'


@dataclass
class ExtractionReport:
    """Counts and failures of an extraction.

    Args:
        planned (int): Videos found, after ``limit``.
        skipped (int): Videos extracted before.
        written (int): Videos extracted now.
        failures (list[Failure]): Videos that failed.
    """

    planned: int
    skipped: int = 0
    written: int = 0
    failures: list[Failure] = field(default_factory=list)


def clip_ids(clips: list[Path], root: Path) -> list[str]:
    """Return the names of clips: their paths relative to ``root``, without suffix, or its own name.

    Videos that differ only in their suffix keep it.
    """
    inner = [clip.relative_to(root) if clip != root else clip_name(clip) for clip in clips]
    names = [
        (path if clip.is_dir() else path.with_suffix('')).as_posix()
        for clip, path in zip(clips, inner)
    ]
    counts = Counter(names)
    return [name if counts[name] == 1 else path.as_posix() for name, path in zip(names, inner)]


@checks_flags
def extract_features(
    path: Path,
    out: Path,
    job: FeatureJob,
    fps: float = FPS,
    limit: Optional[int] = None,
    dry_run: bool = False,
    progress: Callable[[str], Progress] = lambda name: iter,
    jobs: int = 1,
    executor: str = 'processes',
    start: Callable[[int], None] = lambda total: None,
    advance: Callable[[str], None] = lambda name: None,
) -> ExtractionReport:
    """Observe the people of every video below a path.

    Each video is recorded in ``manifest.json`` when its files are complete. The next run skips
    recorded videos whose content and settings are unchanged, and retries those that failed.

    Args:
        path (Path): A video, a folder of images, or a folder of these.
        out (Path): Folder of the results: ``{clip}.npz``, or ``{clip}_{person}.npz`` with
            ``people='all'``.
        job (FeatureJob): Settings.
        fps (float): Frames per second of folders of images. Defaults to 30.
        limit (int, optional): Number of videos to extract. Defaults to None: all.
        dry_run (bool): Count the videos without extracting any. Defaults to False.
        progress (Callable): Maps a video's name to the wrapper of its loops, which is used where
            videos are read in this process. Defaults to no wrapper.
        jobs (int): Processes. Defaults to 1: this one.
        executor (str): As :func:`~gvhmr_da_mm.executors.check_executor` takes it. Defaults to
            ``processes``.
        start (Callable): Called with the number of videos to extract.
        advance (Callable): Called with the name of each of them afterwards.

    Returns:
        ExtractionReport: Counts and failures.

    Raises:
        MissingFilesError: If there is no video.
        StorageError: If the disk is full or write-protected; finished files stay.
        ConfigError: If an argument is invalid, a process was killed, or the cluster was lost.
    """
    check_executor(executor, jobs)
    clips = find_clips(path)
    manifest = Manifest(out)
    named = list(zip(clips, clip_ids(clips, path)))[:limit]
    options = dict(job.describe(), fps=fps)
    tasks = [
        _Task(clip, name, signature_of([clip, *job.files(name)], **options)) for clip, name in named
    ]
    todo = [task for task in tasks if not manifest.is_done(task.name, task.signature)]
    report = ExtractionReport(len(named), len(named) - len(todo))
    if dry_run:
        return report
    start(len(todo))
    in_this_process = executor == 'processes' and jobs == 1
    work = _Work(out, job, fps, progress if in_this_process else None)
    for task, outcome in run_tasks(_extract, work, todo, jobs, executor, _failure):
        if isinstance(outcome, Failure):
            report.failures.append(outcome)
            manifest.record(task.name, dict(signature='', failure=asdict(outcome)))
        else:
            manifest.record(task.name, dict(signature=task.signature, files=outcome))
            report.written += 1
        advance(task.name)
    return report


@dataclass(frozen=True)
class _Task:
    clip: Path
    name: str
    signature: str


@dataclass(frozen=True)
class _Work:
    """What is the same for all videos; ``progress`` is None in other processes."""

    out: Path
    job: FeatureJob
    fps: float
    progress: Optional[Callable[[str], Progress]]


def _extract(work: _Work, task: _Task) -> Union[list[dict], Failure]:
    try:
        return _extract_people(work, task)
    except StorageError:
        raise
    except Exception as error:  # one bad video must not stop the others
        return _failure(task, error)


def _failure(task: _Task, error: Exception) -> Failure:
    return Failure.of(task.name, task.clip, error)


def _extract_people(work: _Work, task: _Task) -> list[dict]:
    out, name = work.out, task.name
    progress = iter if work.progress is None else work.progress(name)
    source = open_frames(task.clip, work.fps)
    source.name = Path(name).name
    people, _ = work.job.observe(source, name, progress=progress)
    files = []
    for person in people:
        # `name` contributes the folders, `person.name` the name of the file.
        file = out / Path(name).parent / f'{person.name}.npz'
        partial = out / PARTIAL_FOLDER / f'{name.replace("/", "-")}-{person.name}.npz'
        with storage_errors(out):
            work.job.add_features(person, source, partial, progress)
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
    """Record of the extracted videos of a folder: a JSON file, rewritten after each video.

    Args:
        root (Path): The folder.
    """

    def __init__(self, root: Path) -> None:
        self.root, self.path = root, root / MANIFEST
        try:
            self.videos = json.loads(self.path.read_text(encoding='utf-8'))
        except (OSError, ValueError):
            self.videos = {}  # missing or truncated: everything is extracted again

    def is_done(self, name: str, signature: str) -> bool:
        """Return whether a video's files exist and carry this signature of content and settings."""
        known = self.videos.get(name, {})
        files = [self.root / entry['file'] for entry in known.get('files', ())]
        return known.get('signature') == signature and all(file.is_file() for file in files)

    def record(self, name: str, entry: dict) -> None:
        """Record a video.

        Raises:
            StorageError: If the disk is full or write-protected.
        """
        self.videos[name] = entry
        with storage_errors(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            write_atomically(self.path, json.dumps(self.videos, indent=1) + '\n')


def find_person_files(folder: Path, name: str) -> list[Path]:
    """Return the files of a video's people below a folder that :func:`extract_features` filled."""
    known = Manifest(folder).videos.get(name, {})
    return [folder / entry['file'] for entry in known.get('files', ())]
