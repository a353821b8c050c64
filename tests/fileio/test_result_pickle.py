"""Pickles of other methods, as joblib, NumPy and PyTorch write them."""

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import torch

from gvhmr_da_mm.core.errors import DataError
from gvhmr_da_mm.fileio.result_pickle import load_result_pickle
from tests import exploits

CONTENT = dict(
    pose=np.random.default_rng(0).normal(size=(3, 72)).astype(np.float32),
    frame_ids=np.arange(3),
    columns=np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    flags=np.array([True, False]),
    empty=np.zeros((0, 10)),
    name='walk',
)


def assert_same(found, expected):
    assert set(found) == set(expected)
    for name, value in expected.items():
        if isinstance(value, (np.ndarray, torch.Tensor)):
            value = np.asarray(value)
            assert found[name].dtype == value.dtype and found[name].shape == value.shape
            np.testing.assert_array_equal(found[name], value)
        else:
            assert found[name] == value


@pytest.mark.parametrize('protocol', [2, None])
def test_files_of_joblib(tmp_path, protocol):
    joblib = pytest.importorskip('joblib', reason='requirements/tests.txt has joblib')
    people = defaultdict(dict)
    people[0].update(CONTENT)
    people[3].update(pose=CONTENT['pose'] + 1)
    joblib.dump(people, tmp_path / 'a.pkl', protocol=protocol)
    found = load_result_pickle(tmp_path / 'a.pkl')
    assert list(found) == [0, 3]
    assert_same(found[0], CONTENT)
    np.testing.assert_array_equal(found[3]['pose'], people[3]['pose'])


def test_files_of_numpy_with_tensors(tmp_path):
    content = {name: torch.from_numpy(np.ascontiguousarray(CONTENT[name])) for name in ('pose',)}
    content.update(part=torch.arange(10.0)[2:8].view(2, 3).T, ids=torch.arange(3), plain=[1, 2])
    np.save(tmp_path / 'a.npy', content)
    assert_same(load_result_pickle(tmp_path / 'a.npy'), content)
    np.save(tmp_path / 'b.npy', CONTENT['pose'])
    np.testing.assert_array_equal(load_result_pickle(tmp_path / 'b.npy'), CONTENT['pose'])


def dump_with(module, marker):
    """Return a function that writes a file with an object, as others do."""
    joblib = pytest.importorskip('joblib')
    return dict(
        joblib=lambda path, content: joblib.dump(content, path),
        numpy=lambda path, content: np.save(path, np.array(content, dtype=object)),
    )[module]


@pytest.mark.parametrize('module', ['joblib', 'numpy'])
@pytest.mark.parametrize('name', exploits.OBJECTS)
def test_code_is_refused_and_not_run(tmp_path, module, name):
    marker = tmp_path / 'marker'
    path = tmp_path / 'evil.npy'
    with path.open('wb') as file:
        dump_with(module, marker)(file, dict(pose=exploits.objects(marker)[name]))
    with pytest.raises(DataError, match='Nothing in it was run') as error:
        load_result_pickle(path)
    assert str(path) in str(error.value) and not marker.exists()


@pytest.mark.parametrize('name', exploits.gadgets(Path('marker')))
def test_gadgets_are_refused(tmp_path, name):
    marker = tmp_path / 'marker'
    path = tmp_path / 'evil.pkl'
    path.write_bytes(exploits.gadgets(marker)[name])
    with pytest.raises(DataError):
        load_result_pickle(path)
    assert not marker.exists()


def test_damaged_and_compressed_files(tmp_path):
    joblib = pytest.importorskip('joblib')
    path = tmp_path / 'a.pkl'
    joblib.dump(CONTENT, path)
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(DataError, match='a.pkl'):
        load_result_pickle(path)
    joblib.dump(CONTENT, path, compress=3)
    with pytest.raises(DataError, match='compress=0'):
        load_result_pickle(path)
