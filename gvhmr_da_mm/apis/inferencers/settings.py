"""Settings of the recovery of motion from videos."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from numbers import Integral
from pathlib import Path
from typing import Any, Optional, Union

from ...body_models.known_height import check_height
from ...config.choices import FLOOR_CHOICES
from ...core.checks import check_choice, check_positive
from ...core.conventions import FPS
from ...core.errors import ConfigError, DataError
from ...datasets.sources import signature_of
from ...version import __version__
from ...video.camera_file import CALIBRATION_SUFFIX, read_camera_poses
from ...video.feature_job import FeatureJob
from ...video.frame_source import FrameSource
from ...video.video_camera import CAMERA_CHOICES, CAMERA_SUFFIXES, camera_files, check_camera


@dataclass
class RecoverySettings:
    """What is known about videos, and how their people are found.

    Args:
        job (FeatureJob): Detector, choice of people, and weights of image features.
        camera (str): ``gyro``, ``static``, or a file of rotations or poses of
            :func:`.read_camera_poses`, or a folder of such files. Defaults to ``gyro``.
        focal (str | float, optional): Focal length in pixels, or as ``24mm``. Defaults to None: the
            image's diagonal.
        height (float | dict[int, float], optional): Height of the people in metres, or of some by
            their id. Defaults to None: as predicted.
        floor (str): ``flat`` puts all contacts of the feet at one height, ``steps`` all but those
            that differ by the height of a step (:func:`.floor_drift_lift`), unless the poses of the
            camera are known; with ``free`` the floor rises and falls as predicted. Defaults to
            ``steps``.
        fit (bool): Whether to fit the motion to the keypoints. Defaults to True.
        fps (float): Frames per second of folders of images and of arrays. Defaults to 30.

    Raises:
        ConfigError: If a value is impossible.
        MissingFilesError: If a camera file does not exist.
    """

    job: FeatureJob = field(default_factory=lambda: FeatureJob(people='all'))
    camera: str = 'gyro'
    focal: Union[None, str, float] = None
    height: Union[None, float, Mapping[int, float]] = None
    floor: str = FLOOR_CHOICES[0]
    fit: bool = True
    fps: float = FPS

    def __post_init__(self) -> None:
        check_choice(self.floor, FLOOR_CHOICES, 'floor')
        check_camera(self.camera, self.focal)
        check_positive(fps=self.fps)
        self._check_heights()

    def _check_heights(self) -> None:
        """Check the heights before any video is read."""
        if not isinstance(self.height, Mapping):
            heights = [] if self.height is None else [self.height]
        elif all(isinstance(person, Integral) for person in self.height):
            heights = list(self.height.values())
        else:
            raise ConfigError(
                '`height` should be metres, or metres by the id of the person, a whole number, got '
                f'{dict(self.height)}'
            )
        for height in heights:
            check_height(height)

    def unknown_people(self, people: Collection[int]) -> list[str]:
        """Return a message about heights of people whom a video does not have.

        Args:
            people (Collection[int]): Ids of the people of the video.
        """
        given = self.height if isinstance(self.height, Mapping) else {}
        unknown = sorted(set(given).difference(people))
        if not unknown:
            return []
        return [f'a height is given for people {unknown}, who are not in this video']

    def height_of(self, person: int) -> Optional[float]:
        """Return the height of a person in metres, if it is known."""
        if isinstance(self.height, Mapping):
            return self.height.get(person)
        return self.height

    def observation_signature(self, source: FrameSource, name: str) -> str:
        """Return a digest of all that the detections in a video depend on.

        Args:
            source (FrameSource): The video.
            name (str): Its name, for a folder of files of keypoints.
        """
        job, gyro = self.job, self.camera == 'gyro'
        return signature_of(
            [*source.files, *job.observation_files(name)],
            video=str(source.path.resolve()),
            keypoints=job.keypoints,
            detector=job.detector,
            everybody=job.people == 'all',
            gyro=gyro,
            focal=self.focal if gyro else None,  # The gyro needs the intrinsics.
            fps=self.fps,
            version=__version__,
        )

    def recovery(self) -> dict[str, Any]:
        """Return all settings that the motion depends on, for signatures."""
        names = ('camera', 'focal', 'height', 'floor', 'fit', 'fps')
        return dict({name: getattr(self, name) for name in names}, job=self.job.describe())

    def files(self, name: str) -> list[Path]:
        """Return the files that the motion in a video depends on, of folders that of the video.

        Args:
            name (str): Name of the video.
        """
        return [*self.job.files(name), *camera_files(self.camera, name)]


def camera_of(rotations: Optional[str], poses: Optional[str], static: bool = False) -> str:
    """Return the ``camera`` of :class:`RecoverySettings` for what the user knows.

    Args:
        rotations (str, optional): File of world-to-camera rotations.
        poses (str, optional): File of world-to-camera poses ``T_w2c`` with ``up``.
        static (bool): Whether the camera stands still. Defaults to False.

    Raises:
        ConfigError: If more than one is given.
        DataError: If the file of poses has no positions, or does not state what is up.
    """
    given = [name for name in (rotations, poses, 'static' if static else None) if name]
    if len(given) > 1:
        raise ConfigError(
            'one of the rotations of the camera, its poses, and that it is static should be given, '
            f'got {given}'
        )
    if poses is not None:
        _check_poses(Path(poses))
    return given[0] if given else CAMERA_CHOICES[0]


def _check_poses(poses: Path) -> None:
    """Check that a file, or each of a folder, has positions and states what is up."""
    inner = poses.rglob('*') if poses.is_dir() else [poses]
    for file in sorted(file for file in inner if file.is_file()):
        if file.suffix not in CAMERA_SUFFIXES or file.name.endswith(CALIBRATION_SUFFIX):
            continue  # A calibration has both.
        found = read_camera_poses(file)
        if found.centres is None or not found.up:
            raise DataError(
                f'{file} should have poses `T_w2c` (F, 4, 4) and `up`, the up axis of their world '
                'such as +z: write both into an .npz file, or give it as rotations'
            )
