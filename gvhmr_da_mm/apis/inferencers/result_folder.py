"""Files of the result of a video in a folder of its own."""

import json
import logging
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Optional, Union

from mmengine.logging import print_log

from ...core.errors import ConfigError
from ...datasets.packs.pack_writer import storage_errors
from ...export import describe_result
from ...fileio.atomic_file import write_atomically
from ...structures import MotionResult
from ...structures.motion_result import RESULT_WRITERS
from ...version import __version__
from ...video.frame_source import FrameSource
from ...video.resampled_video import ResampledVideo
from ...video.stage_clock import StageClock
from .kept_stages import KEPT, OVERLAY, KeptStages, move_file, read_record

PathLike = Union[str, Path]
SUMMARY, PAGE = 'summary.json', 'world.html'
MOTION = 'motion'
WRITTEN = 'written.json'


class ResultFolder:
    """Folder of a video: motion files, ``overlay.mp4``, ``world.html`` and ``summary.json``.

    Args:
        drawings (Path, optional): Folder of the drawings; None writes none.
        motions (Path, optional): Folder of the motion files and the summary; None writes none.
        kept (KeptStages, optional): Folders of the results of stages; None if none is written.
    """

    def __init__(
        self, drawings: Optional[Path], motions: Optional[Path], kept: Optional[KeptStages]
    ) -> None:
        self.drawings, self.motions, self.kept = drawings, motions, kept
        self._signature: Optional[str] = None
        """That of the result whose files are written."""

    @classmethod
    def of(
        cls, name: str, drawings: Optional[PathLike], motions: Optional[PathLike]
    ) -> 'ResultFolder':
        """Return the folder of a video below those of all videos.

        Args:
            name (str): Name of the video, which may have folders.
            drawings (str | Path, optional): Folder of the drawings of all videos.
            motions (str | Path, optional): Folder of the motions of all videos.
        """
        out = motions or drawings
        kept = None if out is None else KeptStages.below(Path(out), Path(out) / name / KEPT)
        folders = (None if root is None else Path(root) / name for root in (drawings, motions))
        return cls(*folders, kept)

    @property
    def page(self) -> Optional[Path]:
        """The interactive page, if drawings are written."""
        return None if self.drawings is None else self.drawings / PAGE

    @staticmethod
    def check(formats: Sequence[str]) -> None:
        """Check before a long run that there is a writer for all formats.

        Raises:
            ConfigError: If there is none for one of them.
        """
        RESULT_WRITERS.import_from_location()
        known = sorted(RESULT_WRITERS.module_dict)
        if isinstance(formats, str):
            raise ConfigError(f'`formats` should be a list of {", ".join(known)}, got {formats!r}')
        for ending in formats:
            if ending not in known:
                raise ConfigError(f'`formats` should be of {", ".join(known)}, got {ending!r}')

    @contextmanager
    def recording(self, clock: StageClock) -> Iterator[None]:
        """Record a failure of the ``with`` block in the summary, which is raised again.

        What an earlier run left is moved, see :meth:`summarise_failure`.

        Args:
            clock (StageClock): Has the times of the stages.

        Raises:
            StorageError: If the folder cannot be written.
        """
        try:
            with storage_errors(self.motions or self.drawings or Path()):
                kept = self.kept and self.kept.video
                for root in filter(None, (self.motions, self.drawings, kept)):
                    root.mkdir(parents=True, exist_ok=True)
                yield
        except Exception as error:
            self.summarise_failure(error, clock)
            raise

    def write_motions(
        self, result: MotionResult, formats: Sequence[str], clock: StageClock
    ) -> dict[str, list[Path]]:
        """Write the motion files; those of the same result that exist are kept.

        Args:
            result (MotionResult): The result.
            formats (Sequence[str]): Endings of the files.
            clock (StageClock): Measures the stage ``export``.

        Returns:
            dict[str, list[Path]]: The files by their ending.
        """
        if self.motions is None:
            return {}
        writers = {f'{MOTION}.{ending}': {} for ending in formats}
        files = self._write(result, self.motions, writers, 'export', clock)
        return {Path(name).suffix[1:]: paths for name, paths in files.items()}

    def write_drawings(
        self, result: MotionResult, source: FrameSource, clock: StageClock
    ) -> dict[str, list[Path]]:
        """Write the video and the page; those of the same result that exist are kept.

        Args:
            result (MotionResult): The result.
            source (FrameSource): Its frames.
            clock (StageClock): Measures the stage ``draw``.

        Returns:
            dict[str, list[Path]]: The files by their name.
        """
        if self.drawings is None:
            return {}
        video = dict(
            frames=ResampledVideo(source),
            progress=lambda items: clock.iterate('draw', items, len(items)),
        )
        return self._write(result, self.drawings, {OVERLAY: video, PAGE: {}}, 'draw', clock)

    def summarise(
        self, result: MotionResult, files: dict[str, list[Path]], clock: StageClock
    ) -> None:
        """Write ``summary.json``, and remove files of an earlier result that this run left.

        Args:
            result (MotionResult): The result.
            files (dict[str, list[Path]]): Its files, by ending or name.
            clock (StageClock): Has the times of the stages.
        """
        self._remove_stale()
        names = {name: [file.name for file in paths] for name, paths in files.items()}
        content = dict(describe_result(result), files=names, warnings=result.facts['notes'])
        self._summarise(content, clock)

    def summarise_failure(self, error: Exception, clock: StageClock) -> None:
        """Write a ``summary.json`` of a failure, if the folder can be written.

        The result of an earlier run, with its summary, is moved to :attr:`.KeptStages.earlier`:
        beside the failure it would pass for that of this run.

        Args:
            error (Exception): The failure.
            clock (StageClock): Has the times of the stages.
        """
        content = dict(failure=dict(type=type(error).__name__, message=str(error)))
        with suppress(OSError):
            self._set_aside()
            if self.kept is not None and self.kept.earlier.is_dir():
                content['earlier'] = str(self.kept.earlier)
            self._summarise(content, clock)

    def _write(
        self,
        result: MotionResult,
        root: Path,
        options: dict[str, dict[str, Any]],
        stage: str,
        clock: StageClock,
    ) -> dict[str, list[Path]]:
        """Write files by name with options of their writers, unless they are there already."""
        self._signature = result.facts['signature']
        self._restore()
        known, files = self._written(), {}
        for name, chosen in options.items():
            before = known.get(self._stored(root / name), {})
            files[name] = [self._file(stored) for stored in before.get('files', ())]
            same = before.get('signature') == self._signature
            if same and all(file.is_file() for file in files[name]):
                clock.reuse(stage)
                continue
            with clock.measure(stage):
                stale = files[name]
                files[name] = result.save(root / name, **chosen)
            # People of an earlier result whom this one does not have.
            for file in set(stale).difference(map(_absolute, files[name])):
                file.unlink(missing_ok=True)
            written = [self._stored(file) for file in files[name]]
            known[self._stored(root / name)] = dict(signature=self._signature, files=written)
            self._record(known)
        return files

    def _remove_stale(self) -> None:
        """Remove formats and drawings of an earlier result, which would pass for this one's."""
        if self.kept is None:
            return
        known = self._written()
        stale = [name for name in known if known[name]['signature'] != self._signature]
        for name in stale:
            for file in known.pop(name)['files']:
                self._file(file).unlink(missing_ok=True)
        if stale:
            self._record(known)
        shutil.rmtree(self.kept.earlier, ignore_errors=True)

    def _set_aside(self) -> None:
        """Move files that are not of this run, and the summary of them."""
        if self.kept is None:
            return
        root, earlier = self.motions or self.drawings, self.kept.earlier
        known, moved = self._written(), False
        for entry in known.values():
            files = [self._file(stored) for stored in entry['files']]
            there = [file for file in files if file.is_file() and file.parent != _absolute(earlier)]
            if entry['signature'] == self._signature or not there:
                continue
            moved = True
            for file in there:
                move_file(file, earlier)
            entry['files'] = [self._stored(earlier / file.name) for file in files]
        if not moved:
            return
        self._record(known)
        if 'failure' not in read_record(root / SUMMARY) and (root / SUMMARY).is_file():
            move_file(root / SUMMARY, earlier)
        print_log(
            f'{root}: what an earlier run left is now in {earlier}', 'current', logging.WARNING
        )

    def _restore(self) -> None:
        """Move the files of this result back, where a failure between had them set aside."""
        known, earlier = self._written(), _absolute(self.kept.earlier)
        for name, entry in known.items():
            files = [self._file(stored) for stored in entry['files']]
            aside = [file for file in files if file.parent == earlier and file.is_file()]
            if entry['signature'] != self._signature or not aside:
                continue
            place = self._file(name).parent
            for file in aside:
                move_file(file, place)
            entry['files'] = [self._stored(place / file.name) for file in files]
            self._record(known)

    # The record has paths relative to its own folder: results are moved, and the folder that
    # commands run in changes.

    def _written(self) -> dict[str, Any]:
        """Return the signature and the files of each format and drawing."""
        return read_record(self.kept.video / WRITTEN)

    def _record(self, known: dict[str, Any]) -> None:
        write_atomically(self.kept.video / WRITTEN, json.dumps(known, indent=1))

    def _stored(self, file: Path) -> str:
        """Return a path as the record has it."""
        try:
            return Path(os.path.relpath(file, self.kept.video)).as_posix()
        except ValueError:  # On another drive.
            return str(_absolute(file))

    def _file(self, stored: str) -> Path:
        """Return a path of the record."""
        return _absolute(self.kept.video / stored)

    def _summarise(self, content: dict[str, Any], clock: StageClock) -> None:
        root = self.motions or self.drawings
        if root is None:
            return
        root.mkdir(parents=True, exist_ok=True)
        stages = {name: round(seconds, 3) for name, seconds in clock.seconds.items()}
        content = dict(content, stages=stages, reused=clock.reused, version=__version__)
        write_atomically(root / SUMMARY, json.dumps(content, indent=1, default=str) + '\n')


def _absolute(file: Path) -> Path:
    return Path(os.path.abspath(file))
