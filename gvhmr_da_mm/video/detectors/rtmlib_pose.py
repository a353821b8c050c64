"""Keypoints of several people by RTMO or RTMPose in ONNX files, through rtmlib."""

from contextlib import redirect_stdout
from io import StringIO
from types import ModuleType
from typing import Any, Optional

import numpy as np

from ...core.errors import ConfigError, DataError
from ...core.layout import NUM_COCO
from ...registry import TASK_UTILS
from .detections import Detections, boxes_around
from .detector import Detector

RTMO_WEIGHTS = (
    'https://download.openmmlab.com/mmpose/v1/projects/rtmo/onnx_sdk/'
    'rtmo-m_16xb16-600e_body7-640x640-39e78cc4_20231211.zip'
)
"""RTMO-m, rtmlib's own choice of one network for all people."""


def import_rtmlib() -> ModuleType:
    """Import rtmlib and ONNX Runtime.

    Raises:
        ConfigError: If one of them is not installed.
    """
    try:
        import onnxruntime  # noqa: F401
        import rtmlib
    except ImportError as error:
        raise ConfigError(
            f'keypoints=rtmlib needs rtmlib and ONNX Runtime, which cannot be imported ({error}). '
            'Install them with `pip install --no-deps -r requirements/rtmlib.txt` '
            '(docs/en/install.md), or use MediaPipe, MMPose or a file of keypoints'
        ) from error
    return rtmlib


@TASK_UTILS.register_module()
class RTMLibPose(Detector):
    """Detect people and their COCO-17 keypoints by networks in ONNX files.

    Args:
        pose (str): File or web address of RTMO, or with ``det`` of RTMPose; what is downloaded is
            kept in rtmlib's cache. Defaults to RTMO-m of its authors.
        det (str, optional): File or web address of a YOLOX that detects the people for RTMPose.
            Defaults to None: ``pose`` is RTMO, which needs none.
        device (str): ``cpu``, ``cuda``, ``cuda:1`` or as rtmlib takes it. Defaults to ``cpu``.
        min_score (float): Least score of a detected person. Defaults to 0.5.

    Raises:
        ConfigError: If rtmlib is not installed, or weights cannot be loaded or downloaded.

    Source: Jiang et al., RTMPose, 2023; Lu et al., RTMO, 2024.
    """

    def __init__(
        self,
        pose: str = RTMO_WEIGHTS,
        det: Optional[str] = None,
        device: str = 'cpu',
        min_score: float = 0.5,
    ) -> None:
        rtmlib = import_rtmlib()
        self._pose_file = pose
        if det is None:
            self._det = None
            self._pose = _load(rtmlib.RTMO, 'pose', pose, device, score_thr=min_score)
        else:
            self._det = _load(rtmlib.YOLOX, 'det', det, device, score_thr=min_score)
            self._pose = _load(rtmlib.RTMPose, 'pose', pose, device, width_first=True)

    def __call__(self, image: Optional[np.ndarray], number: int) -> Detections:
        """Return the people of an RGB image (H, W, 3), uint8; nobody for None."""
        if image is None:
            return Detections.none()
        # rtmlib expects BGR arrays, as OpenCV reads them.
        bgr = np.ascontiguousarray(image[..., ::-1])
        if self._det is None:
            # Nobody is one person without confidence, to whom no box fits.
            keypoints = self._keypoints(*self._pose(bgr))
            boxes, found = boxes_around(keypoints)
            return Detections(boxes[found], keypoints[found])
        boxes = np.asarray(self._det(bgr), dtype=np.float64).reshape(-1, 4)
        # Without boxes rtmlib would take the whole image for a person.
        if not len(boxes):
            return Detections.none()
        return Detections(boxes, self._keypoints(*self._pose(bgr, boxes)))

    def _keypoints(self, points: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """Return keypoints (P, 17, 3) of rtmlib's points (P, 17, 2) and scores (P, 17)."""
        if points.shape[1:] != (NUM_COCO, 2):
            raise DataError(
                f'{self._pose_file}: the network should have the 17 keypoints of COCO in the '
                f'image, got an array of shape {points.shape}'
            )
        return np.concatenate((points, np.clip(scores, 0, 1)[..., None]), axis=-1).astype(float)


def _load(
    kind: Any, option: str, file: str, device: str, width_first: bool = False, **options: Any
) -> Any:
    """Build one of rtmlib's networks for the size of input that its file states."""
    try:
        with redirect_stdout(StringIO()):  # rtmlib prints the path
            network = kind(file, backend='onnxruntime', device=device, **options)
    # ONNX Runtime and rtmlib raise errors of many types.
    except Exception as error:
        raise ConfigError(
            f'`{option}` of keypoints=rtmlib should be an ONNX file, or the web address of one or '
            f'of a .zip with one, got {file!r} ({type(error).__name__}: {error}). Without access '
            f'to the web give `--options detector.{option}=FILE.onnx`'
        ) from error
    height, width = network.session.get_inputs()[0].shape[2:]
    if isinstance(height, int) and isinstance(width, int):
        network.model_input_size = (width, height) if width_first else (height, width)
    return network
