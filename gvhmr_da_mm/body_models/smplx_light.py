"""SMPL-X body model with only the vertices and joints that training needs."""

from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, Optional, Union

import torch
from torch import Tensor

from ..core.errors import DataError
from ..core.layout import NUM_BETAS, NUM_JOINTS
from ..core.precision import full_precision
from ..fileio.paths import require_files
from ..registry import MODELS
from .linear_blend_body import LinearBlendBody, blend_constants
from .loading import body_model_file, load_body_arrays
from .regressed_body import RegressedBody, regressed_constants
from .regressors import load_regressor, regressor_file
from .smplx_full import smplx_fixed_pose

RESOURCES = ('coco17', 'smplx2smpl', 'verts437')


class LightBody(NamedTuple):
    """Points that :class:`SMPLXLight` computes, in m."""

    verts437: Tensor
    """Chosen SMPL-X vertices, (..., 437, 3), or (..., 0, 3) of a body without vertices."""
    coco17: Tensor
    """COCO joints, (..., 17, 3)."""


@MODELS.register_module()
class SMPLXLight(LinearBlendBody):
    """SMPL-X joints and a small part of the mesh (GVHMR, Sec. 3.3).

    It computes the 437 chosen vertices and those with weight in the COCO regressor, which is
    defined on SMPL's topology and composed with the SMPL-X to SMPL map.

    Note:
        P = 22 posed joints. See :class:`LinearBlendBody` for conventions, ``skeleton``, ``fk`` and
        ``fk_matrices``. The files are read once in a process, until one of them changes.

    Args:
        data_root (str | Path, optional): Folder with ``body_models/smplx`` and ``support``.
            Defaults to ``$GVHMR_DATA_ROOT``, else ``data``.
        gender (str): 'neutral', 'male' or 'female'. Defaults to 'neutral'.
        model_path (str | Path, optional): The model file or its folder, instead.
        support_dir (str | Path, optional): Folder with the resource files, instead.
        num_betas (int): Shape components used. Defaults to 10.
        flat_hand_mean (bool): Flat hands rather than the file's mean pose. Defaults to False.
        vertices (bool): Compute vertices; COCO joints alone take much less time. Defaults to True.

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
        vertices: bool = True,
    ) -> None:
        files = self.required_files(data_root, gender, model_path, support_dir)
        require_files(files, owner=type(self).__name__)
        path, _ = body_model_file('smplx', gender, data_root, model_path)
        states = tuple((file.absolute(), *_state(file)) for file in files)
        own, coco = _read(path, data_root, support_dir, num_betas, flat_hand_mean, states)
        super().__init__(**own)
        self.coco_body = RegressedBody(**coco)
        self.vertices = vertices

    @staticmethod
    def required_files(
        data_root: Optional[Union[str, Path]] = None,
        gender: str = 'neutral',
        model_path: Optional[Union[str, Path]] = None,
        support_dir: Optional[Union[str, Path]] = None,
        **_: Any,
    ) -> dict[Path, str]:
        """Return the files that a body with these arguments reads, each with how to get it."""
        resources = (regressor_file(name, data_root, support_dir) for name in RESOURCES)
        return dict([body_model_file('smplx', gender, data_root, model_path), *resources])

    def forward(
        self,
        body_pose: Tensor,
        betas: Tensor,
        global_orient: Optional[Tensor] = None,
        transl: Optional[Tensor] = None,
    ) -> LightBody:
        """Return the chosen vertices and the COCO joints.

        Args:
            body_pose (Tensor): Axis-angle in rad, (..., 63).
            betas (Tensor): Shape, (..., 10).
            global_orient (Tensor, optional): Axis-angle in rad, (..., 3). Defaults to none.
            transl (Tensor, optional): In m, (..., 3). Defaults to zero.

        Returns:
            LightBody: Vertices (..., 437, 3) and joints (..., 17, 3) in m.
        """
        return self.light_matrices(*self._rotations(body_pose, global_orient, betas), transl)

    @full_precision
    def light_matrices(
        self,
        body_pose_R: Tensor,
        betas: Tensor,
        R: Optional[Tensor] = None,
        transl: Optional[Tensor] = None,
    ) -> LightBody:
        """As :meth:`forward`, for matrices: body pose (..., 21, 3, 3) and root R (..., 3, 3)."""
        if not self.vertices:
            coco17 = self.coco_matrices(body_pose_R, betas, R, transl)
            return LightBody(coco17[..., :0, :], coco17)
        verts = self.pose_vertices(body_pose_R, betas, R, transl)
        coco17 = self.coco_regressor @ verts
        return LightBody(verts.index_select(-2, self.verts_index), coco17)

    def coco_matrices(
        self,
        body_pose_R: Tensor,
        betas: Tensor,
        R: Optional[Tensor] = None,
        transl: Optional[Tensor] = None,
    ) -> Tensor:
        """Return the COCO joints (..., 17, 3) alone; arguments as :meth:`light_matrices`."""
        return self.coco_body.pose_vertices(body_pose_R, betas, R, transl)


def _state(file: Path) -> tuple[int, int]:
    status = file.stat()
    return status.st_mtime_ns, status.st_size


@lru_cache(maxsize=4)
def _read(
    path: Path,
    data_root: Optional[Union[str, Path]],
    support_dir: Optional[Union[str, Path]],
    num_betas: int,
    flat_hand_mean: bool,
    states: tuple,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the constants of a :class:`SMPLXLight` and of its body of COCO joints.

    Reading takes seconds, and the networks of student and teacher, and of each stage of a tool,
    read the same files. ``states`` of the files only tell calls apart.
    """
    resources = {name: regressor_file(name, data_root, support_dir) for name in RESOURCES}
    arrays = load_body_arrays(path, 'smplx')
    coco, smplx2smpl, chosen = (load_regressor(name, data_root, support_dir) for name in resources)
    _check_sizes(coco, smplx2smpl, chosen, len(arrays.v_template), resources, path)

    # (17, V): the COCO joints depend on the vertices of its non-zero columns.
    smplx2coco = torch.sparse.mm(smplx2smpl.double().t(), coco.double().t()).t()
    ids = torch.cat((chosen, smplx2coco.any(0).nonzero().squeeze(-1))).unique()
    fixed_pose = smplx_fixed_pose(arrays, flat_hand_mean)
    own = dict(
        **blend_constants(arrays, NUM_JOINTS, fixed_pose, num_betas, ids.numpy()),
        coco_regressor=smplx2coco[:, ids].numpy(),
        verts_index=torch.searchsorted(ids, chosen).numpy(),
    )
    return own, regressed_constants(arrays, NUM_JOINTS, fixed_pose, smplx2coco, num_betas)


def _check_sizes(
    coco: Tensor,
    smplx2smpl: Tensor,
    chosen: Tensor,
    num_verts: int,
    resources: dict[str, tuple[Path, str]],
    path: Path,
) -> None:
    if smplx2smpl.shape != (coco.shape[1], num_verts):
        raise DataError(
            f'{resources["smplx2smpl"][0]} should have shape ({coco.shape[1]}, {num_verts}): the '
            f'columns of {resources["coco17"][0]} and the vertices of {path}; '
            f'got {tuple(smplx2smpl.shape)}'
        )
    if not 0 <= int(chosen.min()) <= int(chosen.max()) < num_verts:
        raise DataError(
            f'{resources["verts437"][0]} should hold ids below {num_verts}, the number of vertices '
            f'of {path}, got {int(chosen.min())} to {int(chosen.max())}'
        )
