"""Random batches of clips, in the format of the datasets and the data preprocessor."""

from typing import Any, Optional

import torch
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample
from torch import Tensor

from gvhmr_da_mm.core.camera import camera_angular_velocity, estimate_intrinsics
from gvhmr_da_mm.core.gravity_view import gravity_view_rotation
from gvhmr_da_mm.core.layout import IMAGE_FEATURE_DIM, NUM_BETAS, NUM_BODY_JOINTS, NUM_COCO
from gvhmr_da_mm.core.rotation import axis_angle_to_matrix, matrix_to_axis_angle

IMAGE_WH = (1280, 720)
BOX_SIDE = 400.0
DISTANCE = 4.0
UPRIGHT = (torch.pi, 0.0, 0.0)
"""Axis-angle from the world, where y points up, to an upright camera, where it points down."""


def toy_inputs(
    batch: int = 2,
    length: int = 16,
    lengths: Optional[list[int]] = None,
    seed: int = 0,
    dtype: torch.dtype = torch.float32,
) -> dict[str, Tensor]:
    """Return the inputs of a person in the centre of the image of a slowly panning camera.

    Args:
        batch (int): Number of clips B. Defaults to 2.
        length (int): Number of frames L. Defaults to 16.
        lengths (list[int], optional): Valid frames of each clip. Defaults to None: all.
        seed (int): Same seed, same inputs. Defaults to 0.
        dtype (torch.dtype): Defaults to float32.

    Returns:
        dict[str, Tensor]: See :class:`~gvhmr_da_mm.models.GVHMR`.
    """
    rng = torch.Generator().manual_seed(seed)

    def noise(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=rng, dtype=torch.float64).to(dtype)

    centre = torch.tensor(IMAGE_WH, dtype=dtype) / 2 + 10 * noise(batch, length, 2)
    side = torch.full((batch, length, 1), BOX_SIDE, dtype=dtype)
    kp2d = centre[..., None, :] + BOX_SIDE / 6 * noise(batch, length, NUM_COCO, 2)
    score = torch.full((batch, length, NUM_COCO, 1), 0.9, dtype=dtype)
    frames = torch.tensor(lengths or [length] * batch)
    return dict(
        kp2d=torch.cat((kp2d, score), dim=-1),
        bbx_xys=torch.cat((centre, side), dim=-1),
        K_fullimg=estimate_intrinsics(*IMAGE_WH).to(dtype).expand(batch, length, 3, 3).clone(),
        cam_angvel=camera_angular_velocity(_camera(batch, length, dtype)),
        f_imgseq=noise(batch, length, IMAGE_FEATURE_DIM),
        valid=torch.arange(length) < frames[:, None],
        img_wh=torch.tensor(IMAGE_WH, dtype=dtype).expand(batch, 2).clone(),
        has_kp2d=torch.ones(batch, dtype=torch.bool),
        has_imgfeat=torch.ones(batch, dtype=torch.bool),
    )


def toy_samples(
    inputs: dict[str, Tensor],
    domain: str = 'synthetic',
    labelled: Optional[bool] = None,
    supervision: str = 'full',
    seed: int = 0,
) -> list[PoseDataSample]:
    """Return data samples for inputs, with random smooth labels.

    Args:
        inputs (dict[str, Tensor]): Of :func:`toy_inputs`.
        domain (str): ``'synthetic'`` or ``'real'``. Defaults to ``'synthetic'``.
        labelled (bool, optional): Whether there are ``gt_instances``. Defaults to None: for
            synthetic clips only.
        supervision (str): ``'full'`` or ``'camera'``. Defaults to ``'full'``.
        seed (int): Same seed, same labels. Defaults to 0.
    """
    rng = torch.Generator().manual_seed(seed)
    batch, length = inputs['valid'].shape
    labelled = domain == 'synthetic' if labelled is None else labelled
    samples = []
    for index in range(batch):
        frames = int(inputs['valid'][index].sum())
        sample = PoseDataSample(
            metainfo=dict(
                dataset=f'toy_{domain}',
                domain=domain,
                sequence=f'clip_{index}',
                start=0,
                end=frames,
                length=frames,
                img_shape=IMAGE_WH[::-1],
                gender='neutral',
                supervision=supervision if labelled else 'none',
                target_img_path=[f'toy_clip_{index}.jpg'],
                transductive=False,
                static_camera=False,
            )
        )
        if labelled:
            sample.gt_instances = InstanceData(**_labels(length, inputs['kp2d'].dtype, rng))
        samples.append(sample)
    return samples


def toy_batch(domain: str = 'synthetic', batch: int = 2, length: int = 16, **kwargs: Any) -> dict:
    """Return a batch as the data loader collates it: lists of tensors, and data samples.

    Args:
        domain (str): ``'synthetic'`` (labelled) or ``'real'``. Defaults to ``'synthetic'``.
        batch (int): Number of clips. Defaults to 2.
        length (int): Number of frames. Defaults to 16.
        kwargs (Any): Passed to :func:`toy_inputs`.

    Returns:
        dict: ``inputs`` and ``data_samples``, for ``train_step``, ``val_step`` and ``test_step``.
    """
    inputs = toy_inputs(batch, length, **kwargs)
    samples = toy_samples(inputs, domain, seed=kwargs.get('seed', 0))
    return dict(inputs={name: list(value) for name, value in inputs.items()}, data_samples=samples)


def _camera(batch: int, length: int, dtype: torch.dtype) -> Tensor:
    """Return world-to-camera rotations (B, L, 3, 3) of a slow pan."""
    turn = torch.zeros(batch, length, 3, dtype=dtype)
    turn[..., 1] = torch.linspace(0, 0.2, length, dtype=dtype)
    return axis_angle_to_matrix(torch.tensor(UPRIGHT, dtype=dtype)) @ axis_angle_to_matrix(turn)


def _labels(length: int, dtype: torch.dtype, rng: torch.Generator) -> dict[str, Tensor]:
    """Return labels of a person that walks away while looking at the camera."""

    def noise(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=rng, dtype=torch.float64).to(dtype)

    R_w2c = _camera(1, length, dtype)[0]
    time = torch.arange(length, dtype=dtype)[:, None]
    pose = 0.2 * noise(1, NUM_BODY_JOINTS * 3)
    wave = 0.1 * torch.sin(0.3 * time + noise(1, NUM_BODY_JOINTS * 3))
    transl_w = 0.02 * time * torch.tensor([0.3, 0.0, 1.0], dtype=dtype)
    orient_w = torch.zeros(length, 3, dtype=dtype)
    orient_w[:, 1] = 0.1 * torch.sin(0.2 * time[:, 0])
    transl_c = torch.tensor([0.0, 0.0, DISTANCE], dtype=dtype) + 0.05 * noise(1, 3)
    return dict(
        body_pose=pose + wave,
        betas=(0.5 * noise(1, NUM_BETAS)).repeat(length, 1),
        global_orient_c=matrix_to_axis_angle(R_w2c @ axis_angle_to_matrix(orient_w)),
        transl_c=transl_c.repeat(length, 1),
        global_orient_w=orient_w,
        transl_w=transl_w,
        R_c2gv=gravity_view_rotation(R_w2c),
    )
