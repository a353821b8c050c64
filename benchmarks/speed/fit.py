"""Fit of predictions to detected keypoints at test time."""

from functools import partial
from types import SimpleNamespace

import torch
from torch import Tensor

from benchmarks.speed.case import Case, Pair, Settings
from gvhmr_da_mm.body_models import SMPLXLight
from gvhmr_da_mm.core.camera import perspective_project
from gvhmr_da_mm.core.filtering import gaussian_smooth
from gvhmr_da_mm.core.layout import MOTION, NUM_BODY_JOINTS, ROT6D
from gvhmr_da_mm.core.rotation import axis_angle_to_matrix, matrix_to_rot6d
from gvhmr_da_mm.models import ReprojectionLoss
from gvhmr_da_mm.models.motion_estimator import MotionEstimator
from gvhmr_da_mm.models.refiners import KeypointRefiner
from gvhmr_da_mm.models.refiners.fit_objective import (
    FitObjective,
    FitWeights,
    WholeClips,
    growth,
)
from gvhmr_da_mm.models.refiners.keypoint_tremor import keypoint_tremor
from gvhmr_da_mm.structures import MotionPrediction, empty_inputs

STEPS = 60
"""As many as the shipped configs take at test time."""


def filmed(
    model: MotionEstimator, batch: int, frames: int
) -> tuple[MotionPrediction, dict[str, Tensor]]:
    """Film a body that moves four metres away; return a prediction that is wrong, and inputs."""
    generator = torch.Generator().manual_seed(0)

    def smooth(*shape: int, scale: float) -> Tensor:
        noise = torch.randn(batch, frames, *shape, generator=generator)
        return gaussian_smooth(noise, 8.0, dim=1) * scale

    inputs = empty_inputs(batch, frames)
    K = torch.tensor([[1000.0, 0, 500], [0, 1000, 500], [0, 0, 1]])
    inputs['K_fullimg'] = K.expand(batch, frames, 3, 3).contiguous()
    inputs['bbx_xys'] = torch.tensor([500.0, 500, 500]).expand(batch, frames, 3).contiguous()
    upright = axis_angle_to_matrix(torch.tensor([3.0, 0.2, 0.1]))
    truth = MotionPrediction(
        body_pose_R=axis_angle_to_matrix(smooth(NUM_BODY_JOINTS, 3, scale=1.5)),
        betas=torch.zeros(batch, frames, 10),
        R_c=upright @ axis_angle_to_matrix(smooth(3, scale=1.0)),
        R_gv=torch.eye(3).expand(batch, frames, 3, 3),
        velocity=torch.zeros(batch, frames, 3),
        transl_c=torch.tensor([0.0, 0.0, 4.0]) + smooth(3, scale=0.5),
        pred_cam=torch.ones(batch, frames, 3),
        static_logits=torch.zeros(batch, frames, 6),
        valid=inputs['valid'],
    )
    pixels = perspective_project(model.coco_joints(truth), inputs['K_fullimg'])
    pixels = pixels + 5 * torch.randn(pixels.shape, generator=generator)
    inputs['kp2d'] = torch.cat((pixels, torch.ones_like(pixels[..., :1])), dim=-1)
    bent = axis_angle_to_matrix(smooth(NUM_BODY_JOINTS, 3, scale=1.0))
    return truth.replace(body_pose_R=truth.body_pose_R @ bent), inputs


def plain_fit(
    prediction: MotionPrediction, inputs: dict[str, Tensor], model: MotionEstimator
) -> Tensor:
    """Fit by autograd through the body; return the COCO joints.

    The first move of the root is not compared: both take the same.
    """
    refiner, reprojection = KeypointRefiner(steps=STEPS), ReprojectionLoss()
    counts = reprojection.valid_mask(inputs)
    tremor = keypoint_tremor(inputs['kp2d'], inputs['bbx_xys'], counts)
    trust, calm = growth(tremor, refiner.noise, refiner.max_noise)
    weights = FitWeights(
        refiner.prior, refiner.noise, refiner.max_noise, refiner.smoothness, refiner.min_std
    )
    clips, frames = prediction.valid.shape
    whole = WholeClips(counts.sum(), counts.new_tensor(clips, dtype=torch.int), frames, tremor)
    objective = FitObjective(prediction, inputs, reprojection, model, weights, whole)
    change = objective.root_change().permute(2, 1, 0).unflatten(0, prediction.valid.shape)
    change = change.contiguous().requires_grad_()
    optimizer = torch.optim.Adam([change], betas=(0.8, 0.999))
    predicted = matrix_to_rot6d(prediction.body_pose_R)
    std = model.motion_codec.std[MOTION.body_pose].view(NUM_BODY_JOINTS, ROT6D)

    def changed() -> MotionPrediction:
        turns = axis_angle_to_matrix(change[..., :22, :])
        return prediction.replace(
            body_pose_R=prediction.body_pose_R @ turns[..., 1:, :, :],
            R_c=prediction.R_c @ turns[..., 0, :, :],
            transl_c=prediction.transl_c + change[..., 22, :] * prediction.transl_c[..., 2:].abs(),
        )

    for step in range(STEPS):
        optimizer.param_groups[0]['lr'] = refiner.lr * min(
            1.0, (step + 1) / 10, (STEPS - step) / 10
        )
        candidate = changed()
        penalty = reprojection.penalty(reprojection.residual(model.coco_joints(candidate), inputs))
        drift = (matrix_to_rot6d(candidate.body_pose_R) - predicted) / std
        drift = (trust * drift.square().sum((1, 2, 3))).sum() / (clips * frames)
        jump = (calm * change.diff(dim=1).square().sum((1, 2, 3))).sum() / (clips * (frames - 1))
        loss = penalty + refiner.prior * drift + refiner.smoothness * jump
        (change.grad,) = torch.autograd.grad(loss, change)
        optimizer.step()
    return model.coco_joints(changed()).detach()


def scene_to_fit(
    settings: Settings, frames: int
) -> tuple[MotionPrediction, dict[str, Tensor], MotionEstimator]:
    """Return the prediction of a video and its mirror image, their inputs, and what predicts."""
    body = SMPLXLight(settings.data_root)
    std = torch.full((MOTION.size,), 0.3, device=settings.device)
    model = SimpleNamespace(
        body_model=body,
        motion_codec=SimpleNamespace(std=std),
        coco_joints=lambda prediction: body.coco_matrices(*prediction.camera_pose),
    )
    prediction, inputs = filmed(model, 2, frames)
    body.to(settings.device)
    inputs = {name: value.to(settings.device) for name, value in inputs.items()}
    return prediction.to(settings.device), inputs, model


def keypoint_fit(settings: Settings, frames: int) -> Pair:
    """Fit a video and its mirror image."""
    prediction, inputs, model = scene_to_fit(settings, frames)

    def ours() -> Tensor:
        refiner = KeypointRefiner(steps=STEPS)
        fitted = refiner(prediction, inputs, ReprojectionLoss(), model, across_ranks=False)
        return model.coco_joints(fitted)

    return Pair(ours, partial(plain_fit, prediction, inputs, model), _same_on_average)


def _same_on_average(ours: Tensor, plain: Tensor) -> None:
    """Check joints: Adam's steps enlarge rounding in single frames, up to a centimetre."""
    distance = (ours - plain).norm(dim=-1).mean()
    assert distance < 1e-3, f'{distance:.4f} m apart'


def cases() -> list[Case]:
    """Return the cases of this family."""
    return [
        Case(f'keypoint_fit_{frames}', partial(keypoint_fit, frames=frames))
        for frames in (120, 1000)
    ]
