"""Domain-adaptive GVHMR, trained on labelled synthetic and unlabelled real clips in turn."""

from collections.abc import Mapping
from typing import Optional, Union

import torch
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import Tensor, nn

from ...core.checks import check_choice
from ...core.errors import ConfigError
from ...core.precision import full_precision
from ...registry import MODELS, TRANSFORMS
from ...registry.arguments import suggest
from ...structures import MotionPrediction
from ..across_ranks import mean_denominator
from ..checkpoint_guard import adapt_student_teacher
from ..heads.motion_discriminator import discriminator_pose
from ..losses import ReprojectionLoss, check_loss_weight
from .batch_domain import Samples, all_labelled, named_losses, single_domain
from .ema import update_ema
from .label_fusion import PseudoLabels

DEFAULT_LOSSES = dict(
    pseudo=dict(type='PseudoLabelLoss'),
    reprojection=dict(type='ReprojectionLoss'),
    contact=dict(type='ContactConsistencyLoss'),
)
"""Losses on real clips by name."""
ROLES = ('student', 'teacher')
REAL_TERMS = ('real_loss', 'generator_adversarial_loss', 'reprojection_loss')


@MODELS.register_module()
class DomainAdaptiveGVHMR(BaseModel):
    """A student that learns from labels and from its teacher's confident predictions.

    Each iteration holds clips of one domain. Real clips that are loaded with labels are trained on
    like synthetic ones, but never used as true motion.

    - *synthetic*: supervised losses; the motion is added to the critic's queue of true motion.
    - *real*: the pseudo-labeler labels the clips with the teacher. The student is trained on the
      pseudo-labels and by the unsupervised losses (detected keypoints, static joints), optionally
      by an adversarial loss; the critic has an optimiser of its own.

    No label of an unlabelled real clip is read: the datasets do not load it. True motions, their
    scores and means are those of all ranks.

    Note:
        - B: batch, L: frames.
        - :class:`ConfidenceThresholdHook` writes ``pseudo_labeler.threshold``,
          :class:`MeanTeacherHook` moves the teacher.

    Args:
        estimator (dict): Config of the :class:`GVHMR` that student and teacher are.
        pseudo_labeler (dict, optional): Labels real clips. Defaults to None:
            ``dict(type='PseudoLabeler')``.
        critic (dict, optional): Learns how true a motion looks. Defaults to
            ``dict(type='MotionCritic')``; None: no critic.
        losses (dict[str, dict | None], optional): Losses on real clips by name: ``pseudo`` on
            pseudo-labels, ``reprojection`` on detected keypoints, and others that are called with
            the prediction, the inputs and the body model. Missing ones are as in
            :data:`DEFAULT_LOSSES`; None, or a ``loss_weight`` of 0, turns one off. Defaults to
            None.
        synthetic_weight (float): Weight of the losses on labels; 0: labels do not train the
            student. Defaults to 1.
        student_view (dict, optional): Augmentation of the student's input on real clips. Defaults
            to None: it had no effect.
        real_shape (bool): Whether real clips train the shape, too. Defaults to False: wrong bones
            fit keypoints as well as wrong poses do.
        predict_on (str): ``'student'`` or ``'teacher'`` at test time. Defaults to ``'student'``.
        data_preprocessor (dict, optional): Defaults to None:
            ``dict(type='MotionDataPreprocessor')``.
        init_cfg (dict, optional): Weight initialisation. Defaults to None.

    Raises:
        ConfigError: If a value is impossible, a loss of :data:`DEFAULT_LOSSES` has another name, or
            the confidence needs a critic but has none.
    """

    def __init__(
        self,
        estimator: dict,
        pseudo_labeler: Optional[dict] = None,
        critic: Optional[dict] = dict(type='MotionCritic'),  # noqa: B006
        losses: Optional[dict[str, Optional[dict]]] = None,
        synthetic_weight: float = 1.0,
        student_view: Optional[dict] = None,
        real_shape: bool = False,
        predict_on: str = 'student',
        data_preprocessor: Optional[dict] = None,
        init_cfg: Optional[dict] = None,
    ) -> None:
        preprocessor = data_preprocessor or dict(type='MotionDataPreprocessor')
        super().__init__(MODELS.build(preprocessor), init_cfg)
        check_choice(predict_on, ROLES, 'predict_on')
        self.student = MODELS.build(estimator)
        self.teacher = MODELS.build(estimator)
        self.pseudo_labeler = MODELS.build(pseudo_labeler or dict(type='PseudoLabeler'))
        self.critic = critic and MODELS.build(critic)
        self.losses = _build_losses(losses or {})
        self.student_view = student_view and TRANSFORMS.build(student_view)
        self.synthetic_weight = check_loss_weight(self, synthetic_weight, 'synthetic_weight')
        self.real_shape = real_shape
        self.predict_on = predict_on
        if self.critic is None and 'discriminator' in self.pseudo_labeler.confidence.sources:
            raise ConfigError(
                'the confidence of pseudo-labels names the discriminator, but `critic` is None: '
                'keep the critic, or set `pseudo_labeler.confidence.weights` to '
                'dict(reprojection=1.0)'
            )
        self.teacher.requires_grad_(False)
        # Shared, so that the statistics are fitted or loaded once for both.
        self.teacher.body_model = self.student.body_model
        self.teacher.motion_codec = self.student.motion_codec
        # At test time the refiner minimises the loss of training.
        for network in (self.student, self.teacher):
            network.recovery.reprojection = self.reprojection
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
    def motion_codec(self) -> nn.Module:
        """The student's motion codec, whose statistics the teacher shares."""
        return self.student.motion_codec

    @property
    def reprojection(self) -> ReprojectionLoss:
        """The keypoint loss, whose valid detections also serve pseudo-labels and tests."""
        return self.losses['reprojection']

    def forward(
        self,
        inputs: dict[str, Tensor],
        data_samples: Optional[Samples] = None,
        mode: str = 'tensor',
    ) -> Union[dict[str, Tensor], Samples, MotionPrediction]:
        """Run the student, or for predictions the ``predict_on`` network.

        Args:
            inputs (dict[str, Tensor]): As for :class:`GVHMR`.
            data_samples (list[PoseDataSample], optional): As there. Defaults to None.
            mode (str): As for :meth:`GVHMR.forward`. Defaults to ``'tensor'``.

        Returns:
            dict[str, Tensor] | list[PoseDataSample] | MotionPrediction: As there.
        """
        model = self.teacher if mode != 'loss' and self.predict_on == 'teacher' else self.student
        return model(inputs, data_samples, mode)

    def train_step(self, data: dict, optim_wrapper: OptimWrapperDict) -> dict[str, Tensor]:
        """Train on one batch of one domain.

        Args:
            data (dict): A collated batch.
            optim_wrapper (OptimWrapperDict): Wrappers ``'model'`` and, with a critic,
                ``'discriminator'``.

        Returns:
            dict[str, Tensor]: Log values, named by domain, and ``loss``, which the student was
            trained on, for hooks that read it of any model.

        Raises:
            DataError: If the batch mixes domains, or real clips with and without labels.
        """
        data = self.data_preprocessor(data, training=True)
        inputs, data_samples = data['inputs'], data['data_samples']
        domain = single_domain(data_samples)
        if domain == 'real' and not all_labelled(data_samples):
            return self.real_step(inputs, optim_wrapper)
        logs = self.supervised_step(inputs, data_samples, optim_wrapper['model'])
        logs = dict(named_losses(domain, logs), loss=logs['loss'].detach())
        # Labels of real clips are never used as true motion.
        if domain == 'synthetic' and self.critic is not None:
            body_pose = torch.stack([sample.gt_instances.body_pose for sample in data_samples])
            self.critic.observe(body_pose, inputs['valid'])
            if self.critic.learn_from_synthetic:
                pose = self.predict_synthetic(inputs, data_samples)
                wrapper = optim_wrapper['discriminator']
                logs.update(self.critic.learn(pose, inputs['valid'], wrapper))
        return logs

    def supervised_step(
        self, inputs: dict[str, Tensor], data_samples: Samples, optim_wrapper: OptimWrapper
    ) -> dict[str, Tensor]:
        """Train the student on labels.

        Args:
            inputs (dict[str, Tensor]): A batch.
            data_samples (list[PoseDataSample]): Its labels.
            optim_wrapper (OptimWrapper): The student's.

        Returns:
            dict[str, Tensor]: ``loss``, weighted, and its terms, not weighted.
        """
        if not self.synthetic_weight:
            return dict(loss=inputs['kp2d'].new_zeros(()))
        with optim_wrapper.optim_context(self.student):
            losses = self.student.loss(inputs, data_samples)
        total = self.synthetic_weight * sum(losses.values())
        optim_wrapper.update_params(total)
        return dict(loss=total, **losses)

    def real_step(
        self, inputs: dict[str, Tensor], optim_wrapper: OptimWrapperDict
    ) -> dict[str, Tensor]:
        """Train the student on pseudo-labels and unsupervised losses, then the critic.

        Args:
            inputs (dict[str, Tensor]): A real batch; labels are not passed on.
            optim_wrapper (OptimWrapperDict): See :meth:`train_step`.

        Returns:
            dict[str, Tensor]: Log values.
        """
        # Terms without weight are not computed, but logged as zero.
        logs = dict.fromkeys(('loss', *REAL_TERMS), inputs['kp2d'].new_zeros(()))
        labels = self.pseudo_label(inputs) if self.losses['pseudo'].loss_weight else None
        with optim_wrapper['model'].optim_context(self.student):
            prediction = self.predict_noised(inputs)
            pose = discriminator_pose(prediction.body_pose_R)
            terms, measured = self.real_losses(prediction, pose, labels, inputs)
        if terms:
            total = sum(terms.values())
            optim_wrapper['model'].update_params(total)
            logs['loss'] = total.detach()
        logs.update(measured)
        if self.critic is not None:
            logs.update(
                self.critic.learn(pose.detach(), prediction.valid, optim_wrapper['discriminator'])
            )
        return {**logs, **{name: value.detach() for name, value in terms.items()}}

    def real_losses(
        self,
        prediction: MotionPrediction,
        pose: Tensor,
        labels: Optional[PseudoLabels],
        inputs: dict[str, Tensor],
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Compute the student's losses on real clips.

        Args:
            prediction (MotionPrediction): The student's, with graph.
            pose (Tensor): Its poses (B, L, 69) as the critic takes them, rad.
            labels (PseudoLabels, optional): None: no loss on pseudo-labels.
            inputs (dict[str, Tensor]): A real batch.

        Returns:
            tuple[dict[str, Tensor], dict[str, Tensor]]: Weighted losses, and values to log.
        """
        terms, logs = {}, {}
        body = None
        if labels is not None:
            body = self.student.skin(prediction)
            losses = self.losses['pseudo'](prediction, body, labels, inputs, self.student)
            terms['real_loss'] = self.losses['pseudo'].loss_weight * sum(losses.values())
            logs.update(**named_losses('real', losses), **labels.log_values())
        if self.critic is not None and self.critic.adversarial_weight:
            terms['generator_adversarial_loss'] = self.critic.adversarial_loss(
                pose, prediction.valid
            )
        coco17 = self.student.coco_joints(prediction) if body is None else body.coco17
        residual = self.reprojection.residual(coco17, inputs)
        detections = mean_denominator(residual.valid.sum())
        logs['reprojection_error'] = self.reprojection.error(residual, detections)
        if self.reprojection.loss_weight:
            terms['reprojection_loss'] = self.reprojection(residual, detections)
        for name, loss in self.losses.items():
            if name not in ('pseudo', 'reprojection') and loss.loss_weight:
                terms[f'{name}_loss'] = loss(prediction, inputs, self.student.body_model)
        return terms, logs

    @torch.no_grad()
    def pseudo_label(self, inputs: dict[str, Tensor]) -> PseudoLabels:
        """Label a real batch with the teacher.

        Args:
            inputs (dict[str, Tensor]): A real batch.

        Returns:
            PseudoLabels: Without graph.
        """
        return self.pseudo_labeler(self.teacher, inputs, self.reprojection, self.critic)

    def predict_noised(self, inputs: dict[str, Tensor]) -> MotionPrediction:
        """Predict with the student from ``student_view``, mapped back to the original camera.

        Args:
            inputs (dict[str, Tensor]): A real batch.

        Returns:
            MotionPrediction: With graph, but for the shape without ``real_shape``.
        """
        noised, state = inputs, {}
        if self.student_view is not None:
            noised, state = full_precision(self.student_view.apply)(inputs)
        prediction = self.student.infer(noised, drop=True)
        if not self.real_shape:
            prediction = prediction.replace(betas=prediction.betas.detach())
        if self.student_view is None:
            return prediction
        root_offset = self.student.body_model.skeleton(prediction.betas)[..., 0, :]
        return full_precision(self.student_view.invert)(prediction, state, inputs, root_offset)

    @torch.no_grad()
    def predict_synthetic(self, inputs: dict[str, Tensor], data_samples: Samples) -> Tensor:
        """Predict poses of labelled clips as in training, for the critic.

        Args:
            inputs (dict[str, Tensor]): A synthetic batch.
            data_samples (list[PoseDataSample]): Its labels.

        Returns:
            Tensor: Axis-angle (B, L, 69), rad, without graph.
        """
        _, body_targets = self.student.targets(inputs, data_samples)
        observed = self.student.simulate_detections(inputs, body_targets)
        return discriminator_pose(self.student.infer(observed, drop=True).body_pose_R)

    def update_teacher(self, momentum: float, skip_buffers: bool = True) -> None:
        """Move the teacher's weights towards the student's.

        Args:
            momentum (float): Share of the student, see :func:`update_ema`.
            skip_buffers (bool): Leave the teacher's buffers alone. Defaults to True.
        """
        update_ema(self.teacher, self.student, momentum, skip_buffers)


def _build_losses(configs: Mapping[str, Optional[dict]]) -> nn.ModuleDict:
    """Build losses by name; a default loss that is None gets weight 0 and keeps its settings."""
    losses = {
        name: MODELS.build(
            dict(DEFAULT_LOSSES[name], loss_weight=0.0) if config is None else config
        )
        for name, config in {**DEFAULT_LOSSES, **configs}.items()
        if config is not None or name in DEFAULT_LOSSES
    }
    for name in configs.keys() - DEFAULT_LOSSES.keys():
        _check_further_loss(name, losses.get(name))
    return nn.ModuleDict(losses)


def _check_further_loss(name: str, loss: Optional[nn.Module]) -> None:
    """Check that a loss with a name of its own is no default one with a misspelt name."""
    if loss is None:
        raise ConfigError(
            f'`losses.{name}` is None, but there is no loss of this name to turn off; '
            f'{suggest(name, DEFAULT_LOSSES)}'
        )
    kinds = {MODELS.get(config['type']): own for own, config in DEFAULT_LOSSES.items()}
    own = kinds.get(type(loss))
    if own is not None:
        raise ConfigError(
            f'`losses.{name}` is a {type(loss).__name__}, which would be added beside '
            f'`losses.{own}`; did you mean {own!r}?'
        )
    if f'{name}_loss' in REAL_TERMS:
        raise ConfigError(f'`losses.{name}` should have another name: `{name}_loss` is logged')
    if not hasattr(loss, 'loss_weight'):
        raise ConfigError(
            f'`losses.{name}` should have a `loss_weight` and be called with the prediction, the '
            f'inputs and the body model, got a {type(loss).__name__}'
        )
