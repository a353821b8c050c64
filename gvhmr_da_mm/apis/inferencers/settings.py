"""Settings of the recovery of motion from videos."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional, Union

from ...config.choices import FLOOR_CHOICES
from ...core.checks import check_choice
from ...core.conventions import FPS
from ...core.errors import ConfigError, DataError
from ...datasets.sources import signature_of
from ...version import __version__
from ...video.camera_file import read_camera_poses
from ...video.detectors import keypoint_files
from ...video.feature_job import FeatureJob
from ...video.frame_source import FrameSource
from ...video.video_camera import CAMERA_CHOICES, camera_files, check_camera


@dataclass
class RecoverySettings:
    """What is known about videos, and how their people are found.

    Args:
        job (FeatureJob): Detector, choice of people, and weights of image features.
        camera (str): ``gyro``, ``static``, or a file of rotations or poses of
            :func:`.read_camera_poses`, or a folder of such files. Defaults to ``gyro``.
        focal (str, optional): Focal length in pixels, or as ``24mm``. Defaults to None: the image's
            diagonal.
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
    focal: Optional[str] = None
    height: Union[None, float, Mapping[int, float]] = None
    floor: str = FLOOR_CHOICES[0]
    fit: bool = True
    fps: float = FPS

    def __post_init__(self) -> None:
        check_choice(self.floor, FLOOR_CHOICES, 'floor')
        check_camera(self.camera, self.focal)
        if not self.fps > 0:
            raise ConfigError(f'`fps` should be positive, got {self.fps}')

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
            [*source.files, *keypoint_files(job.keypoints, name)],
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
        weights = [Path(self.job.checkpoint)] if self.job.checkpoint else []
        return [
            *keypoint_files(self.job.keypoints, name),
            *camera_files(self.camera, name),
            *weights,
        ]


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
    if poses is not None and Path(poses).is_file():
        found = read_camera_poses(poses)
        if found.centres is None or not found.up:
            raise DataError(
                f'{poses} should have poses `T_w2c` (F, 4, 4) and `up`, the up axis of their world '
                'such as +z: write both into an .npz file, or give it as rotations'
            )
    return given[0] if given else CAMERA_CHOICES[0]
