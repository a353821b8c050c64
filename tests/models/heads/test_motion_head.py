"""The motion head: camera range, shape averaging and shapes."""

import pytest
import torch

from gvhmr_da_mm.core.errors import ShapeError
from gvhmr_da_mm.core.layout import MOTION
from gvhmr_da_mm.models.heads import MotionHead
from gvhmr_da_mm.models.heads.motion_head import CAMERA_MEAN, CAMERA_STD, MIN_SCALE
from gvhmr_da_mm.registry import MODELS

LENGTH = torch.tensor([7, 3, 1])


@pytest.fixture
def context():
    return torch.randn(3, 7, 16, dtype=torch.float64)


def test_shapes_and_registration(context):
    head = MODELS.build(dict(type='MotionHead', latent_dim=16)).double()
    outputs = head(context, LENGTH)
    shapes = {name: tuple(value.shape) for name, value in outputs.items()}
    assert shapes == dict(pred_x=(3, 7, 151), pred_cam=(3, 7, 3), static_logits=(3, 7, 6))


def test_betas_are_the_mean_over_valid_frames(context):
    free = MotionHead(16, avg_betas=False).double()
    head = MotionHead(16).double()
    head.load_state_dict(free.state_dict())
    raw, averaged = free(context, LENGTH)['pred_x'], head(context, LENGTH)['pred_x']
    for sample, length in enumerate(LENGTH):
        mean = raw[sample, :length, MOTION.betas].mean(dim=0)
        torch.testing.assert_close(averaged[sample, :, MOTION.betas], mean.expand(7, -1))
    others = [MOTION.body_pose, MOTION.orient_c, MOTION.world]
    for part in others:
        assert torch.equal(averaged[..., part], raw[..., part])


def test_padding_does_not_touch_betas_or_their_gradient(context):
    head = MotionHead(16).double()
    expected = head(context, LENGTH)['pred_x'][..., MOTION.betas]
    padding = torch.arange(7) >= LENGTH[:, None]
    changed = context.masked_fill(padding[..., None], float('inf'))
    result = head(changed, LENGTH)['pred_x'][..., MOTION.betas]
    torch.testing.assert_close(result, expected)

    context.requires_grad_(True)
    head(context, LENGTH)['pred_x'][..., MOTION.betas].sum().backward()
    assert (context.grad[padding] == 0).all()


def test_no_length_is_full_length_and_empty_sample_is_finite(context):
    head = MotionHead(16).double()
    full = head(context, torch.tensor([7, 7, 7]))['pred_x']
    torch.testing.assert_close(head(context)['pred_x'], full)
    assert head(context, torch.tensor([7, 0, 1]))['pred_x'].isfinite().all()


def test_camera_is_offset_scaled_and_never_too_far(context):
    head = MotionHead(16).double()
    for parameter in head.camera.parameters():
        torch.nn.init.zeros_(parameter)
    mean, std = torch.tensor((CAMERA_MEAN, CAMERA_STD), dtype=torch.float64)
    torch.testing.assert_close(head(context)['pred_cam'], mean.expand(3, 7, 3))
    head.camera.fc2.bias.data.copy_(torch.tensor([1.0, -2.0, 3.0]))
    expected = mean + std * torch.tensor([1.0, -2.0, 3.0])
    torch.testing.assert_close(head(context)['pred_cam'], expected.expand(3, 7, 3))
    head.camera.fc2.bias.data.fill_(-1e3)
    camera = head(context)['pred_cam']
    assert (camera[..., 0] == MIN_SCALE).all()
    assert (camera[..., 1:] < MIN_SCALE).all()


def test_wrong_context_is_named(context):
    with pytest.raises(ShapeError, match='context'):
        MotionHead(32).double()(context)
