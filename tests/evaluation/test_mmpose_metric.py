"""MMPose's own MPJPE runs on our samples, by config, beside ours."""

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.registry import DefaultScope
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample

from gvhmr_da_mm.evaluation.functional import mpjpe, pa_mpjpe
from gvhmr_da_mm.registry import METRICS


def make_sample(sequence, frames):
    generator = np.random.default_rng(frames)
    target = generator.normal(size=(frames, 22, 3)).astype(np.float32)
    noise = generator.normal(scale=0.05, size=target.shape).astype(np.float32)
    sample = PoseDataSample(
        metainfo=dict(dataset='emdb1', sequence=sequence, target_img_path=[f'emdb1_{sequence}.jpg'])
    )
    sample.gt_instances = InstanceData(
        lifting_target=target, lifting_target_visible=np.ones((frames, 22), dtype=np.float32)
    )
    sample.pred_instances = InstanceData(
        keypoints=target + noise, keypoint_scores=np.ones((frames, 22), dtype=np.float32)
    )
    return sample


@pytest.mark.parametrize('mode, ours', [('mpjpe', mpjpe), ('p-mpjpe', pa_mpjpe)])
def test_mmpose_mpjpe_by_config(mode, ours):
    samples = [make_sample('P1_14_outdoor_climb', 5), make_sample('P2_23_outdoor_hug_tree', 3)]
    with DefaultScope.overwrite_default_scope('gvhmr_da_mm'):
        metric = METRICS.build(dict(type='mmpose.MPJPE', mode=mode, prefix='joints22'))
        evaluator = Evaluator([metric])
        evaluator.process(samples)
        results = evaluator.evaluate(len(samples))
    pred, target = (
        np.concatenate([getattr(s, part)[field] for s in samples])
        for part, field in (('pred_instances', 'keypoints'), ('gt_instances', 'lifting_target'))
    )
    expected = ours(torch.from_numpy(pred), torch.from_numpy(target)).mean().item()
    assert 1000 * results[f'joints22/{mode.upper()}'] == pytest.approx(expected, rel=1e-4)
    # One result per sequence group, read from `target_img_path`.
    assert {f'joints22/{mode.upper()}_{group}' for group in ('P1', 'P2')} <= set(results)
