import pytest
import torch

from gvhmr_da_mm.core.conventions import FPS
from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.models.refiners import FootContactOdometry
from gvhmr_da_mm.structures import MotionPrediction, empty_inputs

LENGTH = 24
LEFT_HIP, RIGHT_HIP, LEFT_KNEE = 0, 1, 3


def about_x(angle):
    cos, sin = angle.cos(), angle.sin()
    R = torch.eye(3).repeat(*angle.shape, 1, 1)
    R[..., 1, 1], R[..., 1, 2], R[..., 2, 1], R[..., 2, 2] = cos, -sin, sin, cos
    return R


def upright(batch=1, length=LENGTH):
    """Return somebody who stands still; the gravity view has y down, so the root is turned."""
    root = torch.diag(torch.tensor([1.0, -1.0, -1.0])).repeat(batch, length, 1, 1)
    return MotionPrediction(
        body_pose_R=torch.eye(3).repeat(batch, length, 21, 1, 1),
        betas=torch.zeros(batch, length, 10),
        R_c=root,
        R_gv=root.clone(),
        velocity=torch.full((batch, length, 3), 0.1),
        transl_c=torch.zeros(batch, length, 3),
        pred_cam=torch.zeros(batch, length, 3),
        static_logits=torch.zeros(batch, length, 6),
        valid=torch.ones(batch, length, dtype=torch.bool),
    )


def striding():
    """Swing the left leg back while the right one is bent: the left foot carries the body."""
    prediction = upright()
    pose = prediction.body_pose_R
    pose[0, :, LEFT_HIP] = about_x(torch.linspace(-0.2, 0.2, LENGTH))
    pose[0, :, RIGHT_HIP] = about_x(torch.full((LENGTH,), -1.2))
    return prediction


def world_feet(prediction, model):
    cam_angvel = empty_inputs(*prediction.valid.shape)['cam_angvel']
    R_w, transl_w = prediction.rollout(cam_angvel)
    joints = model.body_model.fk_matrices(prediction.body_pose_R, prediction.betas, R_w, transl_w)
    return joints[:, :, [7, 8]], transl_w


def run(prediction, model, **options):
    """Apply the odometry, by the heights of the feet alone unless a tolerance is given."""
    cam_angvel = empty_inputs(*prediction.valid.shape)['cam_angvel']
    return FootContactOdometry(**{'tolerance': None, **options})(
        prediction, cam_angvel, model.body_model
    )


def test_who_stands_still_stays_in_place(toy_model):
    moved = run(upright(), toy_model)
    torch.testing.assert_close(moved.velocity, torch.zeros(1, LENGTH, 3), atol=1e-6, rtol=0)


def test_the_foot_that_carries_stays_in_place_and_the_body_moves(toy_model):
    options = dict(temperature=1e-3, smoothing=0.0)
    feet, path = world_feet(run(striding(), toy_model, **options), toy_model)
    leg = (feet[0, 0, 0] - path[0, 0]).norm()
    slip = (feet[0, :, 0] - feet[0, :1, 0]).norm(dim=-1).max()
    assert (path[0, -1] - path[0, 0]).norm() > 0.2 * leg
    # Ankle and foot of the carrying leg turn about each other, so one of them may slip a little.
    assert slip < 0.35 * (path[0, -1] - path[0, 0]).norm()


def shuffling(length=90, stride=0.35):
    """Swing straight legs to and fro: both feet are about as low, and one moves as the other."""
    prediction = upright(length=length)
    angle = stride * torch.sin(torch.arange(length) * (2 * torch.pi / 30))
    prediction.body_pose_R[0, :, LEFT_HIP] = about_x(angle)
    prediction.body_pose_R[0, :, RIGHT_HIP] = about_x(-angle)
    return prediction


