"""GVHMR trained on labelled synthetic clips and unlabelled real ones in turn."""

from typing import Optional, Union

import torch
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapperDict
from torch import Tensor, nn

from ...body_models import LightBody
from ...core.precision import full_precision
from ...registry import MODELS, TRANSFORMS
from ...structures import BodyTargets, MotionPrediction, MotionTargets
from ..across_ranks import gather_clips, mean_denominator
from ..checkpoint_guard import adapt_student_teacher
from ..heads.motion_discriminator import (
    discriminator_loss,
    discriminator_pose,
    frozen,
    generator_adversarial_loss,
    score_together,
)
from .adaptation_options import check_choices, check_num_augmentations, check_weights
from .batch_domain import Samples, all_labelled, named_losses, single_domain
from .candidate_scores import candidate_scores
from .ema import update_ema
from .pseudo_labeler import PseudoLabels

REAL_TERMS = ('real_loss', 'generator_adversarial_loss', 'reprojection_loss')


@MODELS.register_module()
class DomainAdaptiveGVHMR(BaseModel):
    """A student that learns from labels and from its teacher's confident predictions.

    Each iteration holds clips of one domain (real clips loaded with their labels are learned as
    synthetic ones are, but their motion does not count as true):

    - *synthetic*: supervised losses; the motion joins the queue of true motion.
    - *real*: the teacher predicts several views of the clips; predictions are mapped back to the
      original camera, scored, the confident ones fused to pseudo-labels and these fitted to the
      detected keypoints. The student learns them from a noised view, agrees with the keypoints
      itself, keeps static joints in place, and may be asked by the discriminator to move like true
      motion. The discriminator learns with its own optimiser.

    No label of a real clip is read: the datasets do not even load them. With several ranks the true
    motions, their scores and what means are taken over are those of all ranks.

    Note:
        - B: batch, L: frames, N: views.
        - ``confidence_threshold`` is written by :class:`ConfidenceThresholdHook`, the teacher is
          moved by :class:`MeanTeacherHook`.

    Args:
        estimator (dict): Config of the :class:`GVHMR` that student and teacher are.
        discriminator (dict): Config of the :class:`MotionDiscriminator`.
        views (list[dict]): Augmentations of the teacher's input beside the plain one; the first
            ``num_augmentations - 1`` are used.
        num_augmentations (int): Views in total; the first is the plain input. Defaults to 2.
        student_view (dict, optional): Augmentation of the student's input. Defaults to None.
        pseudo_labeler (dict, optional): Defaults to ``dict(type='PseudoLabeler')``.
        confidence_calibration (str): ``'none'`` or ``'quantile'``. Defaults to ``'none'``.
        calibrator (dict, optional): Defaults to ``dict(type='ConfidenceCalibrator')``.
        confidence (dict, optional): What makes up the confidence. Defaults to
            ``dict(type='CombinedConfidence')``, the discriminator alone.
        fake_target (dict, optional): The scores that the discriminator learns for the student's
            predictions, such as ``dict(type='NearestMotionTarget')``. Defaults to None: 0 for all.
        discriminator_steps (int): Updates of the discriminator per real iteration. Defaults to 1.
        refiner (dict, optional): Fits pseudo-labels to the detected keypoints, such as
            ``dict(type='KeypointRefiner')``. Defaults to None.
        label_path (dict, optional): Gives pseudo-labels a path through the world, such as
            ``dict(type='StancePath')``. Defaults to None: the teacher's.
        reprojection (dict, optional): Keypoint loss. Defaults to ``dict(type='ReprojectionLoss')``.
        teacher (str): ``'ema'`` or ``'student'``. Defaults to ``'ema'``.
        synthetic_weight (float): Weight of the losses on labels. Defaults to 1.
        real_weight (float): Weight of the pseudo-label losses. Defaults to 1.
        discriminator_weight (float): Weight of the discriminator's own loss. Defaults to 1.
        adversarial_weight (float): Defaults to 1.
        reprojection_weight (float): Defaults to 1.
        label_world (bool): Whether pseudo-labels supervise the world, too. Defaults to True.
        real_shape (bool): Whether bodies on real clips teach the shape, too. Defaults to True.
        label_free (dict[str, dict], optional): Further losses on real clips by name, called with
            the prediction, the inputs and the body. Defaults to None.
        queue_size (int): True motions remembered from synthetic batches. Defaults to 256.
        queue_max_len (int): Frames of each; ``max_len`` of the datasets or more. Defaults to 120.
        confidence_threshold (float): Value before the hook writes one. Defaults to 0.6.
        predict_on (str): ``'student'`` or ``'teacher'`` at test time. Defaults to ``'student'``.
        data_preprocessor (dict, optional): Defaults to ``dict(type='MotionDataPreprocessor')``.
        init_cfg (dict, optional): Weight initialisation.
    """

    def __init__(
        self,
        estimator: dict,
        discriminator: dict,
        views: Optional[list[dict]] = None,
        num_augmentations: int = 2,
        student_view: Optional[dict] = None,
        pseudo_labeler: Optional[dict] = None,
        confidence_calibration: str = 'none',
        calibrator: Optional[dict] = None,
        confidence: Optional[dict] = None,
        fake_target: Optional[dict] = None,
        discriminator_steps: int = 1,
        refiner: Optional[dict] = None,
        label_path: Optional[dict] = None,
        reprojection: Optional[dict] = None,
        teacher: str = 'ema',
        synthetic_weight: float = 1.0,
        real_weight: float = 1.0,
        discriminator_weight: float = 1.0,
        adversarial_weight: float = 1.0,
        reprojection_weight: float = 1.0,
        label_free: Optional[dict[str, dict]] = None,
        label_world: bool = True,
        real_shape: bool = True,
        queue_size: int = 256,
        queue_max_len: int = 120,
        confidence_threshold: float = 0.6,
        predict_on: str = 'student',
        data_preprocessor: Optional[dict] = None,
        init_cfg: Optional[dict] = None,
    ) -> None:
        preprocessor = data_preprocessor or dict(type='MotionDataPreprocessor')
        super().__init__(MODELS.build(preprocessor), init_cfg)
        views = views or []
        check_choices(teacher=teacher, predict_on=predict_on)
        check_num_augmentations(num_augmentations, len(views))
        check_weights(
            synthetic_weight=synthetic_weight,
            real_weight=real_weight,
            discriminator_weight=discriminator_weight,
            adversarial_weight=adversarial_weight,
            reprojection_weight=reprojection_weight,
        )
        self.student = MODELS.build(estimator)
        self.teacher = MODELS.build(estimator)
        self.discriminator = MODELS.build(discriminator)
        self.views = [TRANSFORMS.build(view) for view in views[: num_augmentations - 1]]
        self.student_view = student_view and TRANSFORMS.build(student_view)
        self.pseudo_labeler = MODELS.build(pseudo_labeler or dict(type='PseudoLabeler'))
        self.calibrator = MODELS.build(
            {'mode': confidence_calibration, **(calibrator or dict(type='ConfidenceCalibrator'))}
        )
        self.confidence = MODELS.build(confidence or dict(type='CombinedConfidence'))
        self.fake_target = fake_target and MODELS.build(fake_target)
        self.refiner = refiner and MODELS.build(refiner)
        self.label_path = label_path and MODELS.build(label_path)
        self.reprojection = MODELS.build(reprojection or dict(type='ReprojectionLoss'))
        self.label_free = nn.ModuleDict(
            {name: MODELS.build(loss) for name, loss in (label_free or {}).items()}
        )
        self.motion_queue = MODELS.build(
            dict(type='MotionQueue', size=queue_size, max_len=queue_max_len)
        )
        self.teacher_source = teacher
        self.label_world = label_world
        self.real_shape = real_shape
        self.discriminator_steps = discriminator_steps
        self.synthetic_weight = synthetic_weight
        self.real_weight = real_weight
        self.discriminator_weight = discriminator_weight
        self.adversarial_weight = adversarial_weight
        self.reprojection_weight = reprojection_weight
        self.confidence_threshold = confidence_threshold
        self.predict_on = predict_on
        self.teacher.requires_grad_(False)
        # One body and one representation: the statistics are fitted or loaded once for both.
        self.teacher.body_model = self.student.body_model
        self.teacher.motion_codec = self.student.motion_codec
        self.teacher.load_state_dict(self.student.state_dict())
        self._register_load_state_dict_pre_hook(adapt_student_teacher, with_module=True)

    def init_weights(self) -> None:
        """Initialise the student and start the teacher as its copy."""
        super().init_weights()
        self.teacher.load_state_dict(self.student.state_dict())

    def train(self, mode: bool = True) -> 'DomainAdaptiveGVHMR':
        """Set the mode of all but the teacher, which always predicts without dropout."""
        super().train(mode)
        self.teacher.eval()
        return self

    @property
    def motion_codec(self) -> torch.nn.Module:
        """The student's motion codec, whose statistics the teacher shares."""
        return self.student.motion_codec

    def forward(
        self,
        inputs: dict[str, Tensor],
        data_samples: Optional[Samples] = None,
        mode: str = 'tensor',
    ) -> Union[dict[str, Tensor], Samples, MotionPrediction]:
        """Run the student (or, to predict, what ``predict_on`` says) as :class:`GVHMR` does."""
        model = self.teacher if mode != 'loss' and self.predict_on == 'teacher' else self.student
        return model(inputs, data_samples, mode)

    def train_step(self, data: dict, optim_wrapper: OptimWrapperDict) -> dict[str, Tensor]:
        """Train on one batch of one domain.

        Args:
            data (dict): A collated batch.
            optim_wrapper (OptimWrapperDict): Wrappers ``'model'`` and ``'discriminator'``.

        Returns:
            dict[str, Tensor]: Log values, named by domain.
        """
        data = self.data_preprocessor(data, training=True)
        inputs, data_samples = data['inputs'], data['data_samples']
        domain = single_domain(data_samples)
        if domain == 'real' and not all_labelled(data_samples):
            return self.real_step(inputs, optim_wrapper)
        with optim_wrapper['model'].optim_context(self.student):
            losses = self.student.loss(inputs, data_samples)
        total = self.synthetic_weight * sum(losses.values())
        optim_wrapper['model'].update_params(total)
        if domain == 'synthetic':  # Labels of real clips never pass for true motion.
            body_pose = torch.stack([sample.gt_instances.body_pose for sample in data_samples])
            true_pose = gather_clips(discriminator_pose(body_pose))
            valid = gather_clips(inputs['valid'])
            self.motion_queue.push(true_pose, valid)
            self.discriminator.observe(true_pose, valid)
        return {f'{domain}_loss': total.detach(), **named_losses(domain, losses)}

    def real_step(
        self, inputs: dict[str, Tensor], optim_wrapper: OptimWrapperDict
    ) -> dict[str, Tensor]:
        """Learn from the teacher's confident predictions and from detected keypoints.

        Args:
            inputs (dict[str, Tensor]): A real batch; labels are not even passed on.
            optim_wrapper (OptimWrapperDict): Wrappers ``'model'`` and ``'discriminator'``.

        Returns:
            dict[str, Tensor]: Log values.
        """
        labels = self.pseudo_label(inputs) if self.real_weight else None
        terms: dict[str, Tensor] = {}
        # What has no weight is not computed, and is logged all the same.
        logs = dict.fromkeys(REAL_TERMS, inputs['kp2d'].new_zeros(()))
        with optim_wrapper['model'].optim_context(self.student):
            prediction = self.predict_noised(inputs)
            body = self.student.skin(prediction) if labels is not None else None
            pose = discriminator_pose(prediction.body_pose_R)
            if labels is not None:
                losses = self.pseudo_label_loss(prediction, body, labels, inputs)
                terms['real_loss'] = self.real_weight * sum(losses.values())
                logs.update(**named_losses('real', losses), **labels.log_values())
            if self.adversarial_weight:
                with frozen(self.discriminator):
                    # To full precision: autocast would leave the loss in half of it.
                    scores = self.discriminator(pose, prediction.valid).to(pose)
                terms['generator_adversarial_loss'] = (
                    self.adversarial_weight * generator_adversarial_loss(scores)
                )
            coco17 = self.student.coco_joints(prediction) if body is None else body.coco17
            detections = mean_denominator(self.reprojection.counts(inputs).sum())
            logs['reprojection_error'] = self.reprojection.error(coco17, inputs, detections)
            if self.reprojection_weight:
                terms['reprojection_loss'] = self.reprojection_weight * self.reprojection(
                    coco17, inputs, detections
                )
            for name, module in self.label_free.items():
                terms[f'{name}_loss'] = module(prediction, inputs, self.student.body_model)
        if terms:
            optim_wrapper['model'].update_params(sum(terms.values()))
        for _ in range(self.discriminator_steps):
            logs.update(self.discriminator_step(pose.detach(), prediction.valid, optim_wrapper))
        return {**logs, **{name: value.detach() for name, value in terms.items()}}

    def discriminator_step(
        self, fake_pose: Tensor, valid: Tensor, optim_wrapper: OptimWrapperDict
    ) -> dict[str, Tensor]:
        """Teach the discriminator true motion from the queue against predictions.

        Args:
            fake_pose (Tensor): Predicted poses (B, L, 69) without graph.
            valid (Tensor): Their valid frames (B, L).
            optim_wrapper (OptimWrapperDict): The wrapper ``'discriminator'`` is used.

        Returns:
            dict[str, Tensor]: The discriminator's losses; empty without true motion or weight.
        """
        if not len(self.motion_queue) or not self.discriminator_weight:
            return {}
        target = 0.0
        if self.fake_target is not None:
            target = self.fake_target(fake_pose, valid, self.motion_queue)
        true_pose, true_valid = self.motion_queue.sample(len(fake_pose))
        with optim_wrapper['discriminator'].optim_context(self.discriminator):
            true_scores, fake_scores = score_together(
                self.discriminator, (true_pose, true_valid), (fake_pose, valid)
            )
            real, fake = discriminator_loss(true_scores, fake_scores, target)
        optim_wrapper['discriminator'].update_params(self.discriminator_weight * (real + fake))
        if self.calibrator.needs_true_scores:
            scores = self.discriminator.score(true_pose, true_valid)
            self.calibrator.update(gather_clips(scores))
        return dict(discriminator_real_loss=real.detach(), discriminator_fake_loss=fake.detach())

    @torch.no_grad()
    def pseudo_label(self, inputs: dict[str, Tensor]) -> PseudoLabels:
        """Predict all views at once with the teacher, map back, score and fuse.

        Args:
            inputs (dict[str, Tensor]): A real batch without labels.

        Returns:
            PseudoLabels: Fused prediction, which samples to keep, confidence and spread.
        """
        applied = [view.apply(inputs) for view in self.views]
        view_inputs = [inputs, *(changed for changed, _ in applied)]
        stacked = {name: torch.cat([one[name] for one in view_inputs]) for name in inputs}
        predictions = self._teach(stacked)
        batch = len(inputs['valid'])
        candidates = [predictions[:batch]]
        for index, (view, (_, state)) in enumerate(zip(self.views, applied), start=1):
            prediction = predictions[index * batch : (index + 1) * batch]
            candidates.append(view.invert(prediction, state, inputs, self._root_offset(prediction)))
        scores = candidate_scores(
            self.confidence.sources,
            candidates,
            inputs,
            discriminator=self.discriminator,
            calibrator=self.calibrator,
            reprojection=self.reprojection,
            coco_joints=self.student.coco_joints,
        )
        labels = self.pseudo_labeler(
            candidates,
            self.confidence(scores),
            self.confidence_threshold,
            has_imgfeat=stacked['has_imgfeat'].view(len(candidates), batch),
            inputs=inputs,
            scores=scores,
        )
        if self.refiner is not None:
            labels.prediction = self.refiner(
                labels.prediction, inputs, self.reprojection, self.student, labels.keep
            )
        if self.label_path is not None:
            labels.prediction = self.label_path(
                labels.prediction, inputs['cam_angvel'], self.student.body_model
            )
        return labels

    def _teach(self, inputs: dict[str, Tensor]) -> MotionPrediction:
        """Predict with the teacher, or with the student in the teacher's place, undisturbed."""
        if self.teacher_source == 'ema':
            return self.teacher.infer(inputs)
        training = self.student.training
        self.student.eval()
        try:
            return self.student.infer(inputs)
        finally:
            self.student.train(training)

    def _root_offset(self, prediction: MotionPrediction) -> Tensor:
        """Return the rest position of the pelvis (B, L, 3), about which SMPL-X turns."""
        return self.student.body_model.skeleton(prediction.betas)[..., 0, :]

    def predict_noised(self, inputs: dict[str, Tensor]) -> MotionPrediction:
        """Predict with the student from its own augmented view, in the original camera."""
        noised, state = inputs, {}
        if self.student_view is not None:
            noised, state = full_precision(self.student_view.apply)(inputs)
        prediction = self.student.infer(noised, drop=True)
        if not self.real_shape:  # Longer bones explain keypoints too easily.
            prediction = prediction.replace(betas=prediction.betas.detach())
        if self.student_view is None:
            return prediction
        root_offset = self._root_offset(prediction)
        return full_precision(self.student_view.invert)(prediction, state, inputs, root_offset)

    @full_precision
    def pseudo_label_loss(
        self,
        prediction: MotionPrediction,
        body: LightBody,
        labels: PseudoLabels,
        inputs: dict[str, Tensor],
    ) -> dict[str, Tensor]:
        """Apply the supervised losses to pseudo-labels; exactly zero where nothing is kept."""
        targets = MotionTargets.from_prediction(
            labels.prediction, inputs['cam_angvel'], labels.keep
        )
        # A view of the student may leave frames out.
        targets = targets.replace(valid=targets.valid & prediction.valid)
        if not self.label_world:
            targets = targets.replace(camera_only=torch.ones_like(targets.camera_only))
        body_targets = BodyTargets.from_motion(self.student.body_model, targets)
        return self.student.target_loss(prediction, targets, body_targets, inputs, body)

    def update_teacher(self, momentum: float, skip_buffers: bool = True) -> None:
        """Move the teacher's weights towards the student's by ``momentum``."""
        update_ema(self.teacher, self.student, momentum, skip_buffers)
