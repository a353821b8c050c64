"""Tests of gvhmr_da_mm.models.losses.robust_gvhmr_loss."""

import math

import pytest
import torch

from gvhmr_da_mm.core.camera import weak_camera_from_translation
from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.core.filtering import static_mask
from gvhmr_da_mm.core.rotation import axis_angle_to_matrix
from gvhmr_da_mm.models import GVHMRLoss, RobustGVHMRLoss
from gvhmr_da_mm.registry import MODELS
from gvhmr_da_mm.structures import MotionPrediction
from tests.testing import toy_inputs, toy_model_config, toy_samples

DISTANCES = ('cr_j3d', 'j2d', 'transl_w', 'gravity')


@pytest.fixture()
def model(toy_root):
    config = toy_model_config(toy_root)
    config['body_model']['vertices'] = False
    config['loss'] = dict(type='RobustGVHMRLoss')
    torch.manual_seed(0)
    return MODELS.build(config).train()


@pytest.fixture()
def batch(model):
    inputs = toy_inputs(2, 9)
    targets, body_targets = model.targets(inputs, toy_samples(inputs))
    return inputs, targets, body_targets


def truth(model, inputs, targets, **changes):
    """Return the prediction that equals the targets, apart from the changes."""
    parts = dict(
        body_pose_R=targets.body_pose_R,
        betas=targets.betas,
        R_c=targets.R_c,
        R_gv=targets.R_gv,
        velocity=targets.velocity,
        transl_c=targets.transl_c,
    )
    parts.update(changes)
    joints = model.body_model.fk_matrices(
        targets.body_pose_R, targets.betas, targets.R_w, targets.transl_w
    )
    return MotionPrediction(
        **parts,
        pred_cam=weak_camera_from_translation(
            targets.transl_c, inputs['bbx_xys'], inputs['K_fullimg']
        ),
        static_logits=40.0 * static_mask(joints[..., (7, 10, 8, 11, 20, 21), :]) - 20.0,
        valid=inputs['valid'],
    )


def test_the_truth_costs_nothing(model, batch):
    inputs, targets, body_targets = batch
    losses = model.target_loss(truth(model, inputs, targets), targets, body_targets, inputs)
    assert all(float(losses[f'{name}_loss']) < 1e-3 for name in ('simple', *DISTANCES))


def test_gravity_counts_by_its_angle_alone(model, batch):
    inputs, targets, body_targets = batch
    angle = 0.2
    tilt = axis_angle_to_matrix(torch.tensor([angle, 0.0, 0.0]))
    turn = axis_angle_to_matrix(torch.tensor([0.0, 0.7, 0.0]))
    weight = model.loss_module.weights['gravity']
    for rotation, expected in ((tilt, 2 * math.sin(angle / 2) - 0.01), (turn, 0.0)):
        prediction = truth(model, inputs, targets, R_gv=rotation @ targets.R_gv)
        losses = model.target_loss(prediction, targets, body_targets, inputs)
        assert float(losses['gravity_loss']) / weight == pytest.approx(expected, abs=1e-3)


def test_joints_count_by_their_distance(model, batch):
    """A person who is predicted half a turn away from the truth, in one frame and in all."""
    inputs, targets, body_targets = batch
    turn = axis_angle_to_matrix(torch.tensor([0.0, math.pi, 0.0]))
    losses = {}
    for frames in (1, 9):
        R_c = targets.R_c.clone()
        R_c[:, :frames] = R_c[:, :frames] @ turn
        prediction = truth(model, inputs, targets, R_c=R_c)
        losses[frames] = model.target_loss(prediction, targets, body_targets, inputs)
        pred, true = (
            model.body_model.fk_matrices(*motion.camera_pose) for motion in (prediction, targets)
        )
        coco = model.body_model.coco_matrices(*prediction.camera_pose), body_targets.coco17_c
        parts = [points - points[..., :1, :] for points in (pred, true)]
        parts += [points - points[..., 11:13, :].mean(-2, keepdim=True) for points in coco]
        error = torch.cat((parts[0] - parts[1], parts[2] - parts[3]), dim=-2).norm(dim=-1)
        weight = model.loss_module.weights['cr_j3d']
        assert float(losses[frames]['cr_j3d_loss']) == pytest.approx(
            weight * float(error.mean()), rel=0.12
        )
    assert losses[1]['cr_j3d_loss'] < 0.3 * losses[9]['cr_j3d_loss']


def test_frames_that_do_not_exist_cost_nothing(model):
    inputs = toy_inputs(2, 9, lengths=[9, 5])
    targets, body_targets = model.targets(inputs, toy_samples(inputs))
    R_c = targets.R_c.clone()
    R_c[1, 5:] = R_c[1, 5:] @ axis_angle_to_matrix(torch.tensor([0.0, math.pi, 0.0]))
    prediction = truth(model, inputs, targets, R_c=R_c)
    losses = model.target_loss(prediction, targets, body_targets, inputs)
    assert all(float(losses[f'{name}_loss']) < 1e-3 for name in ('cr_j3d', 'j2d', 'gravity'))


def test_every_term_is_finite_and_reaches_every_weight(model):
    inputs = toy_inputs(3, 12, lengths=[12, 7, 12])
    losses = model(inputs, toy_samples(inputs), mode='loss')
    assert set(losses) == {f'{name}_loss' for name in RobustGVHMRLoss().weights}
    sum(losses.values()).backward()
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)
    assert all(p.grad is not None for p in model.parameters() if p.requires_grad)


def test_a_body_without_vertices_has_the_same_joints(model, toy_root):
    whole = MODELS.build(toy_model_config(toy_root)).body_model
    pose = 0.3 * torch.randn(4, 63), torch.randn(4, 10)
    joints, expected = model.body_model(*pose), whole(*pose)
    assert joints.verts437.shape == (4, 0, 3) and expected.verts437.shape == (4, 437, 3)
    torch.testing.assert_close(joints.coco17, expected.coco17, atol=1e-5, rtol=0)


def test_the_published_loss_refuses_a_body_without_vertices(model):
    model.loss_module = GVHMRLoss()
    inputs = toy_inputs(1, 5)
    with pytest.raises(ConfigError, match='vertices=True` of the model, or use RobustGVHMRLoss'):
        model(inputs, toy_samples(inputs), mode='loss')


def test_negative_weights_are_refused():
    with pytest.raises(ConfigError, match='gravity'):
        RobustGVHMRLoss(gravity=-1.0)
