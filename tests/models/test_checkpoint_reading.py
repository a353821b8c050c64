"""Checkpoints of any origin: tensors are read, nothing is run."""

import argparse
import collections
import os
import pickle
import sys
import types

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer

from gvhmr_da_mm.apis import check_checkpoint
from gvhmr_da_mm.core.errors import CheckpointError, MissingFilesError
from gvhmr_da_mm.models.checkpoint_reading import read_checkpoint

WEIGHTS = {
    'a': torch.arange(6.0).reshape(2, 3).T,
    'half': torch.ones(2, dtype=torch.bfloat16),
    'flag': torch.tensor(True),
}


class Exploit:
    """Writes a file when it is unpickled without care."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.fixture
def lightning():
    """A stand-in for a package that is not installed where the file is read."""
    name = 'pytorch_lightning.callbacks'
    module = types.ModuleType(name)

    class Callback(dict):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.best = 1

    class Scores(list):
        pass

    for kind in (Callback, Scores):
        kind.__module__, kind.__qualname__ = name, kind.__name__
        setattr(module, kind.__name__, kind)
    parent = types.ModuleType('pytorch_lightning')
    parent.callbacks = module
    sys.modules.update({'pytorch_lightning': parent, name: module})
    yield module
    for key in ('pytorch_lightning', name):
        sys.modules.pop(key, None)


def assert_weights(state_dict):
    assert set(state_dict) == set(WEIGHTS)
    for name, value in WEIGHTS.items():
        assert torch.equal(state_dict[name], value) and state_dict[name].dtype == value.dtype


@pytest.mark.parametrize('zipped', [True, False])
def test_plain_checkpoints(tmp_path, zipped):
    path = tmp_path / 'a.ckpt'
    content = dict(state_dict=collections.OrderedDict(WEIGHTS), epoch=3)
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    checkpoint = read_checkpoint(path)
    assert_weights(checkpoint.state_dict)
    assert checkpoint.content['epoch'] == 3 and not checkpoint.stored_only
    torch.save(WEIGHTS, path)
    assert_weights(read_checkpoint(path).state_dict)


@pytest.mark.parametrize('zipped', [True, False])
def test_objects_of_lightning_are_passed_over_without_their_package(tmp_path, lightning, zipped):
    path = tmp_path / 'a.ckpt'
    content = dict(
        callbacks={lightning.Callback(x=1).__class__: lightning.Callback(x=1)},
        hyper_parameters=argparse.Namespace(a=1),
        scores=lightning.Scores([1, 2]),
        rate=np.float64(0.5),
        table=np.arange(3),
        shape=WEIGHTS['a'].shape,
        type=torch.float16,
        parameter=torch.nn.Parameter(torch.ones(1)),
        state_dict=WEIGHTS,
    )
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    for name in ('pytorch_lightning', 'pytorch_lightning.callbacks'):
        del sys.modules[name]
    checkpoint = read_checkpoint(path)
    assert_weights(checkpoint.state_dict)
    assert 'pytorch_lightning.callbacks.Callback' in checkpoint.stored_only
    assert 'argparse.Namespace' in checkpoint.stored_only
    assert not any(name.startswith('pytorch_lightning') for name in sys.modules)
    assert checkpoint.content['rate'] == 0.5 and checkpoint.content['table'].tolist() == [0, 1, 2]
    # MMEngine would import the package and make the objects.
    with pytest.raises(CheckpointError, match='Callback.*gvhmr_to_mm.py'):
        check_checkpoint(path)


def test_a_checkpoint_of_mmengine(tmp_path):
    path = tmp_path / 'epoch_1.pth'
    history = HistoryBuffer([0.5, 0.25], [1, 1])
    torch.save(dict(state_dict=WEIGHTS, message_hub=dict(log_scalars={'loss': history})), path)
    checkpoint = read_checkpoint(path)
    assert_weights(checkpoint.state_dict)
    assert not checkpoint.stored_only
    restored = checkpoint.content['message_hub']['log_scalars']['loss']
    assert type(restored) is HistoryBuffer and restored.data[0].tolist() == [0.5, 0.25]
    assert restored.statistics('mean') == 0.375
    check_checkpoint(path)


@pytest.mark.parametrize('zipped', [True, False])
@pytest.mark.parametrize('place', ['beside', 'as weight'])
def test_an_exploit_is_refused(tmp_path, zipped, place):
    path, marker = tmp_path / 'evil.ckpt', tmp_path / 'marker'
    exploit = Exploit(os.system, f'touch {marker}')
    content = dict(state_dict=dict(WEIGHTS), callbacks=exploit)
    if place == 'as weight':
        content = dict(state_dict=dict(WEIGHTS, b=exploit))
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    for read in (read_checkpoint, check_checkpoint):
        with pytest.raises(CheckpointError, match=r'system`.*could run code.*Nothing'):
            read(path)
    assert not marker.exists()
    # The exploit is a real one: unguarded loading does run it.
    torch.load(path, weights_only=False)
    assert marker.exists()


@pytest.mark.parametrize(
    'exploit',
    [
        Exploit(getattr, os, 'system'),
        Exploit(getattr, HistoryBuffer, '__init__'),
        Exploit(getattr, HistoryBuffer, 'register_statistics'),
        Exploit(eval, '1'),
        Exploit(exec, ''),
        Exploit(__import__, 'os'),
        Exploit(torch.hub.load, 'a', 'b'),
        Exploit(torch.load, 'a'),
        Exploit(np.load, 'a'),
        Exploit(pickle.loads, b''),
    ],
    # Not the functions as text: their addresses differ between processes that share the tests.
    ids=lambda exploit: f'{exploit.call[0].__module__}.{exploit.call[0].__qualname__}',
)
def test_functions_that_lead_to_code_are_refused(tmp_path, exploit, monkeypatch):
    path = tmp_path / 'evil.ckpt'
    if exploit.call[1][:1] == (os,):  # A module itself cannot be pickled.
        exploit.call = getattr, (HistoryBuffer, '__globals__')
    torch.save(dict(state_dict=WEIGHTS, callbacks=exploit), path)
    with pytest.raises(CheckpointError):
        read_checkpoint(path)


def test_files_that_are_no_checkpoints(tmp_path):
    with pytest.raises(MissingFilesError, match='none.ckpt'):
        read_checkpoint(tmp_path / 'none.ckpt')
    path = tmp_path / 'a.ckpt'
    torch.save(dict(state_dict=WEIGHTS), path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(CheckpointError, match='half-downloaded'):
        read_checkpoint(path)
    torch.save([1, 2], path)
    with pytest.raises(CheckpointError, match='a dict.*got list'):
        read_checkpoint(path)
    for content in (dict(epoch=1), dict(state_dict=dict(a=1)), dict(state_dict={})):
        torch.save(content, path)
        with pytest.raises(CheckpointError, match='`state_dict` of named tensors, got the entries'):
            _ = read_checkpoint(path).state_dict
