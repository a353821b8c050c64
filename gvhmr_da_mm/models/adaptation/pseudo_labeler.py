"""Pseudo-labeling of real clips: views, confidence, selection, fusion, refinement."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Optional

import torch
from torch import Tensor

from ...core.errors import ConfigError
from ...registry import MODELS, TRANSFORMS
from ...structures import MotionPrediction
from ..losses import ReprojectionLoss
from ..motion_estimator import MotionEstimator
from ..views.functional import Inputs
from .confidence import ScoreAndEvidence, reprojection_confidence, view_agreement
from .label_fusion import PseudoLabels, fuse_candidates
from .motion_critic import MotionCritic

DEFAULT_VIEWS = (dict(type='CameraRoll'), dict(type='BoxJitter'), dict(type='HorizontalFlip'))
"""Views that keep the image features come first: without features predictions are much worse."""


@MODELS.register_module()
class PseudoLabeler:
    """Label real clips by the teacher's confident predictions.

    The teacher predicts several views of each clip; the predictions are mapped back to the original
    camera and joined by the motion that the lifter sees in the keypoints. All are scored, the
    confident ones fused, and the result is fitted to the detected keypoints.

    Note:
        - N candidates (views, then the lifted motion), B clips, L frames.
        - :class:`ConfidenceThresholdHook` writes ``threshold``.

    Args:
        num_augmentations (int): Number of views, the plain input included. Defaults to 1: other
            views did not improve pseudo-labels or confidences.
        views (Sequence[dict], optional): Augmented views beside the plain input; the first
            ``num_augmentations - 1`` are used. Defaults to None: :data:`DEFAULT_VIEWS`.
        confidence (dict, optional): Combines scores. Defaults to None:
            ``dict(type='CombinedConfidence')``.
        threshold (float): Predictions with a greater confidence are used. Defaults to 0.4.
        view_weights (Sequence[float], optional): Prior weight in [0, 1] of each view. Defaults to
            None: equal ones.
        featureless_weight (float): Further factor for predictions without image features, which
            are much worse. Defaults to 0.25.
        refiner (dict, optional): Fits labels to the detected keypoints. Defaults to
            ``dict(type='KeypointRefiner')``; None: labels are not refined.
        lifter (dict, optional): Adds a candidate for clips with keypoints. Defaults to
            ``dict(type='PoseLifter')``; None: none.
        trajectory (dict, optional): Corrects the trajectory in the world, such as
            ``dict(type='FootContactOdometry')``. Defaults to None: not corrected.

    Raises:
        ConfigError: If a count or a weight is impossible.
    """

    def __init__(
        self,
        num_augmentations: int = 1,
        views: Optional[Sequence[dict]] = None,
        confidence: Optional[dict] = None,
        threshold: float = 0.4,
        view_weights: Optional[Sequence[float]] = None,
        featureless_weight: float = 0.25,
        refiner: Optional[dict] = dict(type='KeypointRefiner'),  # noqa: B006
        lifter: Optional[dict] = dict(type='PoseLifter'),  # noqa: B006
        trajectory: Optional[dict] = None,
    ) -> None:
        views = DEFAULT_VIEWS if views is None else views
        if not 1 <= num_augmentations <= len(views) + 1:
            raise ConfigError(
                '`num_augmentations` counts the plain input and the first of `views`, so it should '
                f'be between 1 and {len(views) + 1} with {len(views)} view(s) configured, got '
                f'{num_augmentations}; add entries to `model.pseudo_labeler.views`'
            )
        _check_prior(view_weights, featureless_weight, num_augmentations)
        self.views = [TRANSFORMS.build(dict(view)) for view in views[: num_augmentations - 1]]
        self.confidence = MODELS.build(confidence or dict(type='CombinedConfidence'))
        self.threshold = threshold
        self.view_weights = None if view_weights is None else tuple(view_weights)
        self.featureless_weight = featureless_weight
        self.refiner = refiner and MODELS.build(refiner)
        self.lifter = lifter and MODELS.build(lifter)
        self.trajectory = trajectory and MODELS.build(trajectory)

    @torch.no_grad()
    def __call__(
        self,
        teacher: MotionEstimator,
        inputs: Inputs,
        reprojection: ReprojectionLoss,
        critic: Optional[MotionCritic] = None,
    ) -> PseudoLabels:
        """Label a batch.

        Args:
            teacher (MotionEstimator): Predicts, in eval mode.
            inputs (dict[str, Tensor]): A real batch without labels.
            reprojection (ReprojectionLoss): Masks the detections; the refiner minimises it.
            critic (MotionCritic, optional): Scores motion; needed by a confidence from the
                discriminator. Defaults to None.
        """
        candidates, has_imgfeat = self._predict_views(teacher, inputs)
        prior = self.prior(has_imgfeat)
        if self.lifter is not None:
            candidates.append(self.lifter(candidates[0], inputs, teacher))
            prior = torch.cat((prior, inputs['has_kp2d'][None].to(prior)))
        scores = {
            source: self._score(source, candidates, inputs, teacher, reprojection, critic)
            for source in self.confidence.sources
        }
        labels = fuse_candidates(
            candidates, self.confidence(scores), self.threshold, prior, inputs, scores
        )
        prediction = labels.prediction
        if self.refiner is not None:
            prediction = self.refiner(prediction, inputs, reprojection, teacher, labels.keep)
        if self.trajectory is not None:
            prediction = self.trajectory(prediction, inputs['cam_angvel'], teacher.body_model)
        return replace(labels, prediction=prediction)

    def prior(self, has_imgfeat: Tensor) -> Tensor:
        """Return the prior weights (N, B) of views; ``has_imgfeat`` (N, B): which saw features."""
        prior = torch.where(has_imgfeat, 1.0, self.featureless_weight)
        if self.view_weights is None:
            return prior
        return prior * prior.new_tensor(self.view_weights)[:, None]

    def _predict_views(
        self, teacher: MotionEstimator, inputs: Inputs
    ) -> tuple[list[MotionPrediction], Tensor]:
        """Predict all views at once and map them back; also return ``has_imgfeat`` (N, B)."""
        applied = [view.apply(inputs) for view in self.views]
        view_inputs = [inputs, *(changed for changed, _ in applied)]
        stacked = {name: torch.cat([one[name] for one in view_inputs]) for name in inputs}
        predictions = teacher.infer(stacked)
        batch = len(inputs['valid'])
        candidates = [predictions[:batch]]
        for index, (view, (_, state)) in enumerate(zip(self.views, applied), start=1):
            prediction = predictions[index * batch : (index + 1) * batch]
            root_offset = teacher.body_model.skeleton(prediction.betas)[..., 0, :]
            candidates.append(view.invert(prediction, state, inputs, root_offset))
        return candidates, stacked['has_imgfeat'].view(len(candidates), batch)

    def _score(
        self,
        source: str,
        candidates: Sequence[MotionPrediction],
        inputs: Inputs,
        teacher: MotionEstimator,
        reprojection: ReprojectionLoss,
        critic: Optional[MotionCritic],
    ) -> ScoreAndEvidence:
        """Return scores (N, B) in [0, 1] of a source, and the mask of those with evidence."""
        if source == 'reprojection':
            pairs = [
                reprojection_confidence(
                    teacher.coco_joints(one),
                    inputs,
                    scale=self.confidence.reprojection_scale,
                    min_keypoint_score=reprojection.min_keypoint_score,
                )
                for one in candidates
            ]
            scores, evidence = (torch.stack(values) for values in zip(*pairs))
            return scores, evidence
        if source == 'discriminator':
            scores = critic.confidence(candidates)
        else:
            scores = view_agreement(candidates)
        return scores, torch.ones_like(scores, dtype=torch.bool)


def _check_prior(
    view_weights: Optional[Sequence[float]], featureless_weight: float, num_views: int
) -> None:
    """Check prior weights of views."""
    for weight in (featureless_weight, *(view_weights or ())):
        if not 0 <= weight <= 1:
            raise ConfigError(
                '`view_weights` and `featureless_weight` should lie in [0, 1], got '
                f'{view_weights} and {featureless_weight}'
            )
    if view_weights is None:
        return
    if not any(view_weights):
        raise ConfigError('`view_weights` are all zero: no pseudo-label would ever be kept')
    if len(view_weights) != num_views:
        raise ConfigError(
            f'`view_weights` has {len(view_weights)} values for {num_views} views: give one for '
            'each view'
        )
