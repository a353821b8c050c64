"""Fit of predicted motion to detected keypoints."""

from typing import Optional

import torch
from torch import Tensor

from ...core.errors import ConfigError
from ...core.layout import NUM_JOINTS
from ...core.rotation import axis_angle_to_matrix
from ...registry import MODELS
from ...structures import MotionPrediction
from ..across_ranks import total_over_ranks
from ..losses import ReprojectionLoss
from ..motion_estimator import MotionEstimator
from .fit_objective import FitObjective, FitWeights, WholeClips
from .keypoint_tremor import keypoint_tremor
from .overlapping_windows import cross_fade, overlapping_windows

RAMP_STEPS = 10
"""Iterations of linear warm-up and of linear decay of the learning rate."""
OVERLAP = 240
"""Frames of neighbouring windows of a long clip over which one fit passes into the other."""
FITTED_INPUTS = ('kp2d', 'bbx_xys', 'K_fullimg', 'valid')


@MODELS.register_module()
class KeypointRefiner:
    """Fit the pose and the position of the body to the detected keypoints of the same clip.

    It minimises the reprojection penalty, plus ``prior`` times the squared change of the body pose
    per frame, plus ``smoothness`` times the squared difference of the changes (rad) of neighbouring
    frames. The root first moves to where the predicted pose meets the keypoints best, by least
    squares: a prediction may be right about the pose and wrong about the place, for instance where
    the focal length is an estimate. Adam then changes all. The pose change is measured in 6D, in
    standard deviations of true motion, so joints that hardly vary in true motion hardly change. Of
    the many poses with the same projection the result is one near the prediction. A clip whose
    objective does not fall is returned unchanged.

    Note:
        - B: batch, L: frames.
        - The penalty is a mean over all detections of a batch, and the other terms are means over
          its clips. In training the counts are those of all ranks, so that a label does not depend
          on the number of ranks.
        - Shape, contacts, the direction of gravity in the camera and the trajectory in the world
          stay as predicted.

    Args:
        steps (int): Iterations. Defaults to 30, for pseudo-labels.
        lr (float): Peak learning rate of the rotations, rad. Without the ramp the joints of a limb
            overshoot together. Defaults to 0.06.
        shift_lr (float): Peak learning rate of the root's shift, as a share of its depth. Defaults
            to 0.06.
        prior (float): Weight of the pose change. Defaults to 3e-6.
        noise (float): Tremor of a clip's keypoints, in box sides
            (:func:`.keypoint_tremor`), above which the prior grows with its square, and the
            smoothness with its fourth power: the noisier the keypoints, the more the prediction is
            worth. Defaults to 0.0045, about that of MediaPipe on sharp videos.
        max_noise (float): Both grow by the square of this at most. Much tremor averages out over
            the frames; but what a good network predicts is then better still. Defaults to 2.
        smoothness (float): Weight of the difference between frames. Defaults to 0.003.
        min_std (float): Lower bound of the standard deviation of a 6D channel: the statistics may
            hold joints that never move. Defaults to 0.1.
        window (int): Most frames that are fitted in one piece, at least 720. Defaults to 1200.

    Raises:
        ConfigError: If a value is out of range.

    Source: fitting a regressor's output to 2D evidence for self-training, as in SPIN (Kolotouros et
    al., ICCV 2019) and EFT (Joo et al., 3DV 2021); the terms are our own.
    """

    def __init__(
        self,
        steps: int = 30,
        lr: float = 0.06,
        shift_lr: float = 0.06,
        prior: float = 3e-6,
        noise: float = 0.0045,
        max_noise: float = 2.0,
        smoothness: float = 0.003,
        min_std: float = 0.1,
        window: int = 1200,
    ) -> None:
        if steps < 1 or min(lr, shift_lr, noise, min_std) <= 0 or min(prior, smoothness) < 0:
            raise ConfigError(
                'KeypointRefiner needs `steps` >= 1, `lr`, `shift_lr`, `noise` and `min_std` > 0, '
                f'`prior` and `smoothness` >= 0, got {steps}, {lr}, {shift_lr}, {noise}, {min_std},'
                f' {prior} and {smoothness}'
            )
        if max_noise < 1:
            raise ConfigError(
                f'`max_noise` of KeypointRefiner should be at least 1, got {max_noise}'
            )
        if window < 3 * OVERLAP:  # Three windows never meet.
            raise ConfigError(
                f'`window` of KeypointRefiner should be at least {3 * OVERLAP}, got {window}'
            )
        self.steps = steps
        self.lr = lr
        self.shift_lr = shift_lr
        self.prior = prior
        self.noise, self.max_noise = noise, max_noise
        self.smoothness = smoothness
        self.min_std = min_std
        self.window = window

    def __call__(
        self,
        prediction: MotionPrediction,
        inputs: dict[str, Tensor],
        reprojection: ReprojectionLoss,
        model: MotionEstimator,
        keep: Optional[Tensor] = None,
        across_ranks: bool = True,
    ) -> MotionPrediction:
        """Fit the clips.

        Args:
            prediction (MotionPrediction): Clips of finite numbers, in the original camera.
            inputs (dict[str, Tensor]): ``kp2d``, ``bbx_xys``, ``K_fullimg`` and ``valid``.
            reprojection (ReprojectionLoss): Its unweighted penalty is minimised.
            model (MotionEstimator): Provides the body, and in its codec the standard deviations.
            keep (Tensor, optional): Clips to fit (B,), bool; the others are returned unchanged.
                Defaults to None: all.
            across_ranks (bool): Whether to average over the clips of all ranks, as in training; all
                ranks have to call this together then. Defaults to True.

        Returns:
            MotionPrediction: Without graph; ``x`` is None.
        """
        if keep is None:
            keep = torch.ones_like(prediction.valid[:, 0])
        # A collective call: before the early return below.
        detections = (reprojection.valid_mask(inputs) & keep[:, None, None]).sum()
        totals = torch.stack((detections, keep.sum()))
        totals = (total_over_ranks(totals) if across_ranks else totals).clamp(min=1)
        if keep.all():
            return self._refine(prediction, inputs, reprojection, model, totals)
        chosen, others = keep.nonzero()[:, 0], (~keep).nonzero()[:, 0]
        refined = self._refine(
            prediction[chosen],
            {name: value[chosen] for name, value in inputs.items()},
            reprojection,
            model,
            totals,
        )
        together = MotionPrediction.cat([refined, prediction[others]])
        return together[torch.cat((chosen, others)).argsort()]

    def _refine(
        self,
        prediction: MotionPrediction,
        inputs: dict[str, Tensor],
        reprojection: ReprojectionLoss,
        model: MotionEstimator,
        totals: Tensor,
    ) -> MotionPrediction:
        """Fit all clips; ``totals`` (2,) are the detections and clips to average over."""
        if prediction.valid.numel() == 0:
            return prediction.replace(x=None)
        frames = prediction.valid.shape[1]
        counts = reprojection.valid_mask(inputs)
        tremor = keypoint_tremor(inputs['kp2d'], inputs['bbx_xys'], counts)
        whole = WholeClips(*totals, frames, tremor)
        refined = prediction.replace(x=None)._map(torch.empty_like)
        tail = None
        for window in overlapping_windows(frames, self.window, OVERLAP):
            predicted = prediction[:, window]
            seen = {name: inputs[name][:, window] for name in FITTED_INPUTS}
            change = self._fit(predicted, seen, reprojection, model, whole)
            if tail is not None:
                change[..., :OVERLAP] = cross_fade(tail, change[..., :OVERLAP])
            tail = change[..., -OVERLAP:]
            # The next window overwrites the frames that it shares.
            fitted = _apply(predicted, change.to(prediction.transl_c))
            refined[:, window] = fitted.for_box(seen['bbx_xys'], seen['K_fullimg'])
        return refined

    def _fit(
        self,
        prediction: MotionPrediction,
        inputs: dict[str, Tensor],
        reprojection: ReprojectionLoss,
        model: MotionEstimator,
        whole: WholeClips,
    ) -> Tensor:
        """Return the change (3, 23, B, L) of a window of the clips, see :class:`FitObjective`."""
        weights = FitWeights(self.prior, self.noise, self.max_noise, self.smoothness, self.min_std)
        objective = FitObjective(prediction, inputs, reprojection, model, weights, whole)
        # Otherwise rotations, which are faster, would make up for a wrong size in the image.
        start = objective.root_change()
        change = start.clone()
        turns, shift = change[:, :NUM_JOINTS], change[:, NUM_JOINTS:]
        peaks = (self.lr, self.shift_lr)
        optimizer = torch.optim.Adam(
            [dict(params=[turns]), dict(params=[shift])], betas=(0.8, 0.999)
        )
        for step in range(self.steps):
            ramp = min(1.0, (step + 1) / RAMP_STEPS, (self.steps - step) / RAMP_STEPS)
            for group, peak in zip(optimizer.param_groups, peaks):
                group['lr'] = peak * ramp
            turns.grad, shift.grad = objective.gradient(change).split((NUM_JOINTS, 1), dim=1)
            optimizer.step()
        # Steps of Adam are as long as the learning rate, however small the gradient: a clip that
        # already fits would only wander.
        helped = objective.loss(change) < objective.loss(start)
        change, start = (value.unflatten(-1, objective.shape) for value in (change, start))
        return torch.where(helped[:, None], change, start)


def _apply(prediction: MotionPrediction, change: Tensor) -> MotionPrediction:
    """Apply a change (3, 23, B, L) of :class:`FitObjective` to a prediction."""
    change = change.permute(2, 3, 1, 0)
    turns = axis_angle_to_matrix(change[..., :NUM_JOINTS, :])
    turn_root, turn_body = turns[..., 0, :, :], turns[..., 1:, :, :]
    shift = change[..., NUM_JOINTS, :] * prediction.transl_c[..., 2:].abs()
    return prediction.replace(
        body_pose_R=prediction.body_pose_R @ turn_body,
        R_c=prediction.R_c @ turn_root,
        R_gv=prediction.R_gv @ turn_root,
        # Keeps the trajectory: velocities are in the frame of the root.
        velocity=(turn_root.mT @ prediction.velocity[..., None]).squeeze(-1),
        transl_c=prediction.transl_c + shift,
        x=None,
    )
