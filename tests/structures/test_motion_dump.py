import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample

from gvhmr_da_mm.core.errors import DataError, MissingFilesError
from gvhmr_da_mm.structures import dump_name, read_motion_dump, sample_inputs, write_motion_dump

FRAMES = 5


def make_sample(**metainfo):
    sample = PoseDataSample(
        metainfo=dict(dataset='toy', sequence='walk', img_shape=(60, 80), **metainfo)
    )
    sample.pred_instances = InstanceData(
        body_pose=torch.randn(FRAMES, 63), keypoints=np.ones((FRAMES, 22, 3), np.float32)
    )
    sample.gt_instances = InstanceData(mask=torch.arange(FRAMES) > 0, T_w2c=torch.randn(FRAMES, 4))
    return sample


def test_what_is_read_is_what_was_written(tmp_path):
    sample = make_sample(start=0, gain=np.float64(0.5))
    path = tmp_path / 'new' / 'walk.npz'
    inputs = dict(K_fullimg=torch.randn(FRAMES, 3, 3), f_imgseq=torch.randn(FRAMES, 1024))
    write_motion_dump(path, sample.to_dict(), inputs)
    read = read_motion_dump(path)
    assert len(read) == FRAMES
    for owner in ('pred_instances', 'gt_instances'):
        before, after = getattr(sample, owner), getattr(read.sample, owner)
        assert sorted(before.keys()) == sorted(after.keys())
        for name, value in before.items():
            assert type(after[name]) is type(value)
            assert after[name].dtype == value.dtype
            assert (after[name] == value).all()
    assert read.sample.metainfo == sample.metainfo
    assert list(read.inputs) == ['K_fullimg']
    assert torch.equal(read.inputs['K_fullimg'], inputs['K_fullimg'])
    assert [file.name for file in path.parent.iterdir()] == ['walk.npz']


def test_former_names_of_fields(tmp_path):
    path, logits = tmp_path / 'walk.npz', torch.randn(FRAMES, 6)
    sample = make_sample()
    sample.pred_instances.static_conf_logits = logits
    write_motion_dump(path, sample.to_dict(), {})
    read = read_motion_dump(path).sample.pred_instances
    assert torch.equal(read.static_logits, logits) and 'static_conf_logits' not in read


def test_names_are_unique():
    names = {
        dump_name(dict(dataset='toy', sequence=name, start=start, end=9))
        for name in ('a/b', 'a-b', 'a%2Fb', '../a')
        for start in (0, 4)
    }
    assert len(names) == 8
    assert all(name.count('/') == 1 and name.startswith('toy/') for name in names)


def test_inputs_of_a_batch():
    values = torch.arange(6).view(2, 3)
    batch = dict(inputs=dict(stacked=values, listed=list(values), flag=True))
    found = sample_inputs(batch, 1)
    assert sorted(found) == ['listed', 'stacked']
    assert torch.equal(found['stacked'], values[1]) and torch.equal(found['listed'], values[1])
    assert sample_inputs(None, 0) == {} and sample_inputs(dict(inputs=[values]), 0) == {}


def test_another_length(tmp_path):
    path = tmp_path / 'walk.npz'
    write_motion_dump(path, make_sample().to_dict(), {})
    with np.load(path) as archive:
        arrays = dict(archive)
    arrays['gt_instances.mask'] = arrays['gt_instances.mask'][:-1]
    np.savez(path, **arrays)
    with pytest.raises(DataError, match=r"5 frames.*'gt_instances.mask': 4"):
        read_motion_dump(path)


def test_other_files(tmp_path):
    with pytest.raises(MissingFilesError, match='absent.npz'):
        read_motion_dump(tmp_path / 'absent.npz')
    text = tmp_path / 'text.npz'
    text.write_text('hello')
    other = tmp_path / 'other.npz'
    np.savez(other, poses=np.zeros(3))
    empty = tmp_path / 'empty.npz'
    np.savez(empty, metainfo='{}', poses=np.zeros(3))
    cut = tmp_path / 'cut.npz'
    write_motion_dump(cut, make_sample().to_dict(), {})
    cut.write_bytes(cut.read_bytes()[:-200])
    for path in (text, other, empty, cut):
        with pytest.raises(DataError, match=path.name):
            read_motion_dump(path)


def test_what_cannot_be_stored(tmp_path):
    sample = make_sample().to_dict()
    sample['pred_instances'] = dict(names=np.array(['a', 'b']))
    with pytest.raises(DataError, match='pred_instances.names'):
        write_motion_dump(tmp_path / 'a.npz', sample, {})
    with pytest.raises(DataError, match='metainfo'):
        write_motion_dump(tmp_path / 'a.npz', make_sample(model=object()).to_dict(), {})
    assert not list(tmp_path.iterdir())
