"""GVHMR: world-grounded human motion from monocular video (Shen et al., SIGGRAPH Asia 2024)."""

from typing import Optional, Union

import numpy as np
import torch
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample
from torch import Tensor

from ...body_models import LightBody
from ...core.camera import clamp_depth, in_image, perspective_project
from ...core.conventions import COMPAT_MODES
from ...core.errors import ConfigError, DataError
from ...core.precision import full_precision
from ...registry import MODELS, TASK_UTILS
from ...structures import BodyTargets, MotionPrediction, MotionTargets, camera_only
from ..test_time import MotionRecovery
from ..test_time.motion_recovery import TEST_CFG_KEYS
from .compilation import uncompiled
from .graphed_loss import GraphedLoss
from .motion_network import MotionNetwork
from .training_options import DEFAULT_TRAIN_CFG, training_options

Samples = list[PoseDataSample]


@MODELS.register_module()
class GVHMR(MotionNetwork):
    """Predict human motion in camera and world from per-frame image evidence.

    Note:
        - B: batch, L: frames, F: valid frames of a clip.
        - ``inputs`` are the batched tensors of :class:`MotionDataPreprocessor`: ``kp2d``
          (B, L, 17, 3), pixels and scores; ``bbx_xys`` (B, L, 3), centre and side, pixels;
          ``K_fullimg`` (B, L, 3, 3), pixels; ``cam_angvel`` (B, L, 6), rotation of the camera to
          the next frame, first two rows; ``f_imgseq`` (B, L, 1024); ``valid`` (B, L), bool;
          ``has_kp2d`` and ``has_imgfeat`` (B,), bool; in training ``img_wh`` (B, 2), pixels.
        - Frames: ``c`` is the camera (x right, y down, z forward), ``gv`` the gravity view, ``w``
          the world (y up).

    Args:
        backbone (dict): Temporal network that turns conditions into context (B, L, C).
        head (dict): Network that reads motion, camera and static joints from the context.
        body_model (dict): The light SMPL-X body.
        motion_codec (dict): Representation of motion as a normalised vector, with statistics.
        loss (dict): Supervised losses. Defaults to ``dict(type='GVHMRLoss')``.
        train_cfg (dict, optional): Augmentation of the inputs in training: ``keypoint_noise``, the
            noise on label joints that simulate detections; ``condition_dropout``, the probability
            to drop each condition of a frame; ``detected_keypoint_prob``, the probability to use
            the detections of a labelled clip. Defaults to None: :data:`DEFAULT_TRAIN_CFG`.
        test_cfg (dict, optional): Test-time steps of :meth:`predict`: ``flip_test``, ``refiner``,
            ``steady_gravity``, ``trajectory``, ``postprocess``, ``static_camera`` and
            ``given_camera``, see :class:`MotionRecovery`. Defaults to None: none but the last.
        compat (str): ``'correct'``, or ``'published'`` to repeat the published code's results.
            Defaults to ``'correct'``.
        compile (bool | dict): Compile the network, with these arguments of ``torch.compile`` if
            it is a dict; :meth:`predict` runs it as it is, for lengths differ. Needs a C++
            compiler, on a GPU Triton. Defaults to False.
        cuda_graph (bool): Compute the supervised loss by a CUDA graph, see :class:`GraphedLoss`;
            for small networks on one GPU. Defaults to False.
        data_preprocessor (dict, optional): Defaults to ``dict(type='MotionDataPreprocessor')``.
        init_cfg (dict, optional): Weight initialisation. Defaults to None.

    Raises:
        ConfigError: If ``compat`` is unknown, or a key of ``train_cfg`` or ``test_cfg`` is.
    """

    OPTION_KEYS = dict(train_cfg=tuple(DEFAULT_TRAIN_CFG), test_cfg=TEST_CFG_KEYS)
    """Keys of the arguments that are dicts of options."""
    SPEED_KEYS = ('compile', 'cuda_graph')
    """Arguments that make training fast on one machine, and are no part of the network."""

    def __init__(
        self,
        backbone: dict,
        head: dict,
        body_model: dict,
        motion_codec: dict,
        loss: Optional[dict] = None,
        train_cfg: Optional[dict] = None,
        test_cfg: Optional[dict] = None,
        compat: str = 'correct',
        compile: Union[bool, dict] = False,
        cuda_graph: bool = False,
        data_preprocessor: Optional[dict] = None,
        init_cfg: Optional[dict] = None,
    ) -> None:
        super().__init__(backbone, head, motion_codec, data_preprocessor, init_cfg)
        if compat not in COMPAT_MODES:
            raise ConfigError(f'`compat` of GVHMR should be one of {COMPAT_MODES}, got {compat!r}')
        self.body_model = MODELS.build(body_model)
        self.loss_module = MODELS.build(loss or dict(type='GVHMRLoss'))
        training = training_options(train_cfg or {})
        self.keypoint_noise = TASK_UTILS.build({'compat': compat, **training['keypoint_noise']})
        self.condition_dropout = training['condition_dropout']
        self.detected_keypoint_prob = training['detected_keypoint_prob']
        self.compat = compat
        self.recovery = MotionRecovery.from_cfg(test_cfg, compat)
        if compile is not False:
            for network in (self.backbone, self.head):  # In place: names of weights stay.
                network.compile(**({} if compile is True else compile))
        self.graphed_loss = GraphedLoss() if cuda_graph else None

    def forward(
        self,
        inputs: dict[str, Tensor],
        data_samples: Optional[Samples] = None,
        mode: str = 'tensor',
    ) -> Union[dict[str, Tensor], Samples, MotionPrediction]:
        """Run in one of MMEngine's three modes.

        Args:
            inputs (dict[str, Tensor]): See the class note.
            data_samples (list[PoseDataSample], optional): Labels and meta information.
            mode (str): ``'loss'``, ``'predict'`` or ``'tensor'``. Defaults to ``'tensor'``.

        Returns:
            dict[str, Tensor] | list[PoseDataSample] | MotionPrediction: The losses of :meth:`loss`,
            the samples of :meth:`predict`, or the prediction of :meth:`infer`.

        Raises:
            ConfigError: If the mode is unknown.
        """
        if mode == 'loss':
            return self.loss(inputs, data_samples)
        if mode == 'predict':
            return self.predict(inputs, data_samples)
        if mode == 'tensor':
            return self.infer(inputs)
        raise ConfigError(f"`mode` should be 'loss', 'predict' or 'tensor', got {mode!r}")

    # Training

    def loss(self, inputs: dict[str, Tensor], data_samples: Samples) -> dict[str, Tensor]:
        """Compute the supervised losses of labelled clips.

        Args:
            inputs (dict[str, Tensor]): See the class note.
            data_samples (list[PoseDataSample]): With ``gt_instances``.

        Returns:
            dict[str, Tensor]: Eight weighted ``<term>_loss`` entries.

        Raises:
            DataError: If a clip has no labels.
        """
        labels = self.require_labels(data_samples, inputs['valid'].device)
        if self.graphed_loss is not None and self.training:
            return self.graphed_loss(self, self.loss_of_labels, inputs, labels)
        return self.loss_of_labels(inputs, labels)

    def loss_of_labels(
        self, inputs: dict[str, Tensor], labels: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        """Compute the losses of :meth:`loss`, given the labels of :meth:`require_labels`.

        Args:
            inputs (dict[str, Tensor]): See the class note.
            labels (dict[str, Tensor]): Stacked labels.

        Returns:
            dict[str, Tensor]: Eight weighted ``<term>_loss`` entries.
        """
        targets, body_targets = self._skinned_targets(inputs, labels)
        observed = self.simulate_detections(inputs, body_targets)
        return self.target_loss(self.infer(observed, drop=True), targets, body_targets, inputs)

    def targets(
        self, inputs: dict[str, Tensor], data_samples: Samples
    ) -> tuple[MotionTargets, BodyTargets]:
        """Stack the labels of a batch and skin them.

        Args:
            inputs (dict[str, Tensor]): See the class note.
            data_samples (list[PoseDataSample]): With ``gt_instances``.

        Returns:
            tuple[MotionTargets, BodyTargets]: The motion, and its joints and vertices in the
            camera, m.

        Raises:
            DataError: If a clip has no labels.
        """
        labels = self.require_labels(data_samples, inputs['valid'].device)
        return self._skinned_targets(inputs, labels)

    @staticmethod
    def require_labels(data_samples: Samples, device: torch.device) -> dict[str, Tensor]:
        """Return the labels of a batch, stacked if they are not, and ``camera_only`` (B,).

        Args:
            data_samples (list[PoseDataSample]): With ``gt_instances`` of L frames each.
            device (torch.device): Where the labels go.

        Returns:
            dict[str, Tensor]: Labels (B, L, ...) by name; ``camera_only`` is True for clips whose
            world is not aligned with gravity.

        Raises:
            DataError: If a clip has no labels.
        """
        if getattr(data_samples, 'stacked', None) is not None:
            return {
                name: value.to(device, non_blocking=True)
                for name, value in data_samples.stacked.items()
            }
        unlabelled = [s.sequence for s in data_samples if 'gt_instances' not in s]
        if unlabelled:
            raise DataError(
                f'supervised losses need labels, but {len(unlabelled)} clip(s) have none, such as '
                f'{unlabelled[0]!r}. Real clips are loaded without labels; train on them with '
                "DomainAdaptiveGVHMR, or set `real_supervision='labels'` on their dataset"
            )
        names = data_samples[0].gt_instances.keys()
        labels = {
            name: torch.stack([sample.gt_instances[name] for sample in data_samples])
            for name in names
        }
        return dict(labels, camera_only=camera_only(data_samples).to(device, non_blocking=True))

    @full_precision
    def _skinned_targets(
        self, inputs: dict[str, Tensor], labels: dict[str, Tensor]
    ) -> tuple[MotionTargets, BodyTargets]:
        labels = dict(labels)
        without_world = labels.pop('camera_only')
        targets = MotionTargets.from_labels(labels, inputs['valid'], without_world)
        return targets, BodyTargets.from_motion(self.body_model, targets)

    @full_precision
    def simulate_detections(
        self, inputs: dict[str, Tensor], body_targets: BodyTargets
    ) -> dict[str, Tensor]:
        """Put noisy projections of the label joints where detections are absent or not drawn.

        Args:
            inputs (dict[str, Tensor]): See the class note.
            body_targets (BodyTargets): Label joints in the camera, m.

        Returns:
            dict[str, Tensor]: The inputs with another ``kp2d`` (B, L, 17, 3), pixels and scores.
        """
        joints, score = self.keypoint_noise(body_targets.coco17_c, inputs['valid'])
        pixels = perspective_project(clamp_depth(joints), inputs['K_fullimg'])
        if self.keypoint_noise.within_image:
            score = score * in_image(pixels, inputs['img_wh'][:, None, None])
        simulated = torch.cat((pixels, score[..., None].to(pixels)), dim=-1)
        draw = torch.rand(len(pixels), device=pixels.device) < self.detected_keypoint_prob
        use_detected = (inputs['has_kp2d'] & draw)[:, None, None, None]
        return {**inputs, 'kp2d': torch.where(use_detected, inputs['kp2d'], simulated)}

    @full_precision
    def target_loss(
        self,
        prediction: MotionPrediction,
        targets: MotionTargets,
        body_targets: BodyTargets,
        inputs: dict[str, Tensor],
        body: Optional[LightBody] = None,
    ) -> dict[str, Tensor]:
        """Compare a prediction with labels or pseudo-labels.

        Args:
            prediction (MotionPrediction): With graph.
            targets (MotionTargets): The supervision.
            body_targets (BodyTargets): Its joints and vertices.
            inputs (dict[str, Tensor]): See the class note.
            body (LightBody, optional): The prediction's body. Defaults to None: it is skinned here.

        Returns:
            dict[str, Tensor]: Eight weighted ``<term>_loss`` entries.
        """
        target_x = self.motion_codec.encode_matrices(*targets.vector_parts)
        if prediction.x is None:  # The motion was changed after the network, such as by a view.
            x = self.motion_codec.encode_matrices(*prediction.vector_parts)
            prediction = prediction.replace(x=x)
        if body is None:
            body = self.skin(prediction)
        return self.loss_module(
            prediction, targets, body_targets, target_x, inputs, body, self.body_model
        )

    @full_precision
    def skin(self, prediction: MotionPrediction) -> LightBody:
        """Return the vertices and COCO joints of a prediction in the camera, with graph."""
        return self.body_model.light_matrices(*prediction.camera_pose)

    @full_precision
    def coco_joints(self, prediction: MotionPrediction) -> Tensor:
        """Return the COCO joints (B, L, 17, 3) of a prediction in the camera, with graph."""
        return self.body_model.coco_matrices(*prediction.camera_pose)

    # Prediction

    @torch.no_grad()
    def predict(self, inputs: dict[str, Tensor], data_samples: Samples) -> Samples:
        """Predict clips and attach ``pred_instances``, one instance per frame.

        Args:
            inputs (dict[str, Tensor]): See the class note; with a flip test the mirrored ones, too.
            data_samples (list[PoseDataSample]): Meta information; None: new samples.

        Returns:
            list[PoseDataSample]: The given samples. ``test_time`` of their metainfo holds the
            test-time steps. Their ``pred_instances`` hold, on the CPU,
            ``body_pose`` (F, 63), ``betas`` (F, 10), ``global_orient_c``, ``transl_c``,
            ``global_orient_w`` and ``transl_w`` (F, 3), axis-angle and metres, ``static_logits``
            (F, 6), and for MMPose's metrics and visualizers ``keypoints`` (F, 22, 3) in the camera,
            m, and ``keypoint_scores`` (F, 22) as arrays. ``body_pose_w`` (F, 63) is there only
            where the body pose in the world is another one (published flip test with
            post-processing).

        Raises:
            ConfigError: If ``test_cfg`` asks for a flip test without the mirrored inputs.
            DataError: If post-processing lacks ``static_camera`` in the metainfo.
        """
        with uncompiled(self.backbone, self.head):
            motion = self.recovery(self, inputs, data_samples)
        joints = self.body_model.fk_matrices(*motion.camera_pose)
        frames = dict(motion.parameters(), keypoints=joints)
        if data_samples is None:
            data_samples = [PoseDataSample() for _ in inputs['valid']]
        for index, sample in enumerate(data_samples):
            length = int(inputs['valid'][index].sum())
            instances = {name: value[index, :length].cpu() for name, value in frames.items()}
            instances['keypoints'] = instances['keypoints'].numpy()
            instances['keypoint_scores'] = np.ones(
                instances['keypoints'].shape[:2], dtype=np.float32
            )
            sample.pred_instances = InstanceData(**instances)
            sample.set_metainfo(dict(test_time=self.recovery.facts(sample)))
        return data_samples

    def extra_repr(self) -> str:
        """Show the switches that are not modules."""
        return f'compat={self.compat!r}, condition_dropout={self.condition_dropout}'
