"""Loading of joint regressors, the SMPL-X to SMPL map and the chosen vertices."""

import pickle
from pathlib import Path
from typing import Optional, Union

from torch import Tensor

from ..core.checks import check_choice
from ..core.errors import DataError
from ..fileio.paths import require_files, resolve_data_root
from ..fileio.tensor_file import load_tensor_file

REGRESSOR_FILES = {
    'smpl24': 'smpl_neutral_J_regressor.pt',
    'coco17': 'smpl_coco17_J_regressor.pt',
    '3dpw14': 'smpl_3dpw14_J_regressor_sparse.pt',
    'smplx2smpl': 'smplx2smpl_sparse.pt',
    'verts437': 'smplx_verts437.pt',
}
"""File of each resource, named as in the published repository."""
_NUM_JOINTS = {'smpl24': 24, 'coco17': 17, '3dpw14': 14}


def regressor_file(
    name: str,
    data_root: Optional[Union[str, Path]] = None,
    support_dir: Optional[Union[str, Path]] = None,
) -> tuple[Path, str]:
    """Return the expected path of a resource file, and how to get the file.

    Args:
        name (str): A key of :data:`REGRESSOR_FILES`.
        data_root (str | Path, optional): The files are in its ``support`` folder.
        support_dir (str | Path, optional): The folder with the files, instead.

    Returns:
        tuple[Path, str]: The path, which may not exist, and a hint for error messages.

    Raises:
        ConfigError: If the name is unknown.
    """
    check_choice(name, REGRESSOR_FILES, 'name')
    folder = Path(support_dir or resolve_data_root(data_root) / 'support').expanduser()
    hint = (
        'copy it from `hmr4d/utils/body_model/` of a GVHMR checkout, or point `support_dir` to '
        'that folder'
    )
    return folder / REGRESSOR_FILES[name], hint


def load_regressor(
    name: str,
    data_root: Optional[Union[str, Path]] = None,
    support_dir: Optional[Union[str, Path]] = None,
) -> Tensor:
    """Load a resource (Vx SMPL-X vertices, Vs SMPL vertices).

    Args:
        name (str): 'smpl24', 'coco17' or '3dpw14' (SMPL vertices to joints), 'smplx2smpl'
            (SMPL-X to SMPL vertices) or 'verts437' (SMPL-X vertex ids).
        data_root (str | Path, optional): The files are in its ``support`` folder.
        support_dir (str | Path, optional): The folder with the files, instead.

    Returns:
        Tensor: Joint regressors dense (24 | 17 | 14, Vs) float32; 'smplx2smpl' as a coalesced
        sparse COO tensor (Vs, Vx) float32; 'verts437' (437,) int64.

    Raises:
        MissingFilesError: If the file does not exist.
        DataError: If its content has another type or shape.
    """
    path, hint = regressor_file(name, data_root, support_dir)
    require_files({path: hint}, owner=f'The regressor {name!r}')
    try:
        tensor = load_tensor_file(path)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise DataError(f'{path} should be a tensor saved by torch.save: {error}') from error
    if not isinstance(tensor, Tensor):
        raise DataError(f'{path} should hold one tensor, got {type(tensor).__name__}')
    if name == 'verts437':
        if tensor.dim() != 1 or tensor.is_floating_point():
            raise DataError(f'{path} should hold vertex ids (437,), got {_describe(tensor)}')
        return tensor.long()
    if tensor.dim() != 2 or tensor.shape[0] != _NUM_JOINTS.get(name, tensor.shape[0]):
        raise DataError(
            f'{path} should have shape ({_NUM_JOINTS.get(name, "SMPL vertices")}, vertices), '
            f'got {_describe(tensor)}'
        )
    if name == 'smplx2smpl':
        return tensor.float().to_sparse_coo().coalesce()
    return tensor.float().to_dense()


def _describe(tensor: Tensor) -> str:
    return f'{tuple(tensor.shape)} {tensor.dtype}'
