"""Building of detectors by name or file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional, Union

from ...core.errors import ConfigError, MissingFilesError
from ...registry import TASK_UTILS, check_part
from .detector import Detector
from .keypoint_file import KeypointFile
from .mediapipe_pose import import_mediapipe
from .rtmlib_pose import import_rtmlib

DETECTORS = {'mediapipe': 'MediaPipePose', 'rtmlib': 'RTMLibPose', 'mmpose': 'MMPosePose'}
KEYPOINT_SUFFIXES = ('.npz',)
MAX_PEOPLE = 6
"""People whom MediaPipe looks for; each takes time of its own."""


def file_of(path: Union[str, Path], clip_id: str, suffixes: tuple[str, ...]) -> Path:
    """Return the path itself if it is not a folder, else the file of a clip in it.

    Raises:
        MissingFilesError: If the folder has no file of the clip.
    """
    path = Path(path)
    if not path.is_dir():
        return path
    found = files_of(path, clip_id, suffixes)
    for candidate in found:
        if candidate.is_file():
            return candidate
    raise MissingFilesError(f'{clip_id}: expected the file {" or ".join(map(str, found))}')


def files_of(path: Union[str, Path], clip_id: str, suffixes: tuple[str, ...]) -> list[Path]:
    """Return the files of which :func:`file_of` takes the first; they need not exist."""
    path = Path(path)
    return [path / f'{clip_id}{suffix}' for suffix in suffixes] if path.is_dir() else [path]


def keypoint_files(keypoints: str, clip_id: str) -> list[Path]:
    """Return the file of the keypoints of a clip, which need not exist; none for a detector."""
    return [] if keypoints in DETECTORS else files_of(keypoints, clip_id, KEYPOINT_SUFFIXES)


def check_detector(keypoints: str, options: Optional[Mapping[str, Any]] = None) -> None:
    """Check before any video is read that a detector can be used.

    Args:
        keypoints (str): As for :func:`build_detector`.
        options (dict, optional): Arguments of the detector. Defaults to None.

    Raises:
        ConfigError: If MediaPipe or rtmlib is requested but not installed, an option is unknown or
            of a wrong type, or there are options of a file.
        MissingFilesError: If a file or folder of keypoints does not exist.
    """
    if keypoints in DETECTORS:
        check_part(dict(options or {}, type=DETECTORS[keypoints]), TASK_UTILS)
    elif options:
        raise ConfigError(
            f'options of a detector are given, {dict(options)}, but the keypoints are of '
            f'{keypoints!r}, which has none: leave them out'
        )
    if keypoints == 'mediapipe':
        import_mediapipe()
    elif keypoints == 'rtmlib':
        import_rtmlib()
    elif keypoints not in DETECTORS and not Path(keypoints).exists():
        raise MissingFilesError(
            f'`keypoints` should be one of {", ".join(DETECTORS)}, or an existing file or folder '
            f'of files, got {keypoints!r}'
        )


def build_detector(
    keypoints: str,
    options: Optional[dict[str, Any]],
    clip_id: str,
    img_wh: tuple[int, int],
    everybody: bool = False,
) -> Detector:
    """Build a detector for a clip.

    Args:
        keypoints (str): ``mediapipe``, ``rtmlib``, ``mmpose``, an ``.npz`` file, or a folder of
            ``{clip}.npz``.
        options (dict, optional): Arguments of the detector; a file has none.
        clip_id (str): Name of the clip, for files in a folder.
        img_wh (tuple[int, int]): Width and height of its upright frames, pixels.
        everybody (bool): Whether MediaPipe, which is better for one person alone, looks for
            several, unless ``options`` tell. Defaults to False.

    Raises:
        ConfigError: If it cannot be built.
        MissingFilesError: If there is no file of keypoints.
        DataError: If the file does not fit the video.
    """
    if keypoints in DETECTORS:
        defaults = dict(max_people=MAX_PEOPLE) if everybody and keypoints == 'mediapipe' else {}
        return TASK_UTILS.build(dict(type=DETECTORS[keypoints], **{**defaults, **(options or {})}))
    return KeypointFile(file_of(keypoints, clip_id, KEYPOINT_SUFFIXES), img_wh)
