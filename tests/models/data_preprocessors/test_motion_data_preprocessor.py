import pytest
import torch

from gvhmr_da_mm.core.errors import DataError
from gvhmr_da_mm.models import MotionDataPreprocessor
from tests.testing import toy_batch, toy_inputs


def test_lists_become_batches():
    batch = toy_batch('synthetic', 3, 7)
    data = MotionDataPreprocessor()(batch, training=True)
    assert data['inputs']['kp2d'].shape == (3, 7, 17, 3)
    assert data['inputs']['has_kp2d'].shape == (3,)
    assert all(
        torch.equal(data['inputs'][name][1], batch['inputs'][name][1]) for name in batch['inputs']
    )
    given = batch['data_samples']
    assert [one.sequence for one in data['data_samples']] == [one.sequence for one in given]


def test_batched_inputs_without_samples_pass():
    inputs = toy_inputs(2, 5)
    data = MotionDataPreprocessor()(dict(inputs=inputs))
    assert all(torch.equal(data['inputs'][name], inputs[name]) for name in inputs)
    assert data['data_samples'] is None


def test_clips_of_different_lengths_are_refused():
    batch = toy_batch('real', 2, 7)
    batch['inputs']['kp2d'][1] = batch['inputs']['kp2d'][1][:5]
    with pytest.raises(DataError, match=r'`kp2d`.*\(5, 17, 3\).*\(7, 17, 3\).*batch size of 1'):
        MotionDataPreprocessor()(batch)


def test_labels_move_with_the_inputs():
    data = MotionDataPreprocessor().to('cpu')(toy_batch('synthetic', 1))
    assert data['data_samples'][0].gt_instances.body_pose.device == data['inputs']['kp2d'].device
