import copyreg
import os
import pickle
import sys
import types

import numpy as np
import pytest
import scipy.sparse

from gvhmr_da_mm.core.errors import DataError
from gvhmr_da_mm.fileio.restricted_pickle import load_restricted_pickle, stored_array


class _Exploit:
    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize('protocol', [0, 2, 4])
def test_code_in_a_pickle_is_refused_and_not_run(tmp_path, protocol):
    marker = tmp_path / 'executed'
    path = tmp_path / 'SMPL_NEUTRAL.pkl'
    content = {'v_template': np.zeros((4, 3)), 'x': _Exploit(os.system, f'touch {marker}')}
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    with pytest.raises(DataError, match=r'SMPL_NEUTRAL.pkl refers to `\w+.system`'):
        load_restricted_pickle(path)
    assert not marker.exists()
    with path.open('rb') as file:  # the same file does run where nothing restricts it
        pickle.load(file)
    assert marker.exists()


@pytest.mark.parametrize(
    'function, args',
    [
        (eval, ('1 + 1',)),
        (getattr, (np.ndarray, 'tofile')),
        (np.load, ('file.npy', None, True)),
        (np.fromfile, ('file',)),
        (copyreg.add_extension, ('os', 'system', 1)),
        (pickle.loads, (b'N.',)),
    ],
)
def test_other_names_are_refused(tmp_path, function, args):
    path = tmp_path / 'model.pkl'
    path.write_bytes(pickle.dumps(_Exploit(function, *args), protocol=2))
    with pytest.raises(DataError, match='could run code'):
        load_restricted_pickle(path)


def _call(module, name, argument):
    """Pickle ``module.name(argument)`` by hand: protocol 4 resolves dotted names step by step."""
    pushed = (b'\x8c' + bytes([len(text)]) + text.encode() for text in (module, name))
    text = b'\x8c' + bytes([len(argument)]) + argument.encode()
    return b'\x80\x04' + b''.join(pushed) + b'\x93' + text + b'\x85R.'


def test_dotted_names_reach_nothing(tmp_path):
    path, marker = tmp_path / 'model.pkl', tmp_path / 'executed'
    path.write_bytes(_call('numpy', 'ndarray.fromfile', 'file'))
    with pytest.raises(DataError, match='refers to `numpy.ndarray.fromfile`'):
        load_restricted_pickle(path)
    path.write_bytes(_call('scipy.sparse', '_sputils.os.system', f'touch {marker}'))
    assert load_restricted_pickle(path).state is None
    assert not marker.exists()


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_and_plain_values(tmp_path, protocol):
    path = tmp_path / 'model.pkl'
    content = {
        'float16': np.arange(6, dtype=np.float16).reshape(2, 3),
        'fortran': np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        'zeros': np.zeros((2, 2), np.uint32),
        'scalar': np.float64(2.5),
        'text': 'lbs',
        'list': [1, 2.0, None, {'a': (True, {3})}],
    }
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    loaded = load_restricted_pickle(path)
    for key in ('float16', 'fortran', 'zeros'):
        np.testing.assert_array_equal(stored_array(loaded[key]), content[key])
        assert loaded[key].dtype == content[key].dtype
    assert {k: loaded[k] for k in ('scalar', 'text', 'list')} == {
        k: content[k] for k in ('scalar', 'text', 'list')
    }


def test_zeros_stored_as_a_call(tmp_path):
    path = tmp_path / 'model.pkl'
    path.write_bytes(pickle.dumps({'posedirs': _Exploit(np.zeros, (2, 3))}, protocol=3))
    assert load_restricted_pickle(path)['posedirs'].shape == (2, 3)


@pytest.mark.parametrize('protocol', [0, 2, 4])
@pytest.mark.parametrize('kind', ['csc', 'csr'])
def test_sparse_matrices_become_dense(tmp_path, kind, protocol):
    dense = np.random.default_rng(0).normal(size=(4, 7)) * (np.arange(7) % 3 == 0)
    matrix = getattr(scipy.sparse, f'{kind}_matrix')(dense)
    path = tmp_path / 'model.pkl'
    path.write_bytes(pickle.dumps(matrix, protocol=protocol))
    np.testing.assert_array_equal(stored_array(load_restricted_pickle(path)), dense)


def test_other_sparse_matrices_are_named(tmp_path):
    path = tmp_path / 'model.pkl'
    path.write_bytes(pickle.dumps(scipy.sparse.bsr_matrix(np.eye(2))))
    with pytest.raises(DataError, match='bsr_matrix'):
        stored_array(load_restricted_pickle(path))


@pytest.fixture
def chumpy_pickle(tmp_path):
    """Pickle with classes of a fake chumpy, which does not exist when the file is read."""

    def dump(build, protocol=2):
        names = {}
        for module, classes in {
            'chumpy.ch': ['Ch', 'MatVecMult'],
            'chumpy.reordering': ['Select'],
        }.items():
            sys.modules[module] = types.ModuleType(module)
            for name in classes:
                names[name] = type(name, (), {'__module__': module})
                setattr(sys.modules[module], name, names[name])
        sys.modules['chumpy'] = types.ModuleType('chumpy')
        try:
            data = pickle.dumps(build(names), protocol=protocol)
        finally:
            for module in ('chumpy', 'chumpy.ch', 'chumpy.reordering'):
                del sys.modules[module]
        path = tmp_path / 'model.pkl'
        path.write_bytes(data)
        return path

    return dump


def _make(cls, **state):
    instance = cls()
    instance.__dict__.update(state)
    return instance


@pytest.mark.parametrize('protocol', [0, 2])
def test_chumpy_arrays_without_chumpy(chumpy_pickle, protocol):
    values = np.random.default_rng(0).normal(size=(2, 3, 4))

    def build(chumpy):
        array = _make(chumpy['Ch'], x=values, _dirty_vars={'x'}, _itr=None)
        picked = _make(chumpy['Select'], a=array, idxs=np.arange(6)[::-1], preferred_shape=(3, 2))
        return {'shapedirs': array, 'picked': picked}

    loaded = load_restricted_pickle(chumpy_pickle(build, protocol))
    assert 'chumpy' not in sys.modules
    np.testing.assert_array_equal(stored_array(loaded['shapedirs']), values)
    np.testing.assert_array_equal(
        stored_array(loaded['picked']), values.ravel()[5::-1].reshape(3, 2)
    )


def test_computed_chumpy_values_are_named(chumpy_pickle):
    path = chumpy_pickle(lambda chumpy: _make(chumpy['MatVecMult'], mtx=np.eye(2)))
    with pytest.raises(DataError, match=r'chumpy.ch.MatVecMult.*clean_ch'):
        stored_array(load_restricted_pickle(path))


@pytest.mark.parametrize('content', [b'', b'not a pickle', pickle.dumps(np.zeros(9))[:-20]])
def test_damaged_files(tmp_path, content):
    path = tmp_path / 'model.pkl'
    path.write_bytes(content)
    with pytest.raises(DataError, match='model.pkl should be a pickle'):
        load_restricted_pickle(path)


def test_values_that_are_not_arrays():
    for value in ('text', None, np.array(['a']), np.array([None])):
        with pytest.raises(DataError, match='expected an array of numbers'):
            stored_array(value)
