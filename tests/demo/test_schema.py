"""Files, keys, shapes and dtypes of the demo packs against the published packs."""

import pickle

import numpy as np
import pytest
import torch

pytestmark = pytest.mark.fixtures


def _leaves(content, path=''):
    """Yield (path, description, shape) of every leaf; the outermost keys name sequences: ``*``."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield from _leaves(value, f'{path}/{key}' if path else '*')
    elif isinstance(content, torch.Tensor):
        yield path, f'{content.dtype} {content.layout}', tuple(content.shape)
    elif isinstance(content, (list, tuple)):
        kinds = sorted({type(item).__name__ for item in content})
        yield path, f'{type(content).__name__} of {kinds}', None
    else:
        yield path, type(content).__name__, None


def _schema(content):
    """Return {path: (descriptions, shapes)} over all sequences of a file."""
    schema = {}
    for path, description, shape in _leaves(content):
        kinds, shapes = schema.setdefault(path, (set(), set()))
        kinds.add(description)
        shapes.add(shape)
    return schema


def _compare(ours, reference, file):
    ours, reference = _schema(ours), _schema(reference)
    assert set(ours) == set(reference), file
    for path, (kinds, shapes) in reference.items():
        assert ours[path][0] == kinds, f'{file}{path}'
        for shape in ours[path][1]:
            example = next(iter(shapes))
            if shape is None or example is None:
                assert shape == example, f'{file}{path}'
                continue
            # The first axis counts frames wherever the reference's own sequences differ in it.
            free = len({s[0] for s in shapes}) > 1 or shape[0] in range(60, 1000)
            assert shape[free:] == example[free:], f'{file}{path}: {shape} != {example}'


OPTIONAL_FILE = '3DPW/hmr4d_support/preproc_train_kp2d_v0.pt'
PACK_FILES = [
    'BEDLAM/hmr4d_support/smplpose_v2.pth',
    'BEDLAM/hmr4d_support/mid_to_valid_range_all60.pt',
    'BEDLAM/hmr4d_support/mid_to_valid_range_maxspan60.pt',
    'EMDB/hmr4d_support/emdb_vit_v4.pt',
    'EMDB/hmr4d_support/emdb_dpvo_traj.pt',
    '3DPW/hmr4d_support/test_3dpw_gt_labels.pt',
    '3DPW/hmr4d_support/train_3dpw_gt_labels.pt',
    '3DPW/hmr4d_support/preproc_test_bbx.pt',
    '3DPW/hmr4d_support/preproc_test_kp2d_v0.pt',
    OPTIONAL_FILE,
    '3DPW/hmr4d_support/train_refit_smplx.pt',
]
FEATURE_FOLDERS = [
    'BEDLAM/hmr4d_support/imgfeats/bedlam_all60',
    'BEDLAM/hmr4d_support/imgfeats/bedlam_maxspan60',
    'EMDB/hmr4d_support/imgfeats/emdb_flip',
    '3DPW/hmr4d_support/imgfeats/3dpw_test',
    '3DPW/hmr4d_support/imgfeats/3dpw_test_flip',
    '3DPW/hmr4d_support/imgfeats/3dpw_train_smplx_refit',
]


@pytest.mark.parametrize('file', PACK_FILES)
def test_pack_files(demo_root, fixtures_root, file):
    if file == OPTIONAL_FILE and not (fixtures_root / file).exists():
        pytest.skip(f'{file} is optional and not in {fixtures_root}')
    ours = torch.load(demo_root / file, weights_only=True)
    _compare(ours, torch.load(fixtures_root / file, weights_only=True), file)


@pytest.mark.parametrize('folder', FEATURE_FOLDERS)
def test_feature_files(demo_root, fixtures_root, folder):
    contents = []
    for root in (demo_root, fixtures_root):
        files = sorted((root / folder).rglob('*.pt'))
        assert files, root / folder
        contents.append(
            {f'sequence_{i}': torch.load(f, weights_only=True) for i, f in enumerate(files)}
        )
    _compare(*contents, folder)


def test_support_files(demo_root, fixtures_root):
    ours = {path.name for path in (demo_root / 'support').iterdir()}
    assert ours == {path.name for path in (fixtures_root / 'support').iterdir()}
    for name in ours:
        first, second = (
            torch.load(root / 'support' / name, weights_only=True)
            for root in (demo_root, fixtures_root)
        )
        assert first.shape == second.shape and first.dtype == second.dtype
        assert first.layout == second.layout


@pytest.mark.parametrize('gender', ['NEUTRAL', 'MALE', 'FEMALE'])
def test_body_models(demo_root, fixtures_root, gender):
    smplx = f'body_models/smplx/SMPLX_{gender}.npz'
    with np.load(demo_root / smplx) as ours, np.load(fixtures_root / smplx) as reference:
        _compare_arrays(dict(ours), dict(reference))
    models = []
    for root in (demo_root, fixtures_root):
        with open(root / f'body_models/smpl/SMPL_{gender}.pkl', 'rb') as file:
            models.append(pickle.load(file))
    _compare_arrays(*models)


def _compare_arrays(ours, reference):
    assert set(ours) == set(reference)
    for key, value in reference.items():
        assert type(ours[key]) is type(value), key
        if isinstance(value, str):
            assert ours[key] == value
            continue
        assert ours[key].dtype == value.dtype, key
        free = key in ('f', 'ft')  # the number of triangles is the mesh's own business
        assert ours[key].shape[free:] == value.shape[free:], key
    np.testing.assert_array_equal(ours['kintree_table'], reference['kintree_table'])
