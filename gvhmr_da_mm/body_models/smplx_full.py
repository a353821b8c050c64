"""SMPL-X body model with the full mesh."""

from pathlib import Path
from typing import Optional, Union

import numpy as np
import torch
from torch import Tensor

from ..core.checks import check_shape
from ..core.errors import DataError
from ..core.layout import NUM_BETAS, NUM_JOINTS
from ..core.precision import full_precision
from ..fileio.paths import require_files
from ..registry import MODELS
from .loading import NUM_SMPLX_JOINTS, BodyArrays, body_model_file, load_body_arrays
from .mesh_body import MeshBody
from .regressors import load_regressor, regressor_file


def smplx_fixed_pose(arrays: BodyArrays, flat_hand_mean: bool) -> np.ndarray:
    """Return the axis-angle (33, 3) of SMPL-X's jaw, eyes (zero) and hands (mean or flat)."""
    pose = np.zeros((NUM_SMPLX_JOINTS - NUM_JOINTS, 3))
    if not flat_hand_mean:
        pose[-len(arrays.hand_mean) :] = arrays.hand_mean
    return pose


@MODELS.register_module()
class SMPLXBody(MeshBody):
    """SMPL-X with all vertices, face at rest and hands in the mean or the flat pose.

    Note:
        P = 22 posed joints, V = 10475 vertices. See :class:`LinearBlendBody` for conventions.

    Args:
        data_root (str | Path, optional): Folder with ``body_models/smplx`` and ``support``.
            Defaults to ``$GVHMR_DATA_ROOT``, else ``data``.
        gender (str): 'neutral', 'male' or 'female'. Defaults to 'neutral'.
        model_path (str | Path, optional): The model file or its folder, instead.
        support_dir (str | Path, optional): Folder with the resource files, instead.
        num_betas (int): Shape components used. Defaults to 10.
        flat_hand_mean (bool): Flat hands rather than the file's mean pose. Defaults to False.
        chunk_size (int): Frames computed at once. Defaults to 128.

    Raises:
        MissingFilesError: If a file does not exist; all missing ones are listed.
        DataError: If a file has other content than expected.
    """

    def __init__(
        self,
        data_root: Optional[Union[str, Path]] = None,
        gender: str = 'neutral',
        model_path: Optional[Union[str, Path]] = None,
        support_dir: Optional[Union[str, Path]] = None,
        num_betas: int = NUM_BETAS,
        flat_hand_mean: bool = False,
        chunk_size: int = 128,
    ) -> None:
        path, hint = body_model_file('smplx', gender, data_root, model_path)
        map_path, map_hint = regressor_file('smplx2smpl', data_root, support_dir)
        require_files({path: hint, map_path: map_hint}, owner=type(self).__name__)
        arrays = load_body_arrays(path, 'smplx')
        smplx2smpl = load_regressor('smplx2smpl', data_root, support_dir)
        if smplx2smpl.shape[1] != len(arrays.v_template):
            raise DataError(
                f'{map_path} should have {len(arrays.v_template)} columns, one per vertex of '
                f'{path}, got {tuple(smplx2smpl.shape)}'
            )
        fixed_pose = smplx_fixed_pose(arrays, flat_hand_mean)
        # Stored as dense arrays: DDP cannot broadcast a sparse buffer.
        index, weight = smplx2smpl.indices().numpy(), smplx2smpl.values().double().numpy()
        smpl_map = dict(map_index=index, map_weight=weight)
        super().__init__(arrays, NUM_JOINTS, fixed_pose, num_betas, chunk_size, **smpl_map)
        self.num_smpl_vertices = smplx2smpl.shape[0]

    @full_precision
    def to_smpl_vertices(self, verts: Tensor) -> Tensor:
        """Map SMPL-X vertices to SMPL's topology.

        Args:
            verts (Tensor): (..., V, 3).

        Returns:
            Tensor: (..., 6890, 3), in the unit of ``verts``.
        """
        check_shape(verts, '* V 3', 'verts', V=self.num_vertices)
        size = (self.num_smpl_vertices, self.num_vertices)
        flat = verts.to(self.dtype).reshape(-1, self.num_vertices, 3)
        smplx2smpl = torch.sparse_coo_tensor(
            self.map_index, self.map_weight, size, is_coalesced=True, check_invariants=False
        )
        parts = [
            torch.sparse.mm(smplx2smpl, part.transpose(0, 1).flatten(1)).unflatten(1, (-1, 3))
            for part in flat.split(self.chunk_size)
        ]
        return torch.cat(parts, dim=1).transpose(0, 1).reshape(*verts.shape[:-2], size[0], 3)
