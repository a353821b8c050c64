"""Detector that reads keypoints from a file."""

import zipfile
from pathlib import Path
from typing import Optional, Union

import numpy as np

from ...core.errors import DataError, MissingFilesError
from ...core.layout import NUM_COCO
from .detections import MIN_CONFIDENCE, Detections, boxes_around
from .detector import Detector

MAX_CONFIDENCE = 1.01
"""Largest accepted confidence; networks exceed 1 slightly."""
MAX_FRACTION = 2.0
"""If no coordinate exceeds this, they are fractions of the image, not pixels."""
MIN_INSIDE_SHARE = 0.5
"""Least share of the confident keypoints inside the image; less means another video."""


class KeypointFile(Detector):
    """Read the people of a clip from an ``.npz`` file.

    Args:
        path (str | Path): A file with ``kp2d`` (F, 17, 3), or (P, F, 17, 3) for several people:
            pixels of the upright frames and confidence, one row per frame of the video. NaN or no
            confident keypoint means nobody.
        img_wh (tuple[int, int]): Width and height of the video's upright frames, pixels.

    Raises:
        MissingFilesError: If there is no such file.
        DataError: If it has other content, or its keypoint positions do not fit the video.
    """

    needs_images = False

    def __init__(self, path: Union[str, Path], img_wh: tuple[int, int]) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise MissingFilesError(f'the file of keypoints {str(path)!r} does not exist')
        try:
            with np.load(self.path, allow_pickle=False) as content:
                kp2d = np.array(content['kp2d'], dtype=np.float64)
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise DataError(
                f'{self.path} should be an .npz file with `kp2d`, but cannot be read ({error})'
            ) from error
        people = kp2d[None] if kp2d.ndim == 3 else kp2d
        if people.ndim != 4 or people.shape[2:] != (NUM_COCO, 3):
            raise DataError(
                f'{self.path}: `kp2d` should have shape (F, 17, 3) or (P, F, 17, 3), got '
                f'{kp2d.shape}'
            )
        finite = np.isfinite(people).all(axis=-1, keepdims=True)
        self._people = np.where(finite, people, 0.0)
        _check_values(self.path, self._people, img_wh)

    def __call__(self, image: Optional[np.ndarray], number: int) -> Detections:
        """Return the people of a frame; nobody beyond the last row."""
        if number >= self._people.shape[1]:
            return Detections.none()
        keypoints = self._people[:, number]
        boxes, found = boxes_around(keypoints)
        return Detections(boxes[found], keypoints[found])

    def check_length(self, num_frames: int) -> None:
        """Check that the file has a row for each frame of the video.

        Raises:
            DataError: If it has more or fewer.
        """
        if self._people.shape[1] != num_frames:
            raise DataError(
                f'{self.path} has keypoints of {self._people.shape[1]} frames, but {num_frames} '
                'frames of the video can be decoded: detect them again on this video'
            )


def _check_values(path: Path, people: np.ndarray, img_wh: tuple[int, int]) -> None:
    """Raise for confidences in percent, and coordinates in other units or of another video."""
    low, high = float(people[..., 2].min(initial=0)), float(people[..., 2].max(initial=0))
    if low < 0 or high > MAX_CONFIDENCE:
        raise DataError(
            f'{path}: confidences should be from 0 to 1, got {low:g} to {high:g}; if they are '
            'percent, divide them by 100'
        )
    sure = people[people[..., 2] > MIN_CONFIDENCE][:, :2]
    if not len(sure):
        return
    width, height = img_wh
    if np.abs(sure).max() <= MAX_FRACTION:
        raise DataError(
            f'{path}: keypoints should be in pixels of a picture of {width} x {height}, but none '
            f'is beyond {np.abs(sure).max():.3g}: multiply fractions by width and height'
        )
    inside = ((sure >= 0) & (sure <= img_wh)).all(axis=1).mean()
    if inside < MIN_INSIDE_SHARE:
        x, y = np.median(sure, axis=0)
        raise DataError(
            f'{path}: only {100 * inside:.0f} % of the confident keypoints are inside the picture '
            f'of {width} x {height} (median place {x:.0f}, {y:.0f}): they are of another video, '
            'size or rotation'
        )
