"""The files that users of the published packs have below one data root.

Standard library only. What each file holds is told in ``docs/en/data.md``.
"""

from dataclasses import dataclass

_PACKS = 'the published `hmr4d_support` packs of GVHMR'
_SMPL = 'register at the SMPL and SMPL-X project pages'


@dataclass(frozen=True)
class ExpectedFiles:
    """A group of files that are needed together.

    Args:
        name (str): What the group is.
        folder (str): Folder below the data root.
        files (tuple[str, ...]): Files and folders below ``folder``.
        how_to_get (str): Where they come from.
    """

    name: str
    folder: str
    files: tuple[str, ...]
    how_to_get: str


EXPECTED_FILES = (
    ExpectedFiles('SMPL-X body model', 'body_models/smplx', ('SMPLX_NEUTRAL.npz',), _SMPL),
    ExpectedFiles(
        'SMPL body models',
        'body_models/smpl',
        ('SMPL_NEUTRAL.pkl', 'SMPL_MALE.pkl', 'SMPL_FEMALE.pkl'),
        _SMPL,
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
    ExpectedFiles(
        'BEDLAM (training)',
        'BEDLAM/hmr4d_support',
        (
            'smplpose_v2.pth',
            'mid_to_valid_range_all60.pt',
            'mid_to_valid_range_maxspan60.pt',
            'imgfeats/bedlam_all60',
            'imgfeats/bedlam_maxspan60',
        ),
        _PACKS,
    ),
    ExpectedFiles(
        'EMDB (adaptation and test)',
        'EMDB/hmr4d_support',
        ('emdb_vit_v4.pt', 'imgfeats/emdb_flip'),
        _PACKS,
    ),
    ExpectedFiles(
        '3DPW (training, adaptation)',
        '3DPW/hmr4d_support',
        ('train_3dpw_gt_labels.pt', 'train_refit_smplx.pt', 'imgfeats/3dpw_train_smplx_refit'),
        _PACKS,
    ),
    ExpectedFiles(
        '3DPW (test)',
        '3DPW/hmr4d_support',
        (
            'test_3dpw_gt_labels.pt',
            'preproc_test_bbx.pt',
            'preproc_test_kp2d_v0.pt',
            'imgfeats/3dpw_test',
            'imgfeats/3dpw_test_flip',
        ),
        _PACKS,
    ),
)
