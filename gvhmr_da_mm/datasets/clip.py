"""Clip of a dataset, and its packing into the inputs and data sample of a model."""

from dataclasses import dataclass
from typing import Any, Optional

import torch
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample
from torch import Tensor

from ..core.camera import camera_angular_velocity
from ..core.conventions import COCO_FLIP_INDEX
from ..core.layout import IMAGE_FEATURE_DIM, NUM_COCO
from .windows import pad_frames


@dataclass
class Clip:
    """Clip as read from disk, before padding.

    Note:
        L: frames of the clip, ``end - start``.

    Args:
        sequence (str): Name of the sequence.
        start (int): First frame in the sequence.
        end (int): One past the last frame.
        img_wh (tuple[int, int]): Image width and height in pixels.
        bbx_xys (Tensor): Box centre and side (L, 3) in pixels.
        K_fullimg (Tensor): Intrinsics (3, 3) or (L, 3, 3) in pixels.
        R_w2c (Tensor): Camera rotation (L, 3, 3).
        f_imgseq (Tensor, optional): Image features (L, 1024).
        kp2d (Tensor, optional): Detected keypoints (L, 17, 3): pixels, keypoint score.
        labels (dict, optional): Fields of ``gt_instances``, each with L rows.
        supervision (str): ``full``, ``camera`` or ``none``. Defaults to ``none``.
        gender (str): Gender of the body model of the labels. Defaults to ``neutral``.
        transductive (bool): Whether it is a test clip that is trained on. Defaults to False.
        static_camera (bool): Whether the camera stands still, which selects the post-processing at
            test time. Defaults to False.
        T_w2c (Tensor, optional): Camera (L, 4, 4) in a y-up world of known place, m, into which
            a test item is predicted. Defaults to None.
        world_up (str): Up axis of that world in its own coordinates. Defaults to ''.
        conditions (dict, optional): Conditions of a test item, reported beside its scores:
            ``intrinsics`` and ``camera_rotation`` (``true``, ``estimated``, ...), ``mask``.
        flip_f_imgseq (Tensor, optional): Features of the mirrored images (L, 1024).
        flip_bbx_xys (Tensor, optional): Boxes in the mirrored images (L, 3).
    """

    sequence: str
    start: int
    end: int
    img_wh: tuple[int, int]
    bbx_xys: Tensor
    K_fullimg: Tensor
    R_w2c: Tensor
    f_imgseq: Optional[Tensor] = None
    kp2d: Optional[Tensor] = None
    labels: Optional[dict[str, Any]] = None
    supervision: str = 'none'
    gender: str = 'neutral'
    transductive: bool = False
    static_camera: bool = False
    T_w2c: Optional[Tensor] = None
    world_up: str = ''
    conditions: Optional[dict[str, str]] = None
    flip_f_imgseq: Optional[Tensor] = None
    flip_bbx_xys: Optional[Tensor] = None

    def __len__(self) -> int:
        return self.end - self.start


def flip_keypoints(kp2d: Tensor, width: float) -> Tensor:
    """Mirror keypoints (..., 17, 3) of an image of the given width; left and right swap names."""
    flipped = kp2d[..., COCO_FLIP_INDEX, :]
    return torch.cat((width - flipped[..., :1], flipped[..., 1:]), dim=-1)


def mirror_camera(R_w2c: Tensor) -> Tensor:
    """Mirror the x axis of cameras (..., 3, 3); their relative rotations become conjugated."""
    return R_w2c * R_w2c.new_tensor([-1.0, 1.0, 1.0])[:, None]


def _inputs(clip: Clip) -> dict[str, Tensor]:
    length = len(clip)
    return dict(
        kp2d=torch.zeros(length, NUM_COCO, 3) if clip.kp2d is None else clip.kp2d,
        bbx_xys=clip.bbx_xys,
        K_fullimg=clip.K_fullimg.expand(length, 3, 3),
        cam_angvel=camera_angular_velocity(clip.R_w2c),
        f_imgseq=(
            torch.zeros(length, IMAGE_FEATURE_DIM) if clip.f_imgseq is None else clip.f_imgseq
        ),
    )


