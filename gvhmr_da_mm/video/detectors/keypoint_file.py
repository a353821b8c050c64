"""Keypoints that have been detected before."""

import zipfile
from pathlib import Path
from typing import Optional, Union

import numpy as np

from ...core.errors import DataError, MissingFilesError
from ...core.layout import NUM_COCO
from .detections import Detections, boxes_around


class KeypointFile:
    """Read the people of a clip from an ``.npz`` file.

    Args:
        path (str | Path): A file with ``kp2d`` (F, 17, 3), or (P, F, 17, 3) for several people:
            pixels of the upright picture and confidence, one row for each frame of the video. NaN,
            or no confident keypoint, stands for nobody.
        num_frames (int): Frames of the video.

    Raises:
        MissingFilesError: If there is no such file.
        DataError: If it holds something else, or has another number of frames.
    """

    needs_images = False

    def __init__(self, path: Union[str, Path], num_frames: int) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise MissingFilesError(f'there is no file of keypoints {str(path)!r}')
        try:
            with np.load(self.path, allow_pickle=False) as content:
                kp2d = np.array(content['kp2d'], dtype=np.float64)
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise DataError(
                f'{self.path} should be an .npz file with `kp2d`, it is not ({error})'
            ) from error
        people = kp2d[None] if kp2d.ndim == 3 else kp2d
        if people.ndim != 4 or people.shape[2:] != (NUM_COCO, 3):
            raise DataError(
                f'{self.path}: `kp2d` should have shape (F, 17, 3) or (P, F, 17, 3), got '
                f'{kp2d.shape}'
            )
        if people.shape[1] != num_frames:
            raise DataError(
                f'{self.path} has keypoints of {people.shape[1]} frames, but {num_frames} frames '
                'of the video can be decoded: detect them again on this video'
            )
        finite = np.isfinite(people).all(axis=-1, keepdims=True)
        self._people = np.where(finite, people, 0.0)

    def __enter__(self) -> 'KeypointFile':
        return self

    def __exit__(self, *error: object) -> None:
        """There is nothing to close."""

    def __call__(self, image: Optional[np.ndarray], number: int) -> Detections:
        """Return the people of a frame."""
        keypoints = self._people[:, number]
        boxes, found = boxes_around(keypoints)
        return Detections(boxes[found], keypoints[found])
