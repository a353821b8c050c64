"""Joints regressed from a skinned mesh, without the mesh."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from .linear_blend_body import LinearBlendBody
from .loading import BodyArrays


class RegressedJoints(LinearBlendBody):
    """A SMPL-family body that computes linear combinations of its vertices only.

    A vertex is a weighted sum of what each bone makes of its rest position, and a regressed joint a
    weighted sum of vertices. Summed over the vertices first, a joint is a sum over the few bones
    that its vertices hang on, of a moment that is linear in the features of the rest shape. That is
    exact, and much less work than the vertices.

    Note:
        N: frames, R: regressed joints, K: bones, Q: pairs of a joint and a bone it depends on.
        ``pose_vertices`` returns the joints (..., R, 3).

    Args:
        arrays (BodyArrays): The model file's arrays.
        num_posed (int): See :class:`LinearBlendBody`.
        fixed_pose (np.ndarray): See :class:`LinearBlendBody`.
        regressor (np.ndarray): Takes all vertices of the file to the joints, (R, V).
        num_betas (int): Shape components used. Defaults to 10.
        kwargs: As :class:`LinearBlendBody`, without ``vertex_ids``.
    """

    def __init__(
        self,
        arrays: BodyArrays,
        num_posed: int,
        fixed_pose: np.ndarray,
        regressor: np.ndarray,
        num_betas: int = 10,
        **kwargs: Any,
    ) -> None:
        ids = np.flatnonzero(regressor.any(axis=0))
        super().__init__(arrays, num_posed, fixed_pose, num_betas, ids, **kwargs)
        template, blend_dirs, weights = (
            self._masters.pop(name).numpy() for name in ('template', 'blend_dirs', 'weights')
        )
        for name in ('template', 'blend_dirs', 'weights'):
            delattr(self, name)
        # (R, V, K): the share of each vertex and bone in each joint.
        share = regressor[:, ids, None] * weights[None]
        joint, bone = share.any(axis=1).nonzero()
        pairs = share[joint, :, bone]  # (Q, V)
        moments = np.concatenate((template[None], blend_dirs)).reshape(-1, 3, len(ids)) @ pairs.T
        moments = moments.transpose(0, 2, 1).reshape(len(moments), -1)
        self._add('moment', moments[0])
        self._add('moment_dirs', moments[1:])
        self._add('pair_weight', pairs.sum(axis=1)[:, None])
        self._add('gather', (np.arange(len(regressor))[:, None] == joint).astype(np.float64))
        self.register_buffer('pair_bone', torch.from_numpy(bone), persistent=False)

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of results."""
        return self.joints.dtype

    @property
    def num_vertices(self) -> int:
        """R."""
        return len(self.gather)

    def _skin(self, R_local: Tensor, betas: Tensor) -> Tensor:
        """Return the joints of N frames: (N, P, 3, 3) and (N, num_betas) to (N, R, 3)."""
        features = self._features(R_local, betas)
        moments = torch.addmm(self.moment, features, self.moment_dirs).unflatten(-1, (-1, 3, 1))
        rotation, offset = self._bones(R_local, betas)
        turned = (rotation.index_select(1, self.pair_bone) @ moments).squeeze(-1)
        return self.gather @ (turned + self.pair_weight * offset.index_select(1, self.pair_bone))