def _flipped_inputs(clip: Clip, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
    return dict(
        flip_kp2d=flip_keypoints(inputs['kp2d'], clip.img_wh[0]),
        flip_bbx_xys=clip.flip_bbx_xys,
        flip_cam_angvel=camera_angular_velocity(mirror_camera(clip.R_w2c)),
        flip_f_imgseq=clip.flip_f_imgseq,
    )


def pack_clip(
    clip: Clip,
    dataset: str,
    domain: str,
    max_len: Optional[int] = None,
    flip_features: bool = False,
) -> dict[str, Any]:
    """Pad a clip and pack it as ``dict(inputs, data_samples)``.

    Args:
        clip (Clip): The clip, L frames.
        dataset (str): Name for the metainfo.
        domain (str): ``synthetic`` or ``real``.
        max_len (int, optional): Frames after padding, for training; None keeps L. Defaults to None.
        flip_features (bool): Whether a training item carries ``flip_f_imgseq`` and
            ``has_flip_imgfeat``. Defaults to False.

    Returns:
        dict: ``inputs`` (tensors) and ``data_samples`` (:obj:`PoseDataSample`, without
        ``gt_instances`` if the clip has no labels).
    """
    inputs = _inputs(clip)
    if max_len is None and clip.flip_bbx_xys is not None:
        inputs.update(_flipped_inputs(clip, inputs))
    if max_len is not None and flip_features:
        flipped = clip.flip_f_imgseq
        inputs['flip_f_imgseq'] = (
            torch.zeros(len(clip), IMAGE_FEATURE_DIM) if flipped is None else flipped
        )
    if max_len is None and clip.T_w2c is not None:
        inputs['T_w2c'] = clip.T_w2c
    labels = clip.labels
    padded = len(clip) if max_len is None else max_len
    if max_len is not None:
        inputs = pad_frames(inputs, padded)
        if labels is not None:
            labels = pad_frames(labels, padded)
    inputs = {key: value.contiguous() for key, value in inputs.items()}
    inputs.update(
        valid=torch.arange(padded) < len(clip),
        img_wh=torch.tensor(clip.img_wh, dtype=torch.float32),
        has_kp2d=torch.tensor(clip.kp2d is not None),
        has_imgfeat=torch.tensor(clip.f_imgseq is not None),
    )
    if 'flip_f_imgseq' in inputs and max_len is not None:
        inputs['has_flip_imgfeat'] = torch.tensor(clip.flip_f_imgseq is not None)

    flat_name = clip.sequence.replace('/', '-').replace('.', '-')
    metainfo = dict(
        dataset=dataset,
        domain=domain,
        sequence=clip.sequence,
        start=clip.start,
        end=clip.end,
        length=len(clip),
        img_shape=(clip.img_wh[1], clip.img_wh[0]),
        gender=clip.gender,
        supervision=clip.supervision,
        # MMPose's 3D metrics read the action from the file name between `_` and `.`.
        target_img_path=[f'{dataset}_{flat_name}.jpg'],
        transductive=clip.transductive,
        static_camera=clip.static_camera,
        conditions=dict(clip.conditions or {}),
    )
    if 'T_w2c' in inputs:
        metainfo['world_up'] = clip.world_up
    sample = PoseDataSample()
    for key, value in metainfo.items():  # `set_metainfo` would copy each value deeply.
        sample.set_field(value, key, field_type='metainfo')
    if labels is not None:
        sample.gt_instances = InstanceData()
        for key, value in labels.items():  # Assigning would check the lengths each time.
            sample.gt_instances.set_field(value, key)
    return dict(inputs=inputs, data_samples=sample)