@pytest.mark.parametrize('share', [0.5, 0.1])
def test_the_predicted_velocity_tells_which_of_two_low_feet_stands(toy_model, share):
    prediction = shuffling()
    # Along the feet's own motion, at a share of its speed.
    feet = FPS * world_feet(prediction.replace(velocity=0 * prediction.velocity), toy_model)[0]
    speed = feet.diff(dim=1)[..., 2].abs().mean().item()
    prediction.velocity[:] = torch.tensor([0.0, 0.0, -share * speed / FPS])
    by_height, agreed = (
        world_feet(run(prediction, toy_model, tolerance=x), toy_model)[1] for x in (None, 0.5)
    )
    seconds = (prediction.valid.shape[1] - 1) / FPS
    slow, fast = (float((x[0, -1] - x[0, 0]).norm()) / seconds for x in (by_height, agreed))
    assert slow < 0.2 * speed and fast > 0.75 * speed


def test_where_no_foot_agrees_the_predicted_velocity_stays(toy_model):
    prediction = upright()
    prediction.velocity[:] = torch.tensor([0.0, 0.0, 3.0 / FPS])
    moved = run(prediction, toy_model, tolerance=0.5)
    torch.testing.assert_close(moved.velocity, prediction.velocity, atol=1e-4, rtol=0)


@pytest.mark.parametrize('tolerance', [None, 0.5])
def test_padding_has_no_effect(toy_model, tolerance):
    alone = run(striding(), toy_model, tolerance=tolerance)
    both = MotionPrediction.cat([striding(), upright()])
    padded = both._map(lambda x: torch.cat((x, x[:, -1:].expand(-1, 9, *x.shape[2:])), dim=1))
    padded.valid[:, LENGTH:] = False
    padded.body_pose_R[:, LENGTH:] = torch.eye(3)
    padded = run(padded, toy_model, tolerance=tolerance)
    for name in ('velocity', 'static_logits'):
        here, there = (getattr(x, name)[:1, : LENGTH - 1] for x in (padded, alone))
        torch.testing.assert_close(here, there, atol=1e-5, rtol=1e-5)


def test_contacts_agree_with_the_trajectory(toy_model):
    still = upright()
    still.velocity[:] = 0.0
    standing = run(still, toy_model, tolerance=0.5).static_logits[0]
    low = standing[:, :4].amax(dim=-1)
    torch.testing.assert_close(low, torch.full((LENGTH,), 2.0), atol=1e-4, rtol=0)
    assert torch.equal(standing[:, 4:], torch.zeros(LENGTH, 2))  # Wrists.

    flying = still.replace(velocity=still.velocity + torch.tensor([0.0, 0.0, 3.0 / FPS]))
    assert run(flying, toy_model, tolerance=0.5).static_logits[..., :4].max() < -10

    left, _, right, _ = run(striding(), toy_model, tolerance=0.5).static_logits[0, :, :4].unbind(-1)
    assert (left > right + 2).all()  # The right one is lifted.
    unsure = run(still, toy_model, tolerance=0.5, contact=1.0).static_logits[0, :, :4]
    torch.testing.assert_close(unsure, standing[:, :4] - 1)


def test_without_a_tolerance_only_the_velocity_changes(toy_model):
    before = striding()
    after = run(before, toy_model)
    for name in ('body_pose_R', 'betas', 'R_c', 'R_gv', 'transl_c', 'static_logits', 'valid'):
        assert getattr(after, name) is getattr(before, name), name
    assert after.x is None and not after.velocity.equal(before.velocity)


def test_a_single_frame_has_no_velocity_to_tell(toy_model):
    prediction = upright(length=1)
    assert run(prediction, toy_model).velocity.equal(prediction.velocity)


def test_feet_and_network_have_their_shares(toy_model):
    predicted = striding()
    feet = run(predicted, toy_model).velocity
    mean = run(predicted, toy_model, weight=0.25).velocity
    torch.testing.assert_close(mean, 0.75 * predicted.velocity + 0.25 * feet)
    assert run(predicted, toy_model, weight=0.0).velocity.equal(predicted.velocity)


@pytest.mark.parametrize(
    'options',
    [
        dict(temperature=0.0),
        dict(tolerance=0.0),
        dict(doubt=0.0),
        dict(smoothing=-1.0),
        dict(weight=1.5),
        dict(weight=-0.1),
    ],
)
def test_config(options):
    with pytest.raises(ConfigError, match='FootContactOdometry'):
        FootContactOdometry(**options)
