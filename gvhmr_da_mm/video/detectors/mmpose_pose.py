"""Keypoints by MMPose, with any detector of MMDetection and any 2D pose model of COCO-17."""

from typing import Any, Optional

import numpy as np

from ...compat import import_mmpose
from ...core.errors import ConfigError
from ...core.layout import NUM_COCO
from ...registry import TASK_UTILS
from .detections import Detections
from .detector import Detector

REQUIREMENTS = (
    'the full MMPose environment (mmcv with compiled operations, mmdet; docs/en/install.md); or '
    'use MediaPipe, or a file of keypoints'
)


@TASK_UTILS.register_module()
class MMPosePose(Detector):
    """Detect people by MMPose's inferencer.

    Args:
        pose2d (str): Name or config of the pose model; ``human`` is RTMPose-m, and
            ``td-hm_ViTPose-huge_8xb64-210e_coco-256x192`` made the published packs. Defaults to
            ``human``.
        pose2d_weights (str, optional): Its weights. Defaults to None: downloaded by name.
        det_model (str, optional): Name or config of the person detector. Defaults to None: the
            MMPose's default for people, RTMDet-m. ``whole_image`` takes each image for one person.
        det_weights (str, optional): Its weights. Defaults to None: downloaded by name.
        device (str, optional): Defaults to None: a GPU if there is one.
        min_box_score (float): Least score of a detected person. Defaults to 0.5.

    Raises:
        ConfigError: If the environment lacks a package that the models need.
    """

    def __init__(
        self,
        pose2d: str = 'human',
        pose2d_weights: Optional[str] = None,
        det_model: Optional[str] = None,
        det_weights: Optional[str] = None,
        device: Optional[str] = None,
        min_box_score: float = 0.5,
    ) -> None:
        self.min_box_score = min_box_score
        self._whole_image = det_model == 'whole_image'
        try:
            if not self._whole_image:
                import mmdet.apis  # noqa: F401
            self._inferencer = import_mmpose('apis').MMPoseInferencer(
                pose2d=pose2d,
                pose2d_weights=pose2d_weights,
                det_model=det_model,
                det_weights=det_weights,
                det_cat_ids=[0],
                device=device,
            )
        except (ImportError, RuntimeError, KeyError) as error:
            raise ConfigError(
                f'keypoints=mmpose cannot build {pose2d!r} with the detector '
                f'{det_model or "of its own"} ({error}). It needs {REQUIREMENTS}'
            ) from error

    def __call__(self, image: Optional[np.ndarray], number: int) -> Detections:
        """Return the people of an RGB image (H, W, 3), uint8; nobody for None."""
        if image is None:
            return Detections.none()
        # MMPose expects BGR arrays, as OpenCV reads them.
        bgr = np.ascontiguousarray(image[..., ::-1])
        result = next(self._inferencer(bgr, return_datasamples=True, bbox_thr=self.min_box_score))
        return self._people(result['predictions'][0].pred_instances, image.shape)

    def _people(self, instances: Any, shape: tuple[int, ...]) -> Detections:
        """Convert P instances of MMPose."""
        boxes = np.asarray(instances.bboxes, dtype=np.float64).reshape(-1, 4)
        keypoints = np.asarray(instances.keypoints, dtype=np.float64)
        scores = np.asarray(instances.keypoint_scores, dtype=np.float64)
        if keypoints.shape[1] != NUM_COCO:
            raise ConfigError(
                f"the pose model should have COCO's 17 keypoints, this one has {keypoints.shape[1]}"
            )
        keypoints = np.concatenate((keypoints, np.clip(scores, 0, 1)[..., None]), axis=-1)
        if not self._whole_image:
            # If nobody is detected, MMPose returns the whole image with score 1.
            whole = np.array([0, 0, shape[1], shape[0]])
            sure = np.asarray(instances.bbox_scores) == 1
            someone = ~(sure & (np.abs(boxes - whole) < 1).all(axis=1))
            boxes, keypoints = boxes[someone], keypoints[someone]
        return Detections(boxes, keypoints)
