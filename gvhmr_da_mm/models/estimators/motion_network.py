"""The network of GVHMR, which predicts motion from conditions."""

from typing import Optional

import torch
from mmengine.model import BaseModel
from torch import Tensor

from ...core.camera import cliff_condition, normalize_keypoints, translation_from_weak_camera
from ...core.checks import check_shape
from ...core.constants import constant
from ...core.errors import DataError
from ...core.expanded import unexpanded
from ...core.filtering import length_unless_full
from ...core.layout import IMAGE_FEATURE_DIM, NUM_COCO
from ...core.precision import full_precision
from ...registry import CODECS, MODELS
from ...structures import MotionPrediction
from ..checkpoint_guard import adapt_state_dict
from ..layers import drop_conditions

CAM_ANGVEL_MEAN = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
CAM_ANGVEL_STD = (0.001, 0.1, 0.1, 0.1, 0.001, 0.1)
INPUT_SHAPES = dict(
    kp2d=f'B L {NUM_COCO} 3',
    bbx_xys='B L 3',
    K_fullimg='B L 3 3',
    cam_angvel='B L 6',
    f_imgseq=f'B L {IMAGE_FEATURE_DIM}',
    valid='B L',
    has_imgfeat='B',
)


class MotionNetwork(BaseModel):
    """The part of :class:`GVHMR` that predicts, which needs no body model.

    Note:
        ``inputs`` as for :class:`GVHMR`.

    Args:
        backbone (dict): Temporal network that turns conditions into context (B, L, C).
        head (dict): Network that reads motion, camera and static joints from the context.
        motion_codec (dict): Representation of motion as a normalised vector, with statistics.
        data_preprocessor (dict, optional): Defaults to ``dict(type='MotionDataPreprocessor')``.
        init_cfg (dict, optional): Weight initialisation. Defaults to None.
    """

    condition_dropout = 0.0
    """Probability to drop each condition of a frame in training."""

    def __init__(
        self,
        backbone: dict,
        head: dict,
        motion_codec: dict,
        data_preprocessor: Optional[dict] = None,
        init_cfg: Optional[dict] = None,
    ) -> None:
        preprocessor = data_preprocessor or dict(type='MotionDataPreprocessor')
        super().__init__(MODELS.build(preprocessor), init_cfg)
        self.backbone = MODELS.build(backbone)
        self.head = MODELS.build(head)
        self.motion_codec = CODECS.build(motion_codec)
        self._register_load_state_dict_pre_hook(adapt_state_dict, with_module=True)

    def forward(self, inputs: dict[str, Tensor]) -> MotionPrediction:
        """Return the prediction of :meth:`infer`."""
        return self.infer(inputs)

    def conditions(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Compute the conditions of the network (GVHMR, Sec. 3.3).

        Args:
            inputs (dict[str, Tensor]): See the class note.

        Returns:
            dict[str, Tensor]: ``obs`` (B, L, 17, 3), ``f_cliffcam`` (B, L, 3), ``f_cam_angvel``
            (B, L, 6) and ``f_imgseq`` (B, L, 1024).

        Raises:
            DataError: If an input is missing.
            ShapeError: If one does not have the documented shape.
        """
        missing = [name for name in INPUT_SHAPES if name not in inputs]
        if missing:
            raise DataError(
                f'`inputs` should have {", ".join(INPUT_SHAPES)}; {", ".join(missing)} missing'
            )
        sizes: dict[str, int] = {}
        for name, shape in INPUT_SHAPES.items():
            sizes = check_shape(inputs[name], shape, name, **sizes)
        angvel = inputs['cam_angvel']
        mean, std = constant(CAM_ANGVEL_MEAN, angvel), constant(CAM_ANGVEL_STD, angvel)
        obs = normalize_keypoints(inputs['kp2d'], inputs['bbx_xys'], min_size=1e-5)
        features = inputs['f_imgseq']
        # Not products with the masks: masked values may be NaN.
        f_imgseq = torch.where(inputs['has_imgfeat'][:, None, None], unexpanded(features), 0.0)
        return dict(
            obs=torch.where(inputs['valid'][..., None, None], obs, 0.0),
            f_cliffcam=cliff_condition(inputs['bbx_xys'], inputs['K_fullimg']),
            f_cam_angvel=(angvel - mean) / std,
            f_imgseq=f_imgseq.expand(features.shape),
        )

    def infer(self, inputs: dict[str, Tensor], drop: bool = False) -> MotionPrediction:
        """Predict a batch of clips of any length.

        Args:
            inputs (dict[str, Tensor]): See the class note.
            drop (bool): Drop conditions at random, as in training. Defaults to False.

        Returns:
            MotionPrediction: Rotations (B, L, ..., 3, 3) and translations in metres, in the camera
            and the gravity view; with graph if gradients are on.

        Raises:
            DataError: If an input is missing.
            ShapeError: If one does not have the documented shape.
        """
        conditions = self.conditions(inputs)
        if drop:
            conditions = drop_conditions(conditions, self.condition_dropout)
        length = length_unless_full(inputs['valid'])
        raw = self.head(self.backbone(length=length, **conditions), length)
        return self.decode(raw, inputs)

    @full_precision
    def decode(self, raw: dict[str, Tensor], inputs: dict[str, Tensor]) -> MotionPrediction:
        """Decode the head's output into rotations and metres.

        Args:
            raw (dict[str, Tensor]): ``pred_x`` (B, L, 151), ``pred_cam`` (B, L, 3) and
                ``static_logits`` (B, L, 6), in any precision.
            inputs (dict[str, Tensor]): ``bbx_xys``, ``K_fullimg`` and ``valid``.

        Returns:
            MotionPrediction: In full precision; ``x`` is ``pred_x``.
        """
        raw = {name: value.to(inputs['bbx_xys'].dtype) for name, value in raw.items()}
        decoded = self.motion_codec.decode(raw['pred_x'])
        return MotionPrediction(
            body_pose_R=decoded.body_pose_R,
            betas=decoded.betas,
            R_c=decoded.R_c,
            R_gv=decoded.R_gv,
            velocity=decoded.velocity,
            transl_c=translation_from_weak_camera(
                raw['pred_cam'], inputs['bbx_xys'], inputs['K_fullimg']
            ),
            pred_cam=raw['pred_cam'],
            static_logits=raw['static_logits'],
            valid=inputs['valid'],
            x=raw['pred_x'],
        )
