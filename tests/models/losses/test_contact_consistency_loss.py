import pytest
import torch

from gvhmr_da_mm.core.conventions import FPS
from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.models import ContactConsistencyLoss
from gvhmr_da_mm.structures import MotionPrediction, empty_inputs

SHAPE = (2, 5)


def standing(velocity, logits=5.0):
    """Return somebody in one pose whose root moves by ``velocity`` (3,) a frame."""
    eye = torch.eye(3).expand(*SHAPE, 3, 3)
    return MotionPrediction(
        body_pose_R=torch.eye(3).expand(*SHAPE, 21, 3, 3).clone().requires_grad_(),
        betas=torch.zeros(*SHAPE, 10),
        R_c=eye.clone().requires_grad_(),
        R_gv=eye.clone().requires_grad_(),
        velocity=torch.tensor(velocity).expand(*SHAPE, 3).clone().requires_grad_(),
        transl_c=torch.zeros(*SHAPE, 3),
        pred_cam=torch.zeros(*SHAPE, 3),
        static_logits=torch.full((*SHAPE, 6), logits).requires_grad_(),
        valid=torch.ones(SHAPE, dtype=torch.bool),
    )


def loss_of(prediction, model, **options):
    loss = ContactConsistencyLoss(**{'loss_weight': 1.0, **options})
    return loss(prediction, empty_inputs(*SHAPE), model.body_model)


def test_the_speed_of_feet_that_should_stand(toy_model):
    prediction = standing([0.03, 0.0, 0.04])
    torch.testing.assert_close(loss_of(prediction, toy_model), torch.tensor(0.05 * FPS))
    assert loss_of(standing([0.0, 0.0, 0.0]), toy_model) < 1e-4
    torch.testing.assert_close(
        loss_of(prediction, toy_model, loss_weight=2.0), torch.tensor(0.1 * FPS)
    )


def test_only_the_velocity_learns(toy_model):
    prediction = standing([0.03, 0.0, 0.04])
    loss_of(prediction, toy_model).backward()
    assert prediction.velocity.grad[:, :-1].abs().min(dim=1).values.sum() > 0
    for name in ('body_pose_R', 'R_c', 'R_gv', 'static_logits'):
        assert getattr(prediction, name).grad is None, name


def test_joints_in_the_air_do_not_count(toy_model):
    loss = loss_of(standing([0.03, 0.0, 0.04], logits=-1.0), toy_model)
    assert loss == 0
    loss.backward()


def test_an_unsure_contact_does_not_stop_a_joint_that_moves(toy_model):
    unsure = dict(logits=0.5)
    assert loss_of(standing([0.03, 0.0, 0.04], **unsure), toy_model) == 0
    sliding = loss_of(standing([0.003, 0.0, 0.004], **unsure), toy_model)
    torch.testing.assert_close(sliding, torch.tensor(0.005 * FPS))
    tolerant = loss_of(standing([0.03, 0.0, 0.04], **unsure), toy_model, contact_tolerance=5.0)
    torch.testing.assert_close(tolerant, torch.tensor(0.05 * FPS))


def test_padding_may_hold_anything(toy_model):
    prediction = standing([0.03, 0.0, 0.04])
    expected = loss_of(prediction, toy_model)
    valid = prediction.valid.clone()
    valid[1, 3:] = False
    velocity = prediction.velocity.detach().clone()
    velocity[1, 3:] = float('nan')
    velocity.requires_grad_()
    masked = prediction.replace(velocity=velocity, valid=valid)
    loss = loss_of(masked, toy_model)
    torch.testing.assert_close(loss, expected)
    loss.backward()
    assert velocity.grad[:, :2].isfinite().all()


def test_a_moving_body_that_walks_right_has_no_error(toy_model):
    """The root moves as the pose makes it move around the standing joints."""
    prediction = standing([0.0, 0.0, 0.0])
    angle = torch.linspace(0, 0.2, SHAPE[1])
    R = torch.eye(3).repeat(SHAPE[1], 1, 1)
    R[:, 0, 0] = R[:, 1, 1] = angle.cos()
    R[:, 0, 1], R[:, 1, 0] = -angle.sin(), angle.sin()
    R = R.expand(*SHAPE, 3, 3)
    prediction = prediction.replace(R_c=R.clone(), R_gv=R.clone())
    with torch.no_grad():
        R_w, _ = prediction.rollout(empty_inputs(*SHAPE)['cam_angvel'])
        joints = toy_model.body_model.fk_matrices(prediction.body_pose_R, prediction.betas, R_w)
        foot = joints[..., 7, :] - joints[..., 0, :]
        step = -foot.diff(dim=1)
        local = (R_w[:, :-1].mT @ step[..., None]).squeeze(-1)
    logits = torch.full((*SHAPE, 6), -5.0)
    logits[..., 0] = 5.0  # The left ankle alone stands.
    velocity = torch.cat((local, local[:, -1:]), dim=1)
    prediction = prediction.replace(velocity=velocity, static_logits=logits)
    assert loss_of(prediction, toy_model) < 1e-4


@pytest.mark.parametrize('options', [dict(probability=1.0), dict(contact_tolerance=0.0)])
def test_impossible_options(options):
    with pytest.raises(ConfigError, match=next(iter(options))):
        ContactConsistencyLoss(**options)
