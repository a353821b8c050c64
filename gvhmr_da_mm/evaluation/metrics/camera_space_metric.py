"""Metric of joints and vertices in the camera."""

import torch
from torch import Tensor

from ...registry import METRICS
from ..functional import acceleration_error, mpjpe, pa_mpjpe, pve, relative_to_pelvis
from .sequence_metric import TARGET_FIELDS, SequenceMetric


@METRICS.register_module()
class CameraSpaceMetric(SequenceMetric):
    """PA-MPJPE, MPJPE, PVE (mm) and acceleration error (m/s^2) in the camera.

    The results are named ``<protocol>/pa_mpjpe``, ``mpjpe``, ``pve`` and ``accel``. The arguments
    are those of :class:`SequenceMetric`.

    Note:
        - number of valid frames: M
        - number of joints: J

    Source: GVHMR, Sec. 4.1 and Table 2.
    """

    space = 'camera'
    metric_names = ('pa_mpjpe', 'mpjpe', 'pve', 'accel')
    pred_fields = ('body_pose', 'betas', 'global_orient_c', 'transl_c')

    def score(
        self, pred: dict[str, Tensor], target: dict[str, Tensor], gender: str, mask: Tensor
    ) -> dict[str, Tensor]:
        """Return the per-frame values of a sequence; see :class:`SequenceMetric`."""
        pelvis, fps = self.protocol.pelvis, self.protocol.fps
        vertex_errors, pred_joints, target_joints = [], [], []
        for frames in self.chunks(int(mask.sum())):
            pred_verts = self.meshes.predicted(*(pred[name][frames] for name in self.pred_fields))
            target_verts = self.meshes.target_in_camera(
                target['T_w2c'][frames], gender, *(target[name][frames] for name in TARGET_FIELDS)
            )
            joints = self.meshes.joints(pred_verts), self.meshes.joints(target_verts)
            # In float32 like the meshes: float64 vertices would double the time.
            pelvises = (j.to(pred_verts) for j in joints)
            vertex_errors.append(pve(pred_verts, target_verts, *pelvises, pelvis))
            pred_joints.append(joints[0])
            target_joints.append(joints[1])

        pred_j, target_j = torch.cat(pred_joints), torch.cat(target_joints)
        moving = (self.scatter(relative_to_pelvis(j, j, pelvis), mask) for j in (pred_j, target_j))
        return {
            'pa_mpjpe': pa_mpjpe(pred_j, target_j),
            'mpjpe': mpjpe(pred_j, target_j, pelvis),
            'pve': torch.cat(vertex_errors),
            'accel': acceleration_error(*moving, fps, mask, self.strict),
        }
