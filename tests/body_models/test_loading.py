import pickle

import numpy as np
import pytest
import torch

from gvhmr_da_mm.body_models import (
    SMPLBody,
    SMPLXBody,
    SMPLXLight,
    get_body_model,
    load_regressor,
    smplx_light,
)
from gvhmr_da_mm.body_models.loading import body_model_file, load_body_arrays
from gvhmr_da_mm.body_models.regressors import REGRESSOR_FILES
from gvhmr_da_mm.core.conventions import PARENTS_22
from gvhmr_da_mm.core.errors import ConfigError, DataError, MissingFilesError, ShapeError
from gvhmr_da_mm.registry import MODELS

NUM_VERTS, NUM_SMPL_VERTS = 40, 30


def smplx_content(num_shapes=20):
    rng = np.random.default_rng(0)
    parents = [*PARENTS_22, 15, 15, 15]
    for wrist, first in ((20, 25), (21, 40)):
        for finger in range(5):
            base = first + 3 * finger
            parents += [wrist, base, base + 1]
    kintree = np.array([parents, range(55)])
    kintree[0, 0] = 2**32 - 1
    return {
        'v_template': rng.normal(size=(NUM_VERTS, 3)),
        'shapedirs': rng.normal(size=(NUM_VERTS, 3, num_shapes)),
        'posedirs': rng.normal(size=(NUM_VERTS, 3, 486)),
        'J_regressor': np.full((55, NUM_VERTS), 1 / NUM_VERTS),
        'weights': np.full((NUM_VERTS, 55), 1 / 55),
        'f': np.array([[0, 1, 2]], np.uint32),
        'kintree_table': kintree.astype(np.uint32),
        'hands_meanl': rng.normal(size=45),
        'hands_meanr': rng.normal(size=45),
    }


def write_data_root(root, **changes):
    """Write a tiny SMPL-X and its resources under ``root``."""
    content = {**smplx_content(), **changes}
    folder = root / 'body_models' / 'smplx'
    folder.mkdir(parents=True)
    np.savez(folder / 'SMPLX_NEUTRAL.npz', **{k: v for k, v in content.items() if v is not None})
    support = root / 'support'
    support.mkdir()
    rows = torch.arange(NUM_SMPL_VERTS)
    torch.save(
        torch.sparse_coo_tensor(
            torch.stack((rows, rows + 3)),
            torch.ones(NUM_SMPL_VERTS),
            (NUM_SMPL_VERTS, NUM_VERTS),
            check_invariants=True,
        ),
        support / REGRESSOR_FILES['smplx2smpl'],
    )
    coco = torch.zeros(17, NUM_SMPL_VERTS)
    coco[range(17), range(17)] = 1
    torch.save(coco, support / REGRESSOR_FILES['coco17'])
    torch.save(torch.tensor([39, 0, 5]), support / REGRESSOR_FILES['verts437'])
    return root


def test_other_vertex_counts_and_shape_spaces(tmp_path):
    light = SMPLXLight(write_data_root(tmp_path, **smplx_content(num_shapes=400)))
    assert light.num_vertices == len({39, 0, 5, *range(3, 20)})
    verts, coco = light(torch.randn(2, 63), torch.randn(2, 10))
    assert verts.shape == (2, 3, 3) and coco.shape == (2, 17, 3)
    with pytest.raises(ShapeError, match='betas'):
        light(torch.randn(2, 63), torch.randn(2, 16))


