"""Camera of a video: intrinsics and rotation, estimated or known."""

import re
from pathlib import Path
from typing import Optional, Union

import numpy as np

from ..core.camera import estimate_intrinsics, intrinsics_from_sensor
from ..core.errors import ConfigError, DataError, MissingFilesError
from .camera_file import CameraPoses, read_camera_poses
from .camera_track import rotation_from_gyro, rotation_from_poses, static_rotation
from .detectors import file_of, files_of
from .frame_source import FrameSource
from .time_plan import TimePlan
from .visual_gyro import CameraRotation, VisualGyro

CAMERA_CHOICES = ('gyro', 'static')
"""Cameras that need no file."""
CAMERA_SUFFIXES = ('.npz', '.npy', '.txt', '.csv')
FIELD_OF_VIEW_RANGE = (3.0, 130.0)
"""Degrees along the longer side, from telephoto to the widest lens without fisheye distortion."""
_MILLIMETRES = re.compile(r'([\d.]+)\s*mm')


def parse_focal(focal: Union[str, float]) -> tuple[float, bool]:
    """Return a focal length, and whether it is in millimetres rather than pixels.

    Raises:
        ConfigError: If it is not a positive length.
    """
    millimetres = _MILLIMETRES.fullmatch(str(focal).strip())
    try:
        length = float(millimetres[1] if millimetres else focal)
    except (TypeError, ValueError):
        length = 0.0
    if not 0 < length < float('inf'):
        raise ConfigError(f'`focal` should be pixels such as 1200, or such as 24mm, got {focal!r}')
    return length, millimetres is not None


def intrinsics_of(focal: Union[None, str, float], width: int, height: int) -> np.ndarray:
    """Return K (3, 3) of a video.

    Args:
        focal (str | float, optional): Focal length in pixels, or as ``24mm`` of full-frame film;
            None takes the image's diagonal.
        width (int): Width of the frames, pixels.
        height (int): Height of the frames, pixels.

    Raises:
        ConfigError: If it is not a positive length, or its field of view is out of range.
    """
    if focal is None:
        return estimate_intrinsics(width, height).numpy()
    length, in_millimetres = parse_focal(focal)
    if in_millimetres:
        K = intrinsics_from_sensor(width, height, length).numpy()
    else:
        K = np.array([[length, 0, width / 2], [0, length, height / 2], [0, 0, 1]])
    problem = _impossible_view(K, width, height)
    if problem:
        hint = (
            '' if in_millimetres else f'; for {length:g} mm of full-frame film write {length:g}mm'
        )
        raise ConfigError(f'`focal` {focal!r} is {problem}{hint}')
    return K


def _impossible_view(K: np.ndarray, width: int, height: int) -> str:
    """Return what is wrong with the field of view of intrinsics, or nothing."""
    view = 2 * np.degrees(np.arctan(max(width, height) / 2 / K[0, 0]))
    if FIELD_OF_VIEW_RANGE[0] <= view <= FIELD_OF_VIEW_RANGE[1]:
        return ''
    return (
        f'a field of view of {view:.3g} degrees along the {width} x {height} pixels of the video, '
        f'expected {FIELD_OF_VIEW_RANGE[0]:g} to {FIELD_OF_VIEW_RANGE[1]:g}'
    )


def check_camera(camera: Union[str, Path], focal: Union[None, str, float]) -> None:
    """Check the arguments of :class:`VideoCamera` before any video is read.

    Raises:
        ConfigError: If the focal length is not a positive length.
        MissingFilesError: If a named file or folder does not exist.
    """
    if focal is not None:
        parse_focal(focal)
    known = isinstance(camera, (str, Path))
    if not known or (camera not in CAMERA_CHOICES and not Path(camera).exists()):
        raise MissingFilesError(
            f'`camera` should be gyro, static, or an existing file or folder of rotations, got '
            f'{camera!r}'
        )


def camera_files(camera: Union[str, Path], name: str) -> list[Path]:
    """Return the files of which one is that of the camera of a video; they need not exist."""
    return [] if camera in CAMERA_CHOICES else files_of(camera, name, CAMERA_SUFFIXES)


class VideoCamera:
    """What is known of the camera of a video.

    Args:
        camera (str): ``gyro``, ``static``, a file of :func:`.read_camera_poses`, or a folder of
            such files.
        focal (str, optional): See :func:`intrinsics_of`; not with intrinsics in the file.
        source (FrameSource): The video.
        name (str): Its name, for files in a folder.

    Attributes:
        K (np.ndarray): Intrinsics (3, 3), pixels.
        poses (CameraPoses, optional): Content of the file, if there is any.

    Raises:
        MissingFilesError: If there is no file of the video in the folder.
        DataError: If the file is damaged, or its intrinsics do not fit the video.
        ConfigError: If the focal length is impossible, or the file has intrinsics, too.
    """

    def __init__(self, camera: str, focal: Optional[str], source: FrameSource, name: str) -> None:
        self.camera, self.focal, self.source = camera, focal, source
        self.poses: Optional[CameraPoses] = None
        if camera not in CAMERA_CHOICES:
            file = file_of(camera, name, CAMERA_SUFFIXES)
            self.poses = read_camera_poses(file, name.rpartition('/')[2])
        self.K = self._intrinsics()

    def gyro(self) -> Optional[VisualGyro]:
        """Return what measures the rotation in the frames, if that is wanted."""
        return VisualGyro(self.K) if self.camera == 'gyro' else None

    def rotation(self, plan: TimePlan, gyro: Optional[VisualGyro]) -> CameraRotation:
        """Return the rotation at 30 frames per second.

        Args:
            plan (TimePlan): Resampling of the video.
            gyro (VisualGyro, optional): That of :meth:`gyro`, after all used frames.

        Raises:
            DataError: If the number of rotations in the file fits neither rate.
        """
        if gyro is not None:
            return rotation_from_gyro(gyro.finish(), plan)
        if self.poses is None:
            return static_rotation(plan)
        return rotation_from_poses(self.poses, plan, len(self.source))

    def _intrinsics(self) -> np.ndarray:
        """Return K (3, 3) of the camera file, or as :func:`intrinsics_of`."""
        poses, img_wh = self.poses, self.source.img_wh
        if poses is None or poses.K is None:
            return intrinsics_of(self.focal, *img_wh)
        if self.focal is not None:
            raise ConfigError(f'{poses.path} has intrinsics: leave `--focal {self.focal}` out')
        problem = _impossible_view(poses.K, *img_wh)
        x, y = poses.K[:2, 2]
        width, height = img_wh
        if not problem and not (0 < x < width and 0 < y < height):
            problem = (
                f'their centre at {x:.0f}, {y:.0f}, outside the {width} x {height} pixels of the '
                'video'
            )
        if problem:
            raise DataError(f'{poses.path}: the intrinsics have {problem}')
        return poses.K
