import numpy as np
import pytest
import torch

from gvhmr_da_mm.cli.save_results import save_results
from gvhmr_da_mm.core.camera import estimate_intrinsics, perspective_project
from gvhmr_da_mm.core.errors import DataError
from gvhmr_da_mm.evaluation import ReprojectionMetric
from gvhmr_da_mm.evaluation.compare_results import compare_results, read_per_sequence

FRAMES = 5
SHIFT = (3.0, 4.0)


@pytest.fixture
def metric(toy_root):
    return ReprojectionMetric(data_root=toy_root)


@pytest.fixture
def batch(metric):
    """A body in front of the camera, and detections that are 5 px off."""
    pred = dict(
        body_pose=0.2 * torch.randn(FRAMES, 63),
        betas=torch.zeros(FRAMES, 10),
        global_orient_c=torch.tensor([[np.pi, 0, 0]]).float().expand(FRAMES, 3),
        transl_c=torch.tensor([[0.0, 0, 4]]).expand(FRAMES, 3),
    )
    K = estimate_intrinsics(640, 480).expand(FRAMES, 3, 3)
    joints = metric.body_model(
        pred['body_pose'], pred['betas'], pred['global_orient_c'], pred['transl_c']
    ).coco17
    pixels = perspective_project(joints, K) + torch.tensor(SHIFT)
    kp2d = torch.cat((pixels, torch.full((FRAMES, 17, 1), 0.9)), dim=-1)
    boxes = torch.tensor([[320.0, 240, 250]]).expand(FRAMES, 3)
    inputs = dict(kp2d=kp2d[None], bbx_xys=boxes[None], K_fullimg=K[None])
    sample = dict(dataset='video', sequence='a', start=0, pred_instances=pred)
    return dict(inputs=inputs), sample


def test_distance_in_pixels_and_boxes(metric, batch):
    data, sample = batch
    metric.process(data, [sample])
    assert metric.evaluate(1) == pytest.approx(
        {'video/reprojection_px': 5.0, 'video/reprojection_box': 2.0}, rel=1e-3
    )
    assert metric.per_sequence['a[0]']['frames'] == FRAMES


def test_saved_results_name_the_videos_and_can_be_compared(metric, batch, tmp_path):
    data, sample = batch
    metric.process(data, [sample])
    save_results(metric.evaluate(1), [metric], tmp_path)
    saved = read_per_sequence(tmp_path / 'results.json')
    assert saved['video']['a[0]']['reprojection_px'] == pytest.approx(5.0, rel=1e-3)
    compared = compare_results(saved, saved)
    assert [change.metric for change in compared.metrics] == ['reprojection_px', 'reprojection_box']


def test_only_confident_detections_count(metric, batch):
    data, sample = batch
    kp2d = data['inputs']['kp2d']
    kp2d[:, 2, :, :2] += 1000
    kp2d[:, 2, :, 2] = 0.5
    metric.process(data, [sample])
    assert metric.evaluate(1)['video/reprojection_px'] == pytest.approx(5, rel=1e-3)
    kp2d[..., 2] = 0
    metric.process(data, [sample])
    assert metric.evaluate(1) == {}


def test_other_datasets_are_passed_over_and_gaps_named(metric, batch):
    data, sample = batch
    metric.process(data, [{**sample, 'dataset': 'emdb1'}])
    assert metric.results == []
    with pytest.raises(DataError, match='inputs.kp2d'):
        metric.process(dict(inputs={}), [sample])
