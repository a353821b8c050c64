"""The written-out gradient of the fit against autograd of the objective as documented."""

import pytest
import torch

from gvhmr_da_mm.core.layout import MOTION
from gvhmr_da_mm.core.rotation import axis_angle_to_matrix, matrix_to_rot6d
from gvhmr_da_mm.models import ReprojectionLoss
from gvhmr_da_mm.models.refiners.fit_objective import (
    FitObjective,
    FitWeights,
    WholeClips,
    growth,
)
from gvhmr_da_mm.models.refiners.keypoint_tremor import keypoint_tremor

WEIGHTS = FitWeights(prior=3e-3, noise=0.01, max_noise=2, smoothness=0.01, min_std=0.1)
TOTALS = torch.tensor([200, 3])


def whole_clips(inputs):
    """Return what the objective has to know if the clips are not windows of longer ones."""
    valid = ReprojectionLoss().valid_mask(inputs)
    tremor = keypoint_tremor(inputs['kp2d'], inputs['bbx_xys'], valid)
    return WholeClips(*TOTALS, inputs['valid'].shape[1], tremor)


def documented(change, prediction, inputs, model):
    """Return the objective of each clip (B,), from a change (3, 23, N)."""
    batch, frames = prediction.valid.shape
    change = change.permute(2, 1, 0).unflatten(0, (batch, frames))
    turns = axis_angle_to_matrix(change[:, :, :22])
    candidate = prediction.replace(
        body_pose_R=prediction.body_pose_R @ turns[:, :, 1:],
        R_c=prediction.R_c @ turns[:, :, 0],
        transl_c=prediction.transl_c + change[:, :, 22] * prediction.transl_c[..., 2:].abs(),
    )
    reprojection = ReprojectionLoss()
    squared = reprojection.residual(model.coco_joints(candidate), inputs).squared
    penalty = (squared / (squared + 0.1**2) * 0.1**2).sum((1, 2)) / TOTALS[0]
    std = model.motion_codec.std[MOTION.body_pose].clamp(min=WEIGHTS.min_std).view(21, 6).float()
    rot6d = [matrix_to_rot6d(one.body_pose_R) for one in (candidate, prediction)]
    drift = ((rot6d[0] - rot6d[1]) / std).square().sum((1, 2, 3)) / (TOTALS[1] * frames)
    jump = change.diff(dim=1).square().sum((1, 2, 3)) / (TOTALS[1] * (frames - 1))
    tremor = keypoint_tremor(inputs['kp2d'], inputs['bbx_xys'], reprojection.valid_mask(inputs))
    ratio = (tremor / WEIGHTS.noise).clamp(1, 2)
    drift, jump = ratio**2 * drift, (ratio**4).clamp(max=4) * jump
    return penalty + WEIGHTS.prior * drift + WEIGHTS.smoothness * jump


@pytest.mark.parametrize('scale', [0.0, 1e-3, 0.3])
def test_loss_and_gradient(toy_model, truth, scale):
    _, wrong, inputs = truth
    inputs['kp2d'][1, ..., :2] += 10 * torch.randn_like(inputs['kp2d'][1, ..., :2])
    objective = FitObjective(
        wrong, inputs, ReprojectionLoss(), toy_model, WEIGHTS, whole_clips(inputs)
    )
    change = objective.zero_change()
    change = (change + scale * torch.randn_like(change)).requires_grad_()
    loss = documented(change, wrong, inputs, toy_model)
    (gradient,) = torch.autograd.grad(loss.sum(), change)
    torch.testing.assert_close(objective.loss(change), loss.detach(), atol=1e-7, rtol=1e-4)
    found = objective.gradient(change)
    assert not found.requires_grad
    assert (found - gradient).norm() < 1e-5 * gradient.norm()


def test_a_single_frame_has_no_neighbour(toy_model, truth):
    _, wrong, inputs = truth
    one = wrong._map(lambda x: x[:, :1])
    inputs = {name: x[:, :1] if x.ndim > 2 else x for name, x in inputs.items()}
    inputs['valid'] = one.valid
    objective = FitObjective(
        one, inputs, ReprojectionLoss(), toy_model, WEIGHTS, whole_clips(inputs)
    )
    assert objective.gradient(objective.zero_change()).isfinite().all()


@pytest.fixture
def displaced(truth):
    """The true body at a wrong place, and the change (3, N) of its root that puts it right."""
    true, _, inputs = truth
    wrong = true.replace(transl_c=true.transl_c + torch.tensor([0.3, -0.2, -1.0]))
    shift = ((true.transl_c - wrong.transl_c) / wrong.transl_c[..., 2:]).flatten(0, 1).T
    return wrong, shift, inputs


def root_change(prediction, inputs, model):
    """Return the change of the joints (3, 22, N) and that of the root's position (3, N)."""
    objective = FitObjective(
        prediction, inputs, ReprojectionLoss(), model, WEIGHTS, whole_clips(inputs)
    )
    return objective.root_change().split((22, 1), dim=1)


def test_root_change_finds_the_place_alone(toy_model, displaced):
    wrong, shift, inputs = displaced
    turns, found = root_change(wrong, inputs, toy_model)
    assert not turns.any()
    torch.testing.assert_close(found[:, 0], shift.to(found), atol=2e-3, rtol=0)


def test_root_change_ignores_outliers_and_frames_without_detections(toy_model, displaced):
    wrong, shift, inputs = displaced
    inputs['kp2d'][:, :, 3, :2] += 150
    inputs['kp2d'][0, 2, :, 2] = 0
    _, found = root_change(wrong, inputs, toy_model)
    torch.testing.assert_close(found[:, 0], shift.to(found), atol=0.02, rtol=0)


def test_padding_does_not_move_the_root(toy_model, displaced):
    wrong, _, inputs = displaced
    wrong, inputs = wrong[1:], {name: value[1:] for name, value in inputs.items()}
    length = int(inputs['valid'].sum())
    inputs['kp2d'] = inputs['kp2d'] + 20 * torch.randn_like(inputs['kp2d']).abs() * torch.tensor(
        [1.0, 1.0, 0.0]
    )
    cut = {name: value[:, :length] if value.ndim > 1 else value for name, value in inputs.items()}
    cut['img_wh'] = inputs['img_wh']
    _, padded = root_change(wrong, inputs, toy_model)
    _, alone = root_change(wrong._map(lambda x: x[:, :length]), cut, toy_model)
    assert padded.any()
    torch.testing.assert_close(padded[..., :length], alone)


def test_the_root_stays_where_nothing_is_detected(toy_model, displaced):
    wrong, _, inputs = displaced
    inputs['kp2d'][0, :, :, 2] = 0
    _, found = root_change(wrong, inputs, toy_model)
    by_clip = found[:, 0].unflatten(-1, wrong.valid.shape)
    assert not by_clip[:, 0].any() and by_clip[:, 1].all()


def test_prior_and_smoothness_grow_with_the_tremor():
    tremor = torch.tensor([0.0, 0.01, 0.012, 0.015, 0.02, 0.5])
    prior, smoothness = growth(tremor, noise=0.01, max_noise=2)
    torch.testing.assert_close(prior, torch.tensor([1.0, 1.0, 1.44, 2.25, 4.0, 4.0]))
    torch.testing.assert_close(smoothness, torch.tensor([1.0, 1.0, 2.0736, 4.0, 4.0, 4.0]))
    assert [factor[-1] for factor in growth(tremor, noise=0.01, max_noise=8)] == [64, 64]
