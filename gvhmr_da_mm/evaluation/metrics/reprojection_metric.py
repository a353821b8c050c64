"""Metric of the distance from detected keypoints, without labels."""

from collections.abc import Sequence
from typing import Any, Optional

import numpy as np
import torch
from torch import Tensor

from ...core.errors import DataError
from ...core.keypoint_residual import MIN_KEYPOINT_SCORE, KeypointResidual, keypoint_residual
from ...core.rotation import axis_angle_to_matrix
from ...registry import METRICS, MODELS
from ...structures import sample_inputs
from ..gathered_metric import GatheredMetric
from ..meshes import PathLike

PRED_FIELDS = ('body_pose', 'betas', 'global_orient_c', 'transl_c')
INPUT_FIELDS = ('kp2d', 'bbx_xys', 'K_fullimg')


@METRICS.register_module()
class ReprojectionMetric(GatheredMetric):
    """Mean distance of projected COCO joints from confident detections.

    The results are named ``<prefix>/reprojection_px`` (pixels) and ``reprojection_box`` (per cent
    of the box side). They do not measure accuracy in 3D: a person that agrees with the keypoints
    may be wrong in depth.

    Note:
        F: frames of a sequence. State: ``results``, one entry per sequence; after
        :meth:`evaluate`, ``per_sequence`` maps each sequence to its frames and means.

    Args:
        dataset (str): Samples with this ``dataset`` in their metainfo are scored. Defaults to
            ``video``.
        min_keypoint_score (float): Detections at or below this score are ignored. Defaults to 0.5.
        data_root (str | Path, optional): Data root with the body models. Defaults to None: the
            environment's.
        support_dir (str | Path, optional): Folder of the regressors. Defaults to None: that of the
            data root.
        collect_device (str): Passed to ``BaseMetric``. Defaults to 'cpu'.
        prefix (str, optional): Prefix of the results. Defaults to None: ``dataset``.
        collect_dir (str, optional): Passed to ``BaseMetric``. Defaults to None.
    """

    metric_names = ('reprojection_px', 'reprojection_box')

    def __init__(
        self,
        dataset: str = 'video',
        min_keypoint_score: float = MIN_KEYPOINT_SCORE,
        data_root: Optional[PathLike] = None,
        support_dir: Optional[PathLike] = None,
        collect_device: str = 'cpu',
        prefix: Optional[str] = None,
        collect_dir: Optional[str] = None,
    ) -> None:
        super().__init__(collect_device, prefix or dataset, collect_dir)
        self.dataset, self.min_keypoint_score = dataset, min_keypoint_score
        self.body_model = MODELS.build(
            dict(type='SMPLXLight', data_root=data_root, support_dir=support_dir)
        )
        self.per_sequence: dict[str, dict[str, float]] = {}

    @torch.no_grad()
    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Project the samples of the metric's dataset.

        Args:
            data_batch (Any): Its ``inputs`` hold the detections.
            data_samples (Sequence[dict]): Samples as dicts, with ``pred_instances``.

        Raises:
            DataError: If a field is missing.
        """
        for index, sample in enumerate(data_samples):
            if sample.get('dataset') != self.dataset:
                continue
            inputs = sample_inputs(data_batch, index)
            self._check(sample, inputs)
            frames = len(sample['pred_instances']['transl_c'])
            residual = self._residual(
                [torch.as_tensor(sample['pred_instances'][name]).cpu() for name in PRED_FIELDS],
                {name: torch.as_tensor(inputs[name][:frames]).cpu() for name in INPUT_FIELDS},
            )
            side = torch.as_tensor(inputs['bbx_xys'][:frames, 2:]).cpu()
            pixels = (residual.distance * side)[residual.valid].numpy()
            share = 100 * residual.distance[residual.valid].numpy()
            self.results.append(
                dict(
                    sequence=f'{sample["sequence"]}[{sample.get("start")}]',
                    frames=frames,
                    sums=np.array([pixels.sum(), share.sum()]),
                    count=len(pixels),
                )
            )

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Average over all confident detections.

        Args:
            results (list[dict]): What :meth:`process` stored.

        Returns:
            dict[str, float]: Empty if there was no confident detection.
        """
        unique = {result['sequence']: result for result in results}
        scored = [unique[name] for name in sorted(unique) if unique[name]['count']]
        self.per_sequence = {
            result['sequence']: dict(frames=result['frames'], **self._means([result]))
            for result in scored
        }
        return self._means(scored) if scored else {}

    def _means(self, results: list[dict]) -> dict[str, float]:
        sums = sum(result['sums'] for result in results)
        count = sum(result['count'] for result in results)
        return dict(zip(self.metric_names, (sums / count).tolist()))

    def _check(self, sample: dict, inputs: dict) -> None:
        pred = sample.get('pred_instances') or {}
        missing = [name for name in PRED_FIELDS if name not in pred]
        missing += [f'inputs.{name}' for name in INPUT_FIELDS if name not in inputs]
        if missing:
            raise DataError(
                f'{self.dataset} sequence {sample.get("sequence")!r} should have '
                f'{", ".join(missing)} to be compared with detections'
            )

    def _residual(self, pred: list[Tensor], inputs: dict[str, Tensor]) -> KeypointResidual:
        """Compare a sequence of F frames with its detections."""
        body_pose, betas, global_orient, transl = pred
        joints = self.body_model.coco_matrices(
            axis_angle_to_matrix(body_pose.unflatten(-1, (-1, 3))),
            betas,
            axis_angle_to_matrix(global_orient),
            transl,
        )
        valid = torch.ones(len(joints), dtype=torch.bool)
        return keypoint_residual(joints, dict(inputs, valid=valid), self.min_keypoint_score)
