"""Metric of joints, trajectories and contacts in the world."""

from torch import Tensor

from ...core.conventions import FOOT_VERTEX_IDS
from ...registry import METRICS
from ..functional import contact_sliding, jitter, root_trajectory_error, w_mpjpe, wa_mpjpe
from .sequence_metric import TARGET_FIELDS, SequenceMetric


@METRICS.register_module()
class WorldSpaceMetric(SequenceMetric):
    """WA-MPJPE, W-MPJPE (mm), RTE (%), jitter (10 m/s^3) and foot sliding (mm) in the world.

    The results are named ``<protocol>/wa_mpjpe``, ``w_mpjpe``, ``rte``, ``jitter`` and ``fs``. The
    two worlds may differ: each metric aligns them or does not depend on them. The arguments are
    those of :class:`SequenceMetric`.

    Note:
        - number of valid frames: M

    Source: GVHMR, Sec. 4.1 and Table 1.
    """

    space = 'world'
    metric_names = ('wa_mpjpe', 'w_mpjpe', 'rte', 'jitter', 'fs')
    pred_fields = ('body_pose', 'betas', 'global_orient_w', 'transl_w')
    # With the published flip test, post-processing corrects the limbs in the world only.
    pred_substitutes = {'body_pose': 'body_pose_w'}

    def score(
        self, pred: dict[str, Tensor], target: dict[str, Tensor], gender: str, mask: Tensor
    ) -> dict[str, Tensor]:
        """Return the per-frame values of a sequence; see :class:`SequenceMetric`."""
        root, fps = self.protocol.root, self.protocol.fps
        pred_j, pred_feet = self.meshes.predicted_points(
            FOOT_VERTEX_IDS, *(pred[name] for name in self.pred_fields)
        )
        target_j, target_feet = self.meshes.target_points(
            FOOT_VERTEX_IDS, gender, *(target[name] for name in TARGET_FIELDS)
        )
        feet_in_time = (self.scatter(points, mask) for points in (pred_feet, target_feet))
        return {
            'wa_mpjpe': wa_mpjpe(pred_j, target_j),
            'w_mpjpe': w_mpjpe(pred_j, target_j),
            'rte': root_trajectory_error(pred_j[:, root], target_j[:, root], self.compat),
            'jitter': jitter(self.scatter(pred_j, mask), fps, mask, self.strict),
            'fs': contact_sliding(*feet_in_time, mask, self.strict),
        }