def test_files_are_read_once_until_they_change(tmp_path, monkeypatch):
    root, read = write_data_root(tmp_path), []

    def count(path, kind):
        read.append(path)
        return load_body_arrays(path, kind)

    monkeypatch.setattr(smplx_light, 'load_body_arrays', count)
    with torch.inference_mode():  # Must not be that of a training, too.
        first = SMPLXLight(root).double()
    second = SMPLXLight(root, vertices=False)
    assert len(read) == 1
    assert not second.vertices and first.vertices and not second.template.is_inference()
    assert (first.dtype, second.dtype) == (torch.float64, torch.float32)
    assert (first.coco_body.dtype, second.coco_body.dtype) == (torch.float64, torch.float32)
    for name, value in second.double().named_buffers():
        assert torch.equal(value, first.get_buffer(name)), name
        value.zero_()
    assert SMPLXLight(root).template.any()
    assert SMPLXLight(root, num_betas=5).num_betas == 5 and SMPLXLight(root).num_betas == 10
    torch.set_default_dtype(torch.float64)
    try:
        exact = SMPLXLight(root)
    finally:
        torch.set_default_dtype(torch.float32)
    assert exact.dtype == exact.coco_body.dtype == torch.float64
    exact.template.zero_()
    assert SMPLXLight(root).template.any()

    path, _ = body_model_file('smplx', data_root=root)
    content = smplx_content()
    np.savez_compressed(path, **{**content, 'v_template': content['v_template'] + 1})
    moved = SMPLXLight(root).template.unflatten(0, (3, -1)) - second.template.unflatten(0, (3, -1))
    assert moved.mean() > 0.9
    torch.save(torch.tensor([39, 1, 6, 7]), root / 'support' / REGRESSOR_FILES['verts437'])
    assert len(SMPLXLight(root).verts_index) == 4


def test_all_missing_files_are_listed(tmp_path):
    with pytest.raises(MissingFilesError) as error:
        SMPLXLight(tmp_path)
    message = str(error.value)
    expected = ['SMPLX_NEUTRAL.npz', 'https://smpl-x.is.tue.mpg.de', 'hmr4d/utils/body_model']
    expected += [REGRESSOR_FILES[name] for name in ('coco17', 'smplx2smpl', 'verts437')]
    for part in (*expected, '4 file(s)'):
        assert part in message
    with pytest.raises(MissingFilesError, match='https://smpl.is.tue.mpg.de'):
        SMPLBody(tmp_path, 'male')
    with pytest.raises(MissingFilesError, match='smplx2smpl_sparse'):
        SMPLXBody(tmp_path)
    with pytest.raises(MissingFilesError, match='3dpw14'):
        load_regressor('3dpw14', tmp_path)


def test_paths(tmp_path, monkeypatch):
    monkeypatch.setenv('GVHMR_DATA_ROOT', str(tmp_path))
    default, _ = body_model_file('smplx', 'male')
    assert default == tmp_path / 'body_models' / 'smplx' / 'SMPLX_MALE.npz'
    assert body_model_file('smpl', model_path=tmp_path)[0] == tmp_path / 'SMPL_NEUTRAL.pkl'
    assert body_model_file('smplx', model_path=tmp_path / 'mine.npz')[0] == tmp_path / 'mine.npz'
    with pytest.raises(ConfigError, match='gender.*unknown'):
        body_model_file('smplx', 'unknown')


@pytest.mark.parametrize(
    'changes, message',
    [
        ({'posedirs': None}, r'lacks \[.posedirs.\]'),
        ({'weights': np.zeros((NUM_VERTS, 24))}, r'`weights` should have shape \(V=40, J=55\)'),
        ({'hands_meanl': np.zeros(12)}, r'`hands_meanl` should have shape \(H=45\), got \(12,\)'),
        ({'J_regressor': np.full((55, NUM_VERTS), np.nan)}, '`J_regressor`.*not finite'),
        ({'f': np.array([[0, 1, NUM_VERTS]])}, '`f` should be vertices 0 to 39'),
        ({'kintree_table': np.full((2, 55), 60)}, '`kintree_table` should be 0 to 54, got'),
        ({'v_template': np.array([None, 1])}, '`v_template` cannot be read'),
    ],
)
def test_wrong_content_is_named(tmp_path, changes, message):
    write_data_root(tmp_path, **changes)
    with pytest.raises(DataError, match=f'SMPLX_NEUTRAL.npz.*{message}'):
        SMPLXLight(tmp_path)


def test_unneeded_object_arrays_are_not_unpickled(tmp_path):
    class Exploit:
        def __reduce__(self):
            return (tmp_path / 'executed').touch, ()

    write_data_root(tmp_path, joint2num=np.array([Exploit()], object))
    SMPLXLight(tmp_path)
    assert not (tmp_path / 'executed').exists()


