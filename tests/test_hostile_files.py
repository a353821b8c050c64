"""Files that would run code: refused by every reader, by name, and nothing is run."""

import collections
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner import CheckpointLoader
from mmengine.runner.checkpoint import (
    _load_checkpoint,
    load_from_ceph,
    load_from_local,
    load_from_torchvision,
)

from gvhmr_da_mm.apis import check_checkpoint
from gvhmr_da_mm.body_models.loading import load_body_arrays
from gvhmr_da_mm.codecs import MotionCodec
from gvhmr_da_mm.core.errors import GVHMRError
from gvhmr_da_mm.datasets.pack_io import load_pack, read_pack
from gvhmr_da_mm.engine.safe_loading import load_from_restricted_pickle, safe_checkpoint_loading
from gvhmr_da_mm.fileio import tensor_file
from gvhmr_da_mm.fileio.restricted_pickle import load_restricted_pickle
from gvhmr_da_mm.models.checkpoint_reading import read_checkpoint
from tests import exploits

WEIGHTS = {'a': torch.arange(3.0)}
GADGETS = list(exploits.gadgets(Path('marker')))


def load_with_mmengine(path):
    with safe_checkpoint_loading():
        return _load_checkpoint(str(path), map_location='cpu')


CHECKPOINT_READERS = [read_checkpoint, check_checkpoint, load_with_mmengine]


def assert_refused(read, path, marker):
    with pytest.raises(GVHMRError) as error:
        read(path)
    assert str(path) in str(error.value)
    assert not marker.exists()
    return str(error.value)


@pytest.fixture
def marker(tmp_path):
    return tmp_path / 'marker'


@pytest.mark.parametrize('zipped', [True, False], ids=['zip', 'legacy'])
@pytest.mark.parametrize('name', exploits.OBJECTS)
def test_checkpoints(tmp_path, marker, name, zipped):
    path = tmp_path / 'evil.pth'
    content = dict(state_dict=WEIGHTS, message_hub=exploits.objects(marker)[name])
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    for read in CHECKPOINT_READERS:
        assert_refused(read, path, marker)
    # The exploit is a real one.
    torch.load(path, weights_only=False)
    if name != 'numpy.load':
        assert marker.exists()


@pytest.mark.parametrize('suffix', ['.pt', '.pth', '.pkl'])
@pytest.mark.parametrize('name', exploits.OBJECTS)
def test_packs(tmp_path, marker, name, suffix):
    path = tmp_path / f'pack{suffix}'
    content = {'P1_14': {'kp2d': WEIGHTS['a'], 'names': [exploits.objects(marker)[name]]}}
    for zipped in (True, False):
        torch.save(content, path, _use_new_zipfile_serialization=zipped)
        assert 'Nothing' in assert_refused(read_pack, path, marker) or suffix == '.pkl'
        assert_refused(load_pack, path, marker)
    path.write_bytes(pickle.dumps(content, protocol=2))
    assert_refused(read_pack, path, marker)


@pytest.mark.parametrize('protocol', [0, 2, 4])
@pytest.mark.parametrize('name', exploits.OBJECTS)
def test_body_models_and_raw_pickles(tmp_path, marker, name, protocol):
    path = tmp_path / 'SMPL_NEUTRAL.pkl'
    content = {'v_template': np.zeros((4, 3)), 'betas': exploits.objects(marker)[name]}
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    for read in (load_restricted_pickle, lambda file: load_body_arrays(file, 'smpl'), read_pack):
        assert '`' in assert_refused(read, path, marker)


@pytest.mark.filterwarnings('ignore:Detected pickle protocol')
@pytest.mark.parametrize('name', GADGETS)
def test_what_is_allowed_leads_nowhere(tmp_path, marker, name):
    code = exploits.gadgets(marker)[name]
    path = tmp_path / 'a.pkl'
    path.write_bytes(code)
    for read in (load_restricted_pickle, read_pack):
        assert_refused(read, path, marker)
    path = exploits.zipped(tmp_path / 'a.pth', code)
    for read in (*CHECKPOINT_READERS, read_pack):
        assert_refused(read, path, marker)
    assert not hasattr(collections.OrderedDict, 'x')


def test_formats_that_are_programs(tmp_path, marker, monkeypatch):
    tar = exploits.tar_checkpoint(tmp_path / 'tar.pth', marker)
    script = exploits.script_checkpoint(tmp_path / 'script.pth')

    def old_torch(*args, **kwargs):  # Before 2.6 `weights_only` did not keep it from reading these.
        raise AssertionError('PyTorch was asked to read a program')

    monkeypatch.setattr(tensor_file.torch, 'load', old_torch)
    for path in (tar, script):
        for read in (*CHECKPOINT_READERS, read_pack):
            assert_refused(read, path, marker)


