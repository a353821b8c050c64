import pytest
import torch

from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.core.layout import MOTION
from gvhmr_da_mm.core.rotation import relative_angle
from gvhmr_da_mm.models import ReprojectionLoss
from gvhmr_da_mm.models.refiners import KeypointRefiner
from gvhmr_da_mm.structures import MotionPrediction

PIXELS = torch.tensor([1.0, 1.0, 0.0])
"""Noise of positions, not of scores."""


def refine(model, prediction, inputs, keep=None, **options):
    refiner = KeypointRefiner(**dict(dict(steps=60), **options))
    return refiner(prediction, inputs, ReprojectionLoss(), model, keep)


def joint_error(model, first, second):
    joints = [model.body_model.fk_matrices(*one.camera_pose) for one in (first, second)]
    return (joints[0] - joints[1]).norm(dim=-1)[first.valid].mean()


def test_the_label_moves_to_the_keypoints_and_to_the_truth(toy_model, truth):
    true, wrong, inputs = truth
    refined = refine(toy_model, wrong, inputs)
    loss = ReprojectionLoss()
    before, after = (
        loss.error(loss.residual(toy_model.coco_joints(one), inputs)) for one in (wrong, refined)
    )
    assert after < 0.4 * before
    assert joint_error(toy_model, refined, true) < 0.8 * joint_error(toy_model, wrong, true)


def test_a_label_that_fits_stays(toy_model, truth):
    true, _, inputs = truth
    refined = refine(toy_model, true, inputs)
    assert joint_error(toy_model, refined, true) < 2e-3


@pytest.mark.parametrize('depth', [0.6, 0.75, 1.5, 3.0])
def test_a_wrong_depth_does_not_turn_the_body(toy_model, truth, depth):
    true, _, inputs = truth
    moved = true.replace(transl_c=true.transl_c * torch.tensor([1.0, 1.0, depth]))
    refined = refine(toy_model, moved, inputs, lr=0.12, shift_lr=0.015)
    assert relative_angle(refined.R_c, true.R_c)[inputs['valid']].max() < 0.02
    assert joint_error(toy_model, refined, true) < 0.03


def test_a_clip_that_fits_stays_beside_one_that_does_not(toy_model, truth):
    true, wrong, inputs = truth
    both = MotionPrediction.cat([true[:1], wrong[1:]])
    refined = refine(toy_model, both, inputs)
    assert refined.body_pose_R[0].equal(true.body_pose_R[0])
    assert not refined.body_pose_R[1].equal(wrong.body_pose_R[1])


def test_without_detections_nothing_changes(toy_model, truth):
    _, wrong, inputs = truth
    inputs['kp2d'][..., 2] = 0
    refined = refine(toy_model, wrong, inputs)
    torch.testing.assert_close(refined.body_pose_R, wrong.body_pose_R)
    torch.testing.assert_close(refined.transl_c, wrong.transl_c)


def test_what_hardly_varies_in_true_motion_changes_less(toy_model, truth):
    _, wrong, inputs = truth
    codec = toy_model.motion_codec
    elbow, turns = 17, []
    for std in (3.0, 0.1):
        deviations = torch.full_like(codec.std, 3.0)
        deviations[MOTION.body_pose][6 * elbow : 6 * elbow + 6] = std
        codec.set_statistics(codec.mean, deviations)
        refined = refine(toy_model, wrong, inputs, prior=1e-3)
        turn = relative_angle(refined.body_pose_R, wrong.body_pose_R)
        turns.append(turn[..., elbow][inputs['valid']].mean())
    assert turns[1] < 0.5 * turns[0]


def test_trembling_keypoints_change_the_pose_less(toy_model, truth):
    _, wrong, inputs = truth
    clear, trembling = (
        dict(inputs, kp2d=inputs['kp2d'] + shake * torch.randn_like(inputs['kp2d']) * PIXELS)
        for shake in (0.0, 10.0)
    )
    turns = {}
    for name, seen, noise in (
        ('clear', clear, 0.0045),
        ('trusted', trembling, 1.0),
        ('doubted', trembling, 0.0045),
    ):
        refined = refine(toy_model, wrong, seen, prior=3e-3, noise=noise)
        turn = relative_angle(refined.body_pose_R, wrong.body_pose_R)
        turns[name] = turn[inputs['valid']].mean()
    assert turns['doubted'] < 0.5 * turns['trusted']
    assert turns['doubted'] < 0.5 * turns['clear']


def test_gravity_and_the_path_in_the_world_stay(toy_model, truth):
    _, wrong, inputs = truth
    refined = refine(toy_model, wrong, inputs)
    assert relative_angle(refined.R_c, wrong.R_c).max() > 1e-3
    torch.testing.assert_close(
        refined.R_gv @ refined.R_c.mT, wrong.R_gv @ wrong.R_c.mT, atol=1e-5, rtol=0
    )
    steps = [(one.R_gv @ one.velocity[..., None]) for one in (refined, wrong)]
    torch.testing.assert_close(*steps, atol=1e-5, rtol=0)
    assert refined.betas.equal(wrong.betas) and refined.static_logits.equal(wrong.static_logits)


def test_only_what_is_kept_is_refined(toy_model, truth):
    _, wrong, inputs = truth
    keep = torch.tensor([False, True])
    refined = refine(toy_model, wrong, inputs, keep)
    alone = refine(toy_model, wrong[keep], {k: v[keep] for k, v in inputs.items()})
    assert refined.body_pose_R[0].equal(wrong.body_pose_R[0])
    torch.testing.assert_close(refined.body_pose_R[1:], alone.body_pose_R)
    nobody = refine(toy_model, wrong, inputs, torch.tensor([False, False]))
    assert nobody.body_pose_R.equal(wrong.body_pose_R)


def test_no_graph_is_left_and_no_gradient_reaches_anything(toy_model, truth):
    _, wrong, inputs = truth
    with torch.no_grad():
        refined = refine(toy_model, wrong, inputs, steps=2)
    assert not refined.body_pose_R.requires_grad and refined.x is None
    assert all(parameter.grad is None for parameter in toy_model.parameters())


@pytest.mark.parametrize(
    'options', [dict(steps=0), dict(lr=0.0), dict(prior=-1.0), dict(noise=0.0), dict(min_std=0.0)]
)
def test_impossible_settings(options):
    with pytest.raises(ConfigError, match=next(iter(options))):
        KeypointRefiner(**options)
