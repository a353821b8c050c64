"""Distance of projected points from detections, with its derivative written out."""

import torch
from torch import Tensor

from ...core.conventions import NEAR_DEPTH
from ...core.frames_last import frames_last


class BoxProjection:
    """The numbers of :func:`~gvhmr_da_mm.core.keypoint_residual.keypoint_residual` in a loop.

    What depends on camera, box and detections alone is computed once.

    Note:
        K points, N frames, the last dimension: see :mod:`~gvhmr_da_mm.core.frames_last`.

    Args:
        inputs (dict[str, Tensor]): ``kp2d`` (B, L, K, 3), ``bbx_xys`` (B, L, 3) and ``K_fullimg``
            (B, L, 3, 3).
        valid (Tensor): Which detections count (B, L, K), bool.
    """

    def __init__(self, inputs: dict[str, Tensor], valid: Tensor) -> None:
        side = inputs['bbx_xys'][..., 2, None, None]
        side = torch.where(side > 0, side, 1.0)
        detected = torch.where(valid[..., None], inputs['kp2d'][..., :2] / side, 0.0)
        self.detected = frames_last(detected)
        self.rows = frames_last((inputs['K_fullimg'][..., :2, :] / side).mT[:, :, None])
        self.valid = frames_last(valid).to(self.detected)

    def difference(self, points: Tensor) -> Tensor:
        """Return projections less detections (2, K, N), in box sides, 0 where none counts.

        Args:
            points (Tensor): Points in the camera (3, K, N), m.
        """
        depth = points[2].clamp(min=NEAR_DEPTH)
        projected = self.rows[:, 0] * (points[0] / depth)
        projected.addcmul_(self.rows[:, 1], points[1] / depth).add_(self.rows[:, 2])
        return projected.mul_(self.valid).sub_(self.detected)

    def shift_equations(self, points: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Return the normal equations of the shift that brings a frame's points to the detections.

        A projection less its detection is linear in the point once it is multiplied by the depth;
        that factor is undone by the weight, with the depth of ``points``.

        Args:
            points (Tensor): Points in the camera (3, K, N), m.
            weight (Tensor): Weight of each squared distance (K, N).

        Returns:
            tuple[Tensor, Tensor]: Matrix (N, 3, 3) and right side (N, 3), both 0 where no detection
            counts.

        Source: the direct linear transform (Hartley and Zisserman, 2004, Sec. 4.1).
        """
        lines = self.rows.repeat(1, 1, points.shape[1], 1)
        lines[:, 2] -= self.detected
        weight = weight * self.valid / points[2].clamp(min=NEAR_DEPTH).square()
        weighted = lines * weight
        matrix = torch.einsum('dikn,djkn->nij', weighted, lines)
        return matrix, -torch.einsum('dikn,djkn,jkn->ni', weighted, lines, points)

    def forces(self, points: Tensor, on_difference: Tensor) -> Tensor:
        """Return the derivative by the points (3, K, N).

        Args:
            points (Tensor): Points in the camera (3, K, N), m.
            on_difference (Tensor): Derivative by :meth:`difference` (2, K, N), 0 where no detection
                counts.
        """
        depth = points[2].clamp(min=NEAR_DEPTH)
        forces = torch.empty_like(points)
        across = (self.rows[:, :2] * on_difference[:, None]).sum(0)
        torch.div(across, depth, out=forces[:2])
        torch.div((forces[:2] * points[:2]).sum(0), -depth, out=forces[2])
        forces[2].mul_(points[2] >= NEAR_DEPTH)
        return forces
