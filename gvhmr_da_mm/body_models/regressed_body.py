"""Body model that computes regressed points instead of the mesh."""

from functools import lru_cache
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np
import torch
from torch import Tensor

from ..core.checks import check_choice
from ..core.errors import DataError
from ..core.layout import NUM_BETAS, NUM_JOINTS, NUM_SMPL_VERTS
from ..core.precision import full_precision
from ..core.small_matrices import small_matvec
from ..fileio.paths import require_files, resolve_data_root
from .linear_blend_body import LinearBlendBody, blend_constants
from .loading import NUM_SMPL_JOINTS, BodyArrays, body_model_file, load_body_arrays
from .regressors import load_regressor, regressor_file
from .smplx_full import smplx_fixed_pose

PathLike = Union[str, Path]


class RegressedBody(LinearBlendBody):
    """Body whose points are weighted sums of vertices, such as regressed joints.

    A vertex is a weighted sum of its rest position transformed by each bone, and a point a weighted
    sum of vertices. Summed over the vertices first, a point is a sum over the few bones that move
    its vertices, of a moment that is linear in the blend shape coefficients. This is exact, and an
    order of magnitude less work than posing the vertices.

    Note:
        K points, V vertices, Q pairs of a point and a bone it depends on. ``pose_vertices`` returns
        the points. See :class:`LinearBlendBody` for conventions; :func:`regressed_constants` gives
        the arguments.
    """

    @property
    def num_vertices(self) -> int:
        """Number of points K."""
        return len(self.gather)

    def _skin(self, R_local: Tensor, betas: Tensor) -> Tensor:
        """Return the points of N frames: (N, P, 3, 3) and (N, num_betas) to (N, K, 3)."""
        features = self._features(R_local, betas)
        moments = torch.addmm(self.moment, features, self.moment_dirs).unflatten(-1, (-1, 3))
        rotation, offset = self._bones(R_local, betas)
        turned = small_matvec(rotation.index_select(1, self.pair_bone), moments)
        return self.gather @ (turned + self.pair_weight * offset.index_select(1, self.pair_bone))

    @full_precision
    def arms(self, betas: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return the constants of :class:`PointChain` for shapes (N, num_betas).

        Returns:
            tuple[Tensor, ...]: The skeleton at rest (N, P, 3), and for each pair the arm at rest
            (N, Q, 3), its derivative by the 9 (P - 1) pose features (features, Q, 3), and its posed
            joint (Q,). A bone of a fixed joint is expressed in the frame of its anchor.
        """
        betas = betas.to(self.dtype)
        skeleton = self.skeleton(betas)
        own = torch.arange(self.num_posed, device=betas.device)
        identity = torch.eye(3, dtype=self.dtype, device=betas.device)
        R_bone = torch.cat((identity.expand(self.num_posed, 3, 3), self.R_anchor))
        hanging = self._linear_in_betas(self.anchor_offsets, betas)
        origin = torch.cat((-skeleton, hanging), dim=1).index_select(1, self.pair_bone)
        R_pair = R_bone[self.pair_bone]
        split = self.num_betas
        moments = self.moment + betas @ self.moment_dirs[:split]
        arms, dirs = (
            (R_pair @ flat.unflatten(-1, (-1, 3, 1))).squeeze(-1)
            for flat in (moments, self.moment_dirs[split:])
        )
        joint = torch.cat((own, self.anchors))[self.pair_bone]
        return skeleton, arms + self.pair_weight * origin, dirs, joint


def regressed_constants(
    arrays: BodyArrays,
    num_posed: int,
    fixed_pose: np.ndarray,
    regressor: Tensor,
    num_betas: int,
) -> dict[str, Any]:
    """Return the arguments of a :class:`RegressedBody`.

    They are those of :func:`blend_constants`, with sums over the vertices instead of the vertices,
    for a ``regressor``: the weights of the vertices in each point, (K, V).
    """
    used = regressor.any(dim=0).nonzero()[:, 0].numpy()
    constants = blend_constants(arrays, num_posed, fixed_pose, num_betas, used)
    template, blend_dirs, weights = map(constants.pop, ('template', 'blend_dirs', 'weights'))
    # (K, V, bones): weight of each vertex and bone in each point.
    share = regressor[:, used].double().numpy()[:, :, None] * weights
    point, bone = share.any(axis=1).nonzero()
    pairs = share[point, :, bone]  # (Q, V)
    moments = np.concatenate((template[None], blend_dirs)).reshape(-1, 3, len(used)) @ pairs.T
    moments = moments.transpose(0, 2, 1).reshape(len(moments), -1)
    return dict(
        **constants,
        moment=moments[0],
        moment_dirs=moments[1:],
        pair_weight=pairs.sum(axis=1)[:, None],
        gather=(np.arange(len(regressor))[:, None] == point).astype(np.float64),
        pair_bone=bone,
    )


def get_regressed_body(
    kind: str,
    regressor: str,
    vertex_ids: tuple[int, ...] = (),
    gender: str = 'neutral',
    data_root: Optional[PathLike] = None,
    support_dir: Optional[PathLike] = None,
    flat_hand_mean: bool = False,
    device: str = 'cpu',
) -> RegressedBody:
    """Return a float32 body that computes regressed joints and single SMPL vertices.

    The model is shared as those of :func:`get_body_model`: do not move or cast it.

    Args:
        kind (str): 'smplx', whose vertices are mapped to SMPL's, or 'smpl'.
        regressor (str): Joint regressor: 'smpl24', 'coco17' or '3dpw14'.
        vertex_ids (tuple[int, ...]): SMPL vertices to add after the joints. Defaults to none.
        gender (str): 'neutral', 'male' or 'female'. Defaults to 'neutral'.
        data_root (str | Path, optional): See :func:`resolve_data_root`.
        support_dir (str | Path, optional): Folder with the resource files, instead of
            ``<data_root>/support``.
        flat_hand_mean (bool): Flat SMPL-X hands. Defaults to False.
        device (str): Device of the model. Defaults to 'cpu'.

    Raises:
        ConfigError: If ``kind``, ``regressor`` or ``gender`` is unknown.
        DataError: If the files do not fit together, or ``vertex_ids`` are given and the regressor
            is not for SMPL's 6890 vertices.
        MissingFilesError: If a file does not exist.
    """
    check_choice(kind, ('smplx', 'smpl'), 'kind')
    root = resolve_data_root(data_root).absolute()
    support = Path(support_dir).absolute() if support_dir else None
    options = (regressor, tuple(vertex_ids), gender, root, support)
    return _cached(kind, *options, flat_hand_mean and kind == 'smplx', str(device))


@lru_cache(maxsize=16)
def _cached(
    kind: str,
    regressor: str,
    vertex_ids: tuple[int, ...],
    gender: str,
    data_root: Path,
    support_dir: Optional[Path],
    flat_hand_mean: bool,
    device: str,
) -> RegressedBody:
    joints = load_regressor(regressor, data_root, support_dir).double()
    if vertex_ids and joints.shape[1] != NUM_SMPL_VERTS:
        path, _ = regressor_file(regressor, data_root, support_dir)
        raise DataError(
            f'{path} should have {NUM_SMPL_VERTS} columns, as `vertex_ids` are vertices of SMPL, '
            f'got {joints.shape[1]}'
        )
    single = torch.zeros(len(vertex_ids), joints.shape[1], dtype=joints.dtype)
    single[range(len(vertex_ids)), list(vertex_ids)] = 1
    points = torch.cat((joints, single))
    path, hint = body_model_file(kind, gender, data_root)
    require_files({path: hint}, owner=RegressedBody.__name__)
    arrays = load_body_arrays(path, kind)
    num_posed, fixed_pose = NUM_SMPL_JOINTS, np.zeros((0, 3))
    if kind == 'smplx':
        num_posed, fixed_pose = NUM_JOINTS, smplx_fixed_pose(arrays, flat_hand_mean)
        smplx2smpl = load_regressor('smplx2smpl', data_root, support_dir).double()
        if smplx2smpl.shape != (points.shape[1], len(arrays.v_template)):
            map_path, _ = regressor_file('smplx2smpl', data_root, support_dir)
            raise DataError(
                f'{map_path} should have shape ({points.shape[1]}, {len(arrays.v_template)}): the '
                f'vertices of the joint regressor and of {path}; got {tuple(smplx2smpl.shape)}'
            )
        points = torch.sparse.mm(smplx2smpl.t(), points.t()).t()
    if points.shape[1] != len(arrays.v_template):
        raise DataError(
            f'{path} should have {points.shape[1]} vertices, as the joint regressor, got '
            f'{len(arrays.v_template)}'
        )
    constants = regressed_constants(arrays, num_posed, fixed_pose, points, NUM_BETAS)
    return RegressedBody(**constants, chunk_size=1024).to(device).eval()
