"""Files that were written under NumPy 1 are read under NumPy 2, and the reverse."""

import pickle
import zipfile

import numpy as np
import pytest
import torch

from gvhmr_da_mm.fileio.restricted_pickle import load_restricted_pickle
from gvhmr_da_mm.models.checkpoint_reading import read_checkpoint

MODULES = (b'cnumpy.core.', b'cnumpy._core.')
"""How pickles name NumPy's module, in generation 1 and 2."""
CONTENT = dict(
    array=np.arange(6, dtype=np.float32).reshape(2, 3),
    scalar=np.float64(1.5),
    count=np.int64(7),
    names=np.array(['left', 'right']),
)


def as_written_under(generation, content):
    """Return a pickle as that generation of NumPy writes it."""
    own = MODULES[int(np.__version__.split('.')[0]) - 1]
    assert own in content
    return content.replace(own, MODULES[generation - 1])


def assert_read(found):
    assert found['scalar'] == 1.5 and found['count'] == 7
    np.testing.assert_array_equal(found['array'], CONTENT['array'])
    assert list(found['names']) == ['left', 'right']


@pytest.mark.parametrize('generation', [1, 2])
def test_raw_pickle(generation, tmp_path):
    path = tmp_path / 'file.pkl'
    path.write_bytes(as_written_under(generation, pickle.dumps(CONTENT, protocol=2)))
    assert_read(load_restricted_pickle(path))


@pytest.mark.parametrize('generation', [1, 2])
def test_checkpoint(generation, tmp_path):
    path = tmp_path / 'own.pth'
    torch.save(dict(state_dict=dict(w=torch.ones(2)), message_hub=CONTENT), path)
    other = tmp_path / 'other.pth'
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(other, 'w') as target:
        for name in source.namelist():
            content = source.read(name)
            if name.endswith('data.pkl'):
                content = as_written_under(generation, content)
            target.writestr(name, content)
    checkpoint = read_checkpoint(other, mmap=False).content
    assert torch.equal(checkpoint['state_dict']['w'], torch.ones(2))
    assert_read(checkpoint['message_hub'])
