"""The metrics on real formats: labels as predictions, moved and broken in known ways."""

import json
import warnings

import pytest
import torch
from mmengine.evaluator import Evaluator

from gvhmr_da_mm.core.camera import transform_smpl
from gvhmr_da_mm.core.conventions import FOOT_VERTEX_IDS
from gvhmr_da_mm.core.rotation import rotation_about_axis
from gvhmr_da_mm.evaluation import CameraSpaceMetric, ProtocolWarning, WorldSpaceMetric
from gvhmr_da_mm.registry import METRICS

pytestmark = pytest.mark.fixtures

KIND = {'emdb1': 'CameraSpaceMetric', '3dpw': 'CameraSpaceMetric', 'emdb2': 'WorldSpaceMetric'}

ROUNDING = 0.05
"""Second differences of float32 metres leave this much, in m/s² and in mm."""


def evaluate(root, samples, *datasets, **options):
    metrics = [
        METRICS.build(dict(type=KIND[name], dataset=name, data_root=root, **options))
        for name in datasets
    ]
    evaluator = Evaluator(metrics)
    for sample in samples:
        evaluator.process([sample])
    return evaluator.evaluate(len(samples)), metrics


def test_labels_score_near_zero_as_predictions(fixtures_root, labelled_sample):
    samples = [labelled_sample(name, 4) for name in ('emdb1', 'emdb2', '3dpw')]
    results, metrics = evaluate(fixtures_root, samples, 'emdb1', 'emdb2', '3dpw')
    # The meshes of the two model families differ a little, the hands a few mm. Foot sliding is that
    # of the truth, whose vertices move up to 1 cm where they count as standing; jitter is that of
    # the motion itself, whatever it is.
    limits = dict(pa_mpjpe=2, mpjpe=2, pve=6, accel=0.2, wa_mpjpe=3, w_mpjpe=10, rte=0.3, fs=10.5)
    assert set(results) == {
        *(f'{p}/{m}' for p in ('emdb1', '3dpw') for m in ('pa_mpjpe', 'mpjpe', 'pve', 'accel')),
        *(f'emdb2/{m}' for m in ('wa_mpjpe', 'w_mpjpe', 'rte', 'jitter', 'fs')),
    }
    for name, value in results.items():
        limit = limits.get(name.split('/')[1], float('inf'))
        assert 0 < value < limit, f'{name}: {value:.2f}'
    assert [len(metric.per_sequence) for metric in metrics] == [1, 1, 1]


def test_errors_of_known_size(fixtures_root, labelled_sample):
    sample = labelled_sample('emdb1', 4)
    exact, _ = evaluate(fixtures_root, [sample], 'emdb1')
    sample.pred_instances.transl_c += torch.tensor([0.0, 0.1, 2.0])
    shifted, _ = evaluate(fixtures_root, [sample], 'emdb1')
    # Only the camera translation is wrong, which the pelvis alignment removes.
    assert shifted == pytest.approx(exact, rel=1e-2, abs=ROUNDING)
    sample.pred_instances.body_pose[:, 2] += 0.5
    bent, _ = evaluate(fixtures_root, [sample], 'emdb1')
    assert bent['emdb1/pa_mpjpe'] > exact['emdb1/pa_mpjpe'] + 10
    assert bent['emdb1/mpjpe'] > exact['emdb1/mpjpe'] + 10


def test_world_metrics_do_not_depend_on_the_predicted_world(fixtures_root, labelled_sample):
    sample = labelled_sample('emdb2', 4)
    exact, _ = evaluate(fixtures_root, [sample], 'emdb2')
    pred = sample.pred_instances
    world = torch.eye(4)
    world[:3, :3] = rotation_about_axis('x', torch.tensor(2.0))
    world[:3, 3] = torch.tensor([3.0, -1.0, 2.0])
    smplx = WorldSpaceMetric(dataset='emdb2', data_root=fixtures_root).meshes
    root = smplx.predicted_model.skeleton(pred.betas)[:, 0]
    pred.global_orient_w, pred.transl_w = transform_smpl(
        pred.global_orient_w, pred.transl_w, world, root
    )
    moved, _ = evaluate(fixtures_root, [sample], 'emdb2')
    assert moved == pytest.approx(exact, rel=2e-2, abs=ROUNDING)


def test_masked_frames_are_neither_read_nor_scored(fixtures_root, labelled_sample):
    sample = labelled_sample('emdb1', 4)
    sample.gt_instances.mask[20:30] = False
    exact, metrics = evaluate(fixtures_root, [sample], 'emdb1')
    (scored,) = metrics[0].per_sequence.values()
    assert scored['frames'] == int(sample.gt_instances.mask.sum())
    sample.pred_instances.body_pose[20:30] = float('nan')
    assert evaluate(fixtures_root, [sample], 'emdb1')[0] == exact


def test_compat_decides_about_gaps(fixtures_root, labelled_sample):
    sample = labelled_sample('emdb2', 4)
    sample.gt_instances.mask[20:40] = False
    correct, _ = evaluate(fixtures_root, [sample], 'emdb2')
    published, _ = evaluate(fixtures_root, [sample], 'emdb2', compat='published')
    # The body walks on while it is not seen: the published jitter takes that for a jump.
    assert published['emdb2/jitter'] > correct['emdb2/jitter'] + 1
    same = ('wa_mpjpe', 'w_mpjpe', 'rte')
    assert [published[f'emdb2/{m}'] for m in same] == [correct[f'emdb2/{m}'] for m in same]
    strict, _ = evaluate(fixtures_root, [sample], 'emdb2', compat='published', strict=True)
    assert strict == correct


