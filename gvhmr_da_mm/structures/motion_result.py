"""What was recovered from a video: its people, in the camera and in one world, and its camera."""

import os
import tempfile
import webbrowser
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np
from mmengine.registry import Registry

from ..core.conventions import FPS
from ..core.errors import ConfigError, DataError, list_some
from .person_motion import PersonMotion

PathLike = Union[str, Path]
RESULT_WRITERS = Registry(
    'result writer',
    scope='gvhmr_da_mm',
    locations=['gvhmr_da_mm.export', 'gvhmr_da_mm.visualization'],
)
"""Functions ``(path, result, **options) -> list[Path]`` by the ending of the file, without dot.

A format for one person writes a file for each, see :meth:`MotionResult.person_paths`.
"""


@dataclass
class CameraMotion:
    """Camera of a video, N frames.

    Attributes:
        K (np.ndarray): Intrinsics (3, 3), pixels.
        T_w2c (np.ndarray): World to camera (N, 4, 4), metres; the world has y up, the camera x
            right, y down, z forward.
        static (bool): Whether it stands still.
        source (str): Where the rotation is from, such as ``visual gyro``.
    """

    K: np.ndarray
    T_w2c: np.ndarray
    static: bool
    source: str = ''

    @property
    def centres(self) -> np.ndarray:
        """Positions in the world (N, 3), metres."""
        return -(self.T_w2c[:, None, :3, 3] @ self.T_w2c[:, :3, :3])[:, 0]


@dataclass(repr=False)
class MotionResult:
    """Motion of the people of a video.

    Note:
        N frames at ``fps`` from the start of the video, whatever its own rate is. Units: metres,
        radians, pixels. The world has y up, for all people the same; the camera has x right, y
        down, z forward.

    Attributes:
        people (dict[int, PersonMotion]): Motions by the id of the person.
        size (tuple[int, int]): Width and height of the upright video, pixels.
        num_frames (int): Frames of the video at ``fps``.
        camera (CameraMotion, optional): The camera. Defaults to None: unknown.
        video (Path, optional): The video, or the folder of images. Defaults to None.
        data_root (Path, optional): Folder of the body models of which the people are. Defaults to
            None: the data root of the environment.
        facts (dict): How it was made: plain numbers, strings, lists and dicts. Defaults to {}.
        fps (float): Frames per second. Defaults to 30.
    """

    people: dict[int, PersonMotion]
    size: tuple[int, int]
    num_frames: int
    camera: Optional[CameraMotion] = None
    video: Optional[Path] = None
    data_root: Optional[Path] = None
    facts: dict[str, Any] = field(default_factory=dict)
    fps: float = FPS

    def __len__(self) -> int:
        return self.num_frames

    def __repr__(self) -> str:
        people = f'people {", ".join(map(str, self.people))}' if self.people else 'nobody'
        return f'MotionResult({self.name!r}, {people}, {len(self)} frames, {self.fps:g} per second)'

    @property
    def name(self) -> str:
        """Name of the video, without folder and ending."""
        return 'motion' if self.video is None else Path(os.path.abspath(self.video)).stem

    def at(self, frame: int) -> dict[int, PersonMotion]:
        """Return the people that are there at a frame, each as a motion of one frame.

        Args:
            frame (int): Number of the frame, from 0.

        Raises:
            ConfigError: If the video has no such frame.
        """
        if frame not in range(len(self)):
            raise ConfigError(f'`frame` should be 0 to {len(self) - 1}, got {frame}')
        there = {}
        for person in self.people.values():
            row = frame - person.first_frame
            if 0 <= row < len(person):
                there[person.id] = person[row : row + 1]
        return there

    def only(self, *ids: int) -> 'MotionResult':
        """Return the result with some of the people.

        Args:
            ids (int): Their ids.

        Raises:
            ConfigError: If there is no such person.
        """
        unknown = [number for number in ids if number not in self.people]
        if unknown:
            raise ConfigError(f'`ids` should be of the people {sorted(self.people)}, got {unknown}')
        return replace(self, people={number: self.people[number] for number in ids})

    def person_paths(self, path: PathLike) -> list[tuple[Path, PersonMotion]]:
        """Return the file of each person, for formats of one person.

        Args:
            path (str | Path): The file if there is one person; of several each gets
                ``<name>_<id><ending>`` beside it.

        Raises:
            DataError: If there is nobody.
        """
        path = Path(path)
        if not self.people:
            raise DataError(f'there is no person in the result of {self.name} to write {path}')
        if len(self.people) == 1:
            return [(path, *self.people.values())]
        return [
            (path.with_name(f'{path.stem}_{number}{path.suffix}'), person)
            for number, person in self.people.items()
        ]

    def save(self, path: PathLike, **options: Any) -> list[Path]:
        """Write files in the format of the ending.

        Args:
            path (str | Path): The file; its folder is created. Formats of one person write a file
                for each if there are several, see :meth:`person_paths`.
            options (Any): Options of the writer, which is in :data:`RESULT_WRITERS`.

        Returns:
            list[Path]: The files.

        Raises:
            ConfigError: If there is no writer for the ending, or the file is the video itself.
            DataError: If the result lacks what the format needs.
        """
        path = Path(path)
        writer = RESULT_WRITERS.get(path.suffix[1:].lower()) if path.suffix else None
        if writer is None:
            known = list_some([f'.{ending}' for ending in sorted(RESULT_WRITERS.module_dict)])
            raise ConfigError(f'`path` should end in one of {known}, got {str(path)!r}')
        if self.video is not None and path.resolve() == Path(self.video).resolve():
            raise ConfigError(
                f'{path} is the video of this result, which would be replaced: choose another name'
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        return writer(path, self, **options)

    def render(self, path: PathLike, **options: Any) -> Path:
        """Write a video of the people on its frames and in the world.

        Args:
            path (str | Path): The file, ending in ``.mp4``.
            options (Any): As for :func:`~gvhmr_da_mm.visualization.write_result_video`.

        Raises:
            ConfigError: If the path ends otherwise.
        """
        if Path(path).suffix.lower() != '.mp4':
            raise ConfigError(f'`path` should end in .mp4, got {str(path)!r}')
        return self.save(path, **options)[0]

    def show(self, path: Optional[PathLike] = None, **options: Any) -> Path:
        """Open an interactive page in the browser.

        Args:
            path (str | Path, optional): The page, ending in ``.html``. Defaults to None: in the
                folder of temporary files.
            options (Any): As for :func:`~gvhmr_da_mm.visualization.write_result_page`.
        """
        if path is None:
            path = Path(tempfile.mkdtemp(prefix='gvhmr_da_mm-')) / f'{self.name}.html'
        (page,) = self.save(path, **options)
        webbrowser.open(page.resolve().as_uri())
        return page