def test_pickled_smplx_and_wrong_file_kinds(tmp_path):
    path = tmp_path / 'SMPLX_NEUTRAL.pkl'
    path.write_bytes(pickle.dumps(smplx_content()))
    assert load_body_arrays(path, 'smplx').parents[:22] == PARENTS_22
    path.write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(DataError, match='should hold a dict'):
        load_body_arrays(path, 'smplx')
    archive = tmp_path / 'SMPLX_NEUTRAL.npz'
    archive.write_bytes(b'no archive')
    with pytest.raises(DataError, match='should be an .npz archive'):
        load_body_arrays(archive, 'smplx')
    with pytest.raises(DataError, match='.npz or .pkl'):
        load_body_arrays(tmp_path / 'SMPLX_NEUTRAL.txt', 'smplx')


def test_resources_must_fit_each_other(tmp_path):
    write_data_root(tmp_path)
    path = tmp_path / 'support' / REGRESSOR_FILES['verts437']
    torch.save(torch.tensor([0, NUM_VERTS]), path)
    with pytest.raises(DataError, match='ids below 40'):
        SMPLXLight(tmp_path)
    torch.save(torch.rand(3), path)
    with pytest.raises(DataError, match='vertex ids'):
        SMPLXLight(tmp_path)
    torch.save(torch.tensor([0, 1]), path)
    path = tmp_path / 'support' / REGRESSOR_FILES['smplx2smpl']
    torch.save(torch.eye(NUM_SMPL_VERTS).to_sparse_coo(), path)
    with pytest.raises(DataError, match=r'should have shape \(30, 40\)'):
        SMPLXLight(tmp_path)
    with pytest.raises(DataError, match='should have 40 columns'):
        SMPLXBody(tmp_path)


def test_regressor_errors(tmp_path):
    with pytest.raises(ConfigError, match='coco18'):
        load_regressor('coco18', tmp_path)
    path = tmp_path / REGRESSOR_FILES['smpl24']
    torch.save(torch.zeros(17, 5), path)
    with pytest.raises(DataError, match=r'should have shape \(24, vertices\), got \(17, 5\)'):
        load_regressor('smpl24', support_dir=tmp_path)
    torch.save({'J': torch.zeros(24, 5)}, path)
    with pytest.raises(DataError, match='one tensor, got dict'):
        load_regressor('smpl24', support_dir=tmp_path)
    path.write_bytes(b'no tensor')
    with pytest.raises(DataError, match='torch.save'):
        load_regressor('smpl24', support_dir=tmp_path)


@pytest.mark.fixtures
def test_regressors(fixtures_root):
    for name, rows in {'smpl24': 24, 'coco17': 17, '3dpw14': 14}.items():
        regressor = load_regressor(name, fixtures_root)
        assert regressor.shape == (rows, 6890) and not regressor.is_sparse
    assert load_regressor('smplx2smpl', support_dir=fixtures_root / 'support').is_sparse
    assert load_regressor('verts437', fixtures_root).shape == (437,)


def test_registered(tmp_path):
    write_data_root(tmp_path)
    assert isinstance(MODELS.build({'type': 'SMPLXLight', 'data_root': tmp_path}), SMPLXLight)
    assert {'SMPLXBody', 'SMPLBody'} <= set(MODELS.module_dict)


def test_cache_follows_the_data_root(tmp_path, monkeypatch):
    first, second = write_data_root(tmp_path / 'a'), write_data_root(tmp_path / 'b')
    model = get_body_model('smplx_light', data_root=first)
    assert get_body_model('smplx_light', 'neutral', str(first)) is model
    assert not model.training
    monkeypatch.setenv('GVHMR_DATA_ROOT', str(first))
    assert get_body_model('smplx_light') is model
    monkeypatch.setenv('GVHMR_DATA_ROOT', str(second))
    assert get_body_model('smplx_light') is not model
    assert get_body_model('smplx', flat_hand_mean=True) is not get_body_model('smplx')
    with pytest.raises(ConfigError, match='smplh'):
        get_body_model('smplh')
