from dataclasses import replace

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData

from gvhmr_da_mm.core.errors import DataError
from gvhmr_da_mm.core.rotation import axis_angle_to_matrix
from gvhmr_da_mm.visualization import ground_truth_track, joint_errors, prediction_track


def test_both_tracks_recover_the_world(make_sample):
    sample = make_sample()
    prediction, truth = prediction_track(sample), ground_truth_track(sample)
    np.testing.assert_allclose(prediction.T_w2c, truth.T_w2c, atol=1e-5)
    np.testing.assert_allclose(prediction.joints_w, truth.joints_w, atol=1e-5)
    np.testing.assert_allclose(prediction.camera_centres, [[0, 1, 4]] * len(truth), atol=1e-5)
    heights = truth.joints_w[..., 1]
    assert (heights[:, 15] > heights[:, 0]).all() and (heights[:, 0] > heights[:, 7]).all()


def test_a_static_camera_stands_still_though_the_depth_wanders(make_sample):
    sample = make_sample()
    moving = prediction_track(sample)
    instances = sample.pred_instances
    wander = 0.3 * torch.sin(torch.arange(len(moving)) / 5.0)[:, None] * torch.tensor([0, 0, 1.0])
    instances.transl_c = instances.transl_c + wander
    instances.keypoints = instances.keypoints + wander[:, None].numpy()
    assert np.ptp(prediction_track(sample).camera_centres[:, 2]) > 0.5
    sample.set_metainfo(dict(static_camera=True))
    track = prediction_track(sample)
    assert np.ptp(track.camera_centres, axis=0).max() == 0
    np.testing.assert_allclose(track.camera_centres[0], [0, 1, 4], atol=0.1)
    np.testing.assert_allclose(track.cameras[7, :3, :3], moving.T_w2c[0, :3, :3], atol=1e-5)
    # The body is where it was.
    np.testing.assert_allclose(track.joints_w, moving.joints_w, atol=1e-5)


def test_contacts_are_probabilities_and_masked_frames_invalid(make_sample):
    sample = make_sample()
    contacts = prediction_track(sample).contacts
    assert (contacts[:, 0] > 0.9).all() and (contacts[:, 1:] < 0.1).all()
    assert np.flatnonzero(~ground_truth_track(sample).valid).tolist() == [3]


def test_a_prediction_that_climbs_does_not_lift_the_ground_truth(make_sample):
    truth = ground_truth_track(make_sample())
    climb = np.clip(np.arange(len(truth)) - 9, 0, None) / 10
    T_w2c = truth.T_w2c.copy()
    T_w2c[:, :3, 3] -= T_w2c[:, :3, 1] * climb[:, None]
    prediction = replace(truth, T_w2c=T_w2c)
    assert np.ptp(prediction.joints_w[:, 0, 1]) == pytest.approx(3)
    aligned = truth.aligned_to(prediction)
    np.testing.assert_allclose(aligned.joints_w[..., 1], truth.joints_w[..., 1], atol=1e-6)


@pytest.mark.parametrize('turn, upright', [([0.3, -1.2, 0.5], False), ([0, 2.1, 0], True)])
def test_alignment_undoes_a_rigid_motion_of_the_world(make_sample, turn, upright):
    truth = ground_truth_track(make_sample())
    moved = np.eye(4)
    moved[:3, :3] = axis_angle_to_matrix(torch.tensor(turn)).numpy()
    moved[:3, 3] = 3, -2, 7
    other = replace(truth, T_w2c=truth.T_w2c @ moved, upright=upright)
    assert np.abs(other.joints_w - truth.joints_w).max() > 1
    aligned = other.aligned_to(truth)
    np.testing.assert_allclose(aligned.joints_w, truth.joints_w, atol=1e-6)
    np.testing.assert_allclose(aligned.joints_c, truth.joints_c)
    np.testing.assert_allclose(aligned.camera_centres, truth.camera_centres, atol=1e-6)


def test_alignment_keeps_up_where_it_is_known(make_sample):
    sample = make_sample()
    truth = ground_truth_track(sample)
    lying = replace(truth, joints_c=truth.joints_c[..., [1, 0, 2]])
    aligned = truth.aligned_to(lying)
    np.testing.assert_allclose(np.ptp(aligned.joints_w[0, :, 1]), np.ptp(truth.joints_w[0, :, 1]))
    sample.set_metainfo(dict(dataset='3dpw'))
    turned = ground_truth_track(sample).aligned_to(lying)
    assert np.ptp(turned.joints_w[0, :, 1]) < 0.8 * np.ptp(truth.joints_w[0, :, 1])