def test_the_size_of_the_mesh_chunks_does_not_matter(fixtures_root, labelled_sample):
    sample = labelled_sample('3dpw', 0, frames=20)
    whole, _ = evaluate(fixtures_root, [sample], '3dpw')
    cut, _ = evaluate(fixtures_root, [sample], '3dpw', frames_per_chunk=7)
    assert cut == pytest.approx(whole, rel=1e-4, abs=ROUNDING)


def test_hands_are_flat_where_the_protocol_says_so(fixtures_root, labelled_sample):
    sample = labelled_sample('3dpw', 0, frames=20)
    flat, _ = evaluate(fixtures_root, [sample], '3dpw')
    protocol = dict(base='3dpw', flat_hand_mean=False)
    curled, _ = evaluate(fixtures_root, [sample], '3dpw', protocol=protocol)
    assert curled['3dpw/pve'] > flat['3dpw/pve'] + 0.5


def test_a_dataset_can_be_scored_by_another_ones_protocol(fixtures_root, labelled_sample):
    sample = labelled_sample('emdb2', 4, frames=10)
    metric = CameraSpaceMetric('emdb2', 'emdb1', data_root=fixtures_root, prefix='emdb2_camera')
    metric.process(None, [sample.to_dict()])
    assert set(metric.evaluate(1)) == {
        f'emdb2_camera/{name}' for name in ('pa_mpjpe', 'mpjpe', 'pve', 'accel')
    }


def test_world_metrics_are_those_of_the_whole_meshes(fixtures_root, labelled_sample):
    sample = labelled_sample('emdb2', 4, frames=20)
    metric = WorldSpaceMetric(dataset='emdb2', data_root=fixtures_root)
    pred, target = sample.pred_instances, sample.gt_instances
    posed = [pred[name] for name in metric.pred_fields]
    joints, feet = metric.meshes.predicted_points(FOOT_VERTEX_IDS, *posed)
    verts = metric.meshes.predicted(*posed)
    torch.testing.assert_close(joints, metric.meshes.joints(verts), atol=1e-5, rtol=0)
    torch.testing.assert_close(feet.float(), verts[:, list(FOOT_VERTEX_IDS)], atol=1e-5, rtol=0)

    labels = [target[name] for name in ('body_pose', 'betas', 'global_orient', 'transl')]
    joints, feet = metric.meshes.target_points(FOOT_VERTEX_IDS, sample.gender, *labels)
    verts = metric.meshes.target(sample.gender, *labels)
    torch.testing.assert_close(joints, metric.meshes.joints(verts), atol=1e-5, rtol=0)
    torch.testing.assert_close(feet.float(), verts[:, list(FOOT_VERTEX_IDS)], atol=1e-5, rtol=0)


def test_the_truth_in_the_camera_is_the_moved_mesh(fixtures_root, labelled_sample):
    sample = labelled_sample('emdb1', 4, frames=10)
    meshes = CameraSpaceMetric(dataset='emdb1', data_root=fixtures_root).meshes
    target = sample.gt_instances
    labels = [target[name] for name in ('body_pose', 'betas', 'global_orient', 'transl')]
    verts = meshes.target(sample.gender, *labels)
    expected = verts @ target.T_w2c[:, :3, :3].mT + target.T_w2c[:, None, :3, 3]
    found = meshes.target_in_camera(target.T_w2c, sample.gender, *labels)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def test_the_world_pose_is_scored_in_the_world_where_it_is_another(fixtures_root, labelled_sample):
    sample = labelled_sample('emdb2', 4)
    exact, _ = evaluate(fixtures_root, [sample], 'emdb2')
    sample.pred_instances.body_pose_w = sample.pred_instances.body_pose.clone()
    sample.pred_instances.body_pose[:, 2] += 0.5  # Of the camera alone.
    assert evaluate(fixtures_root, [sample], 'emdb2')[0] == exact
    sample.pred_instances.body_pose_w[:, 2] += 0.5
    bent, _ = evaluate(fixtures_root, [sample], 'emdb2')
    assert bent['emdb2/wa_mpjpe'] > exact['emdb2/wa_mpjpe'] + 10


def test_results_tell_how_the_samples_were_made(fixtures_root, labelled_sample, caplog):
    one, other = (labelled_sample('emdb1', index, frames=5) for index in (4, 5))
    for sample, camera in ((one, 'true'), (other, 'dpvo')):
        sample.set_metainfo(
            dict(
                conditions=dict(intrinsics='estimated', camera_rotation=camera),
                test_time=dict(flip_test=True, postprocess=False),
            )
        )
    _, (metric,) = evaluate(fixtures_root, [one], 'emdb1')
    facts = metric.protocol_facts
    assert json.loads(json.dumps(facts)) == facts
    assert facts['regressor'] == 'smpl24' and facts['strict'] is True
    assert facts['conditions'] == dict(
        intrinsics='estimated', camera_rotation='true', flip_test=True, postprocess=False
    )
    assert 'flip_test=True' in metric.describe() and metric.protocol.describe() in metric.describe()
    _, (mixed,) = evaluate(fixtures_root, [one, other], 'emdb1')
    assert mixed.conditions['camera_rotation'] == 'dpvo | true'


def test_conditions_unlike_the_protocol_are_announced(fixtures_root, labelled_sample):
    sample = labelled_sample('emdb1', 4, frames=5)
    sample.set_metainfo(dict(conditions=dict(intrinsics='true', camera_rotation='true')))
    with pytest.warns(ProtocolWarning, match='intrinsics is true instead of estimated'):
        evaluate(fixtures_root, [sample], 'emdb1')
    sample.set_metainfo(dict(conditions=dict(intrinsics='estimated', camera_rotation='true')))
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        evaluate(fixtures_root, [sample], 'emdb1')