def test_arrays_of_objects(tmp_path, marker):
    hidden = exploits.objects(marker)['object array']
    path = tmp_path / 'SMPLX_NEUTRAL.npz'
    keys = ['v_template', 'shapedirs', 'posedirs', 'J_regressor', 'weights', 'f', 'kintree_table']
    np.savez(path, **dict.fromkeys([*keys, 'hands_meanl', 'hands_meanr'], hidden))
    assert_refused(lambda file: load_body_arrays(file, 'smplx'), path, marker)
    path = tmp_path / 'statistics.npz'
    np.savez(path, mean=hidden, std=hidden)
    with pytest.raises((GVHMRError, ValueError)):
        MotionCodec(statistics=str(path))
    assert not marker.exists()
    with np.load(path, allow_pickle=True) as archive:
        _ = archive['mean']
    assert marker.exists()


@pytest.fixture
def checkpoint(tmp_path):
    """Return a checkpoint as MMEngine writes them."""
    path = tmp_path / 'epoch_1.pth'
    history = HistoryBuffer(list(range(5)), [1] * 5, max_length=7)
    content = dict(
        meta=dict(epoch=1, iter=5, cfg='a = 1', dataset_meta=dict(sigmas=np.ones(3), name='x')),
        state_dict=torch.nn.Linear(2, 2).state_dict(),
        message_hub=dict(
            log_scalars={'train/loss': history},
            runtime_info=dict(iter=5, value=np.float64(2.5)),
            resumed_keys={'train/loss': True},
        ),
        optimizer=dict(state={0: dict(step=torch.tensor(1.0))}, param_groups=[dict(lr=0.1)]),
    )
    torch.save(content, path)
    return path


def test_what_mmengine_stores_is_read_whole(checkpoint):
    loaded = load_with_mmengine(checkpoint)
    hub = loaded['message_hub']
    history = hub['log_scalars']['train/loss']
    assert type(history) is HistoryBuffer and history.max_length == 7
    assert history.data[0].tolist() == [0, 1, 2, 3, 4] and history.statistics('max') == 4
    assert hub['runtime_info']['value'] == 2.5
    assert loaded['meta']['dataset_meta']['sigmas'].tolist() == [1, 1, 1]
    assert loaded['state_dict']._metadata['']['version'] == 1
    # What is loaded can be written to, and saved again.
    loaded['optimizer']['state'][0]['step'] += 1
    torch.save(loaded, checkpoint)
    assert load_with_mmengine(checkpoint)['optimizer']['state'][0]['step'] == 2


def test_without_an_allow_list_of_torch(checkpoint, monkeypatch):
    """PyTorch before 2.4 has none, and one of somebody else's changes nothing."""
    for name in ('add_safe_globals', 'safe_globals', 'get_safe_globals'):
        monkeypatch.delattr(torch.serialization, name, raising=False)
    assert load_with_mmengine(checkpoint)['meta']['epoch'] == 1


def test_mmengines_own_loaders_come_back(monkeypatch):
    # A run that failed in an earlier test of this process leaves the restricted loader in place.
    before = {'': load_from_local, 's3:': load_from_ceph, 'torchvision://': load_from_torchvision}
    monkeypatch.setattr(CheckpointLoader, '_schemes', dict(before))
    with safe_checkpoint_loading():
        assert CheckpointLoader._get_checkpoint_loader('x.pth') is load_from_restricted_pickle
        assert CheckpointLoader._get_checkpoint_loader('s3://x') is load_from_restricted_pickle
        with pytest.raises(GVHMRError, match='Download it'):
            _load_checkpoint('torchvision://resnet50')
    assert CheckpointLoader._schemes == before


def test_addresses_are_fetched_and_read_with_care(checkpoint, marker, monkeypatch, tmp_path):
    evil = tmp_path / 'evil.pth'
    torch.save(exploits.touch(marker), evil)
    fetched = []

    def fetch(address, path, progress):
        fetched.append(address)
        shutil.copy({'good': checkpoint, 'evil': evil}[address.split('/')[-1][:4]], path)

    monkeypatch.setattr(torch.hub, 'download_url_to_file', fetch)
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path / 'hub'))
    for _ in range(2):
        assert load_with_mmengine('https://example.org/good.pth')['meta']['epoch'] == 1
    assert fetched == ['https://example.org/good.pth']
    with pytest.raises(GVHMRError, match='could run'):
        load_with_mmengine('https://example.org/evil.pth')
    assert not marker.exists()


def test_raw_pickles_become_tensors(tmp_path):
    path = tmp_path / 'outdoors_fencing_01.pkl'
    content = {
        'poses': [np.ones((5, 72)), np.zeros((5, 72))],
        'genders': ['m', 'f'],
        'cam_intrinsics': np.eye(3, dtype='>f4'),
        'campose_valid': np.ones((2, 5), dtype=bool),
        'frames': np.arange(3, dtype=np.uint32),
        'scale': np.float32(2.5),
    }
    path.write_bytes(pickle.dumps(content, protocol=2))
    pack = read_pack(path)
    assert pack['poses'][0].shape == (5, 72) and pack['poses'][0].dtype == torch.float64
    assert torch.equal(pack['cam_intrinsics'], torch.eye(3)) and pack['genders'] == ['m', 'f']
    assert pack['campose_valid'].all() and pack['frames'].tolist() == [0, 1, 2]
    assert pack['scale'] == 2.5