@pytest.mark.parametrize('wrong', [slice(30, None), slice(0, 10)])
def test_alignment_follows_the_majority_of_the_frames(make_sample, wrong):
    truth = ground_truth_track(make_sample())
    moved = truth.T_w2c.copy()
    moved[wrong, 0, 3] -= 0.5
    aligned = replace(truth, T_w2c=moved).aligned_to(truth)
    distance = np.linalg.norm(aligned.joints_w - truth.joints_w, axis=-1).mean(axis=1)
    right = np.ones(len(truth), bool)
    right[wrong] = False
    assert distance[right].max() < 1e-6
    np.testing.assert_allclose(distance[~right], 0.5, atol=1e-6)


# Without a known vertical the lying poses tilt the world a little.
@pytest.mark.parametrize('upright, tolerance', [(True, 1e-4), (False, 0.08)])
def test_wrong_first_poses_do_not_turn_the_world(make_sample, upright, tolerance):
    truth = ground_truth_track(make_sample())
    # The predicted body lies, and looks backwards, for the first half second.
    lying = truth.joints_w[:, :, [1, 0, 2]] * [-1, 1, -1] + [0, 1, 0]
    joints_w = np.where(np.arange(len(truth))[:, None, None] < 15, lying, truth.joints_w)
    joints_c = (joints_w @ truth.T_w2c[:, :3, :3].swapaxes(1, 2)) + truth.T_w2c[:, None, :3, 3]
    prediction = replace(truth, joints_c=joints_c)
    turn = np.eye(4)
    turn[:3, :3] = axis_angle_to_matrix(torch.tensor([0, 1.5, 0])).numpy()
    turned = replace(truth, T_w2c=truth.T_w2c @ turn, upright=upright)
    aligned = turned.aligned_to(prediction)
    np.testing.assert_allclose(aligned.joints_w, truth.joints_w, atol=tolerance)


def test_joint_errors_are_millimetres(make_sample):
    sample = make_sample(shift_mm=44.0)
    errors = joint_errors(prediction_track(sample), ground_truth_track(sample))
    assert np.isnan(errors[3])
    np.testing.assert_allclose(np.delete(errors, 3), 44.0 * 21 / 22, rtol=1e-4)


def test_unlabelled_sample_has_no_track(make_sample):
    assert ground_truth_track(make_sample(with_gt=False)) is None


def test_missing_field_is_named(make_sample):
    sample = make_sample()
    del sample.pred_instances.transl_w
    with pytest.raises(DataError, match=r"walk/1.a.*'transl_w'"):
        prediction_track(sample)
    with pytest.raises(DataError, match='got nothing'):
        prediction_track(make_sample(with_pred=False))


def test_confidence_of_a_sequence_is_spread_over_frames(make_sample):
    sample = make_sample()
    sample.set_metainfo(dict(confidence=0.7))
    assert prediction_track(sample).confidence.tolist() == [0.7] * 40


def test_training_labels(make_sample, fixtures_root):
    sample = make_sample()
    pred = sample.pred_instances
    names = ('body_pose', 'betas', 'global_orient_c', 'transl_c', 'global_orient_w', 'transl_w')
    sample.gt_instances = InstanceData(**{name: pred[name] for name in names})
    track = ground_truth_track(sample, fixtures_root)
    # The two places of the root differ in the body's rest pose, not in what the camera is.
    np.testing.assert_allclose(
        track.T_w2c[:, :3, :3], prediction_track(sample).T_w2c[:, :3, :3], atol=1e-5
    )
    assert track.valid.all() and track.joints_c.shape == (40, 22, 3)


def test_mesh_agrees_with_joints(make_sample, fixtures_root):
    sample = make_sample()
    sample.gt_instances.pop('lifting_target')
    track = ground_truth_track(sample, fixtures_root, with_mesh=True)
    vertices = track.mesh(np.array([5, 7]))
    assert vertices.shape == (2, 6890, 3)
    for vertex, frame in zip(vertices, (5, 7)):
        assert (vertex.min(axis=0) < track.joints_c[frame].min(axis=0)).all()
        assert (vertex.max(axis=0) > track.joints_c[frame].max(axis=0)).all()
    world = track.vertices_w(np.array([5]))[0]
    assert np.ptp(world[:, 1]) == pytest.approx(1.75, abs=0.25)  # upright in the world
