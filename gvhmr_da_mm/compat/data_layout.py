"""Files of the body models below a data root; standard library only."""

from dataclasses import dataclass

_SMPL_DOWNLOAD = 'register at the SMPL and SMPL-X project pages'


@dataclass(frozen=True)
class ExpectedFiles:
    """Files that are needed together.

    Args:
        name (str): Name of the group.
        folder (str): Folder below the data root.
        files (tuple[str, ...]): Files and folders below ``folder``.
        how_to_get (str): Where they come from.
        is_optional (bool): Whether they are looked for only if ``folder`` exists. Defaults to
            False.
    """

    name: str
    folder: str
    files: tuple[str, ...]
    how_to_get: str
    is_optional: bool = False


BODY_FILES = (
    ExpectedFiles('SMPL-X body model', 'body_models/smplx', ('SMPLX_NEUTRAL.npz',), _SMPL_DOWNLOAD),
    ExpectedFiles(
        'SMPL body models',
        'body_models/smpl',
        ('SMPL_NEUTRAL.pkl', 'SMPL_MALE.pkl', 'SMPL_FEMALE.pkl'),
        _SMPL_DOWNLOAD,
    ),
    ExpectedFiles(
        'joint regressors and vertex maps',
        'support',
        (
            'smplx2smpl_sparse.pt',
            'smpl_neutral_J_regressor.pt',
            'smpl_coco17_J_regressor.pt',
            'smpl_3dpw14_J_regressor_sparse.pt',
            'smplx_verts437.pt',
        ),
        'copy the folder `hmr4d/utils/body_model` of a GVHMR checkout',
    ),
)
