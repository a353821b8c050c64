"""View of the mirrored video."""

from typing import Any, Optional

import torch
from torch import Tensor

from ...core.constants import constant, joint_index
from ...core.conventions import BODY_FLIP_INDEX, COCO_FLIP_INDEX, STATIC_FLIP_INDEX
from ...core.rotation import mirror_rotation
from ...registry import TRANSFORMS
from ...structures.motion import MotionPrediction
from .base_view import BaseView
from .functional import Inputs, clip_size, require, turn_root

MIRROR = (-1.0, 1.0, 1.0)
"""Diagonal of M, the reflection at the plane x = 0 of the camera."""
MIRROR_6D = (1.0, -1.0, -1.0, -1.0, 1.0, 1.0)
"""Signs of M R M in the first two rows of R."""
GEOMETRIC_KEYS = ('kp2d', 'bbx_xys', 'cam_angvel')


@TRANSFORMS.register_module()
class HorizontalFlip(BaseView):
    """Mirror the video: pixels ``x -> width - x``, left and right joints swapped.

    With M = diag(-1, 1, 1) and the world mirrored too (gravity is its own mirror image), every
    rotation R becomes M R M: the camera's relative rotation, the root's orientation and, because
    a cross product changes sign under M, also the gravity view, so R_gv becomes M R_gv M. The
    velocity in the root's own frame becomes M v and the pelvis M (t + o).

    Mirrored image features are used where the clip has them (``flip_f_imgseq``, and
    ``has_flip_imgfeat`` where only some clips do); elsewhere the condition is dropped. Other
    ``flip_*`` inputs are exchanged with the plain ones, so flipping twice restores the batch.
    """

    def apply(
        self, inputs: Inputs, generator: Optional[torch.Generator] = None
    ) -> tuple[Inputs, dict[str, Any]]:
        """Mirror a batch; nothing is random."""
        clip_size(inputs)
        require(inputs, ('bbx_xys', 'K_fullimg', 'cam_angvel', 'img_wh'), 'HorizontalFlip')
        width = inputs['img_wh'][:, 0].to(inputs['kp2d'])

        kp2d = inputs['kp2d'][:, :, joint_index(COCO_FLIP_INDEX, inputs['kp2d']), :]
        mirrored = dict(
            kp2d=torch.cat((width[:, None, None, None] - kp2d[..., :1], kp2d[..., 1:]), dim=-1),
            bbx_xys=torch.cat(
                (width[:, None, None] - inputs['bbx_xys'][..., :1], inputs['bbx_xys'][..., 1:]), -1
            ),
            cam_angvel=inputs['cam_angvel'] * constant(MIRROR_6D, inputs['cam_angvel']),
            K_fullimg=self._mirror_intrinsics(inputs['K_fullimg'], width),
        )
        for key in GEOMETRIC_KEYS:
            if f'flip_{key}' in inputs:
                mirrored[f'flip_{key}'] = inputs[key]
        return {**inputs, **mirrored, **self._mirror_features(inputs)}, {}

    def invert(
        self,
        prediction: MotionPrediction,
        state: dict[str, Any],
        inputs: Inputs,
        root_offset: Optional[Tensor] = None,
    ) -> MotionPrediction:
        """Mirror a prediction back."""
        mirror = constant(MIRROR, prediction.R_c)
        body, static = (
            joint_index(index, prediction.R_c) for index in (BODY_FLIP_INDEX, STATIC_FLIP_INDEX)
        )
        return prediction.replace(
            body_pose_R=mirror_rotation(prediction.body_pose_R[:, :, body, :, :]),
            R_c=mirror_rotation(prediction.R_c),
            R_gv=mirror_rotation(prediction.R_gv),
            velocity=prediction.velocity * mirror,
            transl_c=turn_root(prediction.transl_c, mirror.diag(), root_offset),
            static_logits=prediction.static_logits[..., static],
            x=None,
        ).for_box(inputs['bbx_xys'], inputs['K_fullimg'])

    @staticmethod
    def _mirror_intrinsics(K: Tensor, width: Tensor) -> Tensor:
        # F K M with F the flip of the pixels: u = fx x + s y + cx turns into fx x - s y + W - cx.
        mirrored = K.clone()
        mirrored[..., 0, 1] = -K[..., 0, 1]
        mirrored[..., 0, 2] = width[:, None] - K[..., 0, 2]
        return mirrored

    @staticmethod
    def _mirror_features(inputs: Inputs) -> Inputs:
        if 'f_imgseq' not in inputs:
            return {}
        has_plain = inputs['has_imgfeat']
        if 'flip_f_imgseq' not in inputs:
            return dict(
                f_imgseq=torch.zeros_like(inputs['f_imgseq']),
                has_imgfeat=torch.zeros_like(has_plain),
            )
        has_flip = inputs.get('has_flip_imgfeat', has_plain)
        features = inputs['flip_f_imgseq'].masked_fill(~has_flip[:, None, None], 0)
        swapped = dict(f_imgseq=features, has_imgfeat=has_flip, flip_f_imgseq=inputs['f_imgseq'])
        if 'has_flip_imgfeat' in inputs:
            swapped['has_flip_imgfeat'] = has_plain
        return swapped
