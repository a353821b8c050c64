import pytest
import torch

from gvhmr_da_mm.core.camera import perspective_project
from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.models import ReprojectionLoss
from tests.testing import toy_inputs

SIDE = 400.0
SCALE = 0.1


@pytest.fixture
def scene():
    """Return joints in the camera and inputs whose detections are their exact projections."""
    inputs = toy_inputs(2, 6, lengths=[6, 4], dtype=torch.float64)
    joints = torch.randn(2, 6, 17, 3, dtype=torch.float64) * 0.3
    joints[..., 2] += 4
    pixels = perspective_project(joints, inputs['K_fullimg'])
    inputs['kp2d'] = torch.cat((pixels, torch.ones_like(pixels[..., :1])), -1)
    return joints.requires_grad_(), inputs


def penalty(joints, inputs, **options):
    loss = ReprojectionLoss(**dict(loss_weight=1.0, **options))
    return loss(loss.residual(joints, inputs))


def error(joints, inputs):
    return ReprojectionLoss().error(ReprojectionLoss().residual(joints, inputs))


def shifted(inputs, pixels):
    kp2d = inputs['kp2d'].clone()
    kp2d[..., 0] += pixels
    return dict(inputs, kp2d=kp2d)


def test_a_perfect_prediction_costs_nothing(scene):
    joints, inputs = scene
    loss = penalty(joints, inputs)
    loss.backward()
    assert loss < 1e-20 and joints.grad.abs().max() < 1e-9


def test_the_penalty_counts_box_sides_and_is_bounded(scene):
    joints, inputs = scene
    for pixels in (4.0, 40.0, 4000.0):
        squared = (pixels / SIDE) ** 2
        expected = squared / (squared + SCALE**2) * SCALE**2
        assert penalty(joints, shifted(inputs, pixels), scale=SCALE).item() == pytest.approx(
            expected, rel=1e-6
        )
    weighted = ReprojectionLoss(scale=SCALE, loss_weight=3.0)
    residual = weighted.residual(joints, shifted(inputs, 4.0))
    assert weighted(residual).item() == pytest.approx(3 * weighted.penalty(residual).item())


def test_an_outlier_pulls_less_than_a_small_error(scene):
    joints, inputs = scene
    pulls = []
    for pixels in (20.0, 2000.0):
        (gradient,) = torch.autograd.grad(
            penalty(joints, shifted(inputs, pixels), scale=SCALE), joints
        )
        pulls.append(gradient.norm())
    assert pulls[1] < 0.01 * pulls[0]


@pytest.mark.parametrize('what', ['unconfident', 'invalid', 'no box', 'nan'])
def test_what_does_not_count(scene, what):
    joints, inputs = scene
    inputs = shifted(inputs, 20.0)
    reference = penalty(joints, inputs)
    kp2d, bbx_xys = inputs['kp2d'].clone(), inputs['bbx_xys'].clone()
    if what == 'unconfident':
        kp2d[0, 1, 3] = torch.tensor([1e5, 1e5, 0.5])
    elif what == 'invalid':
        kp2d[1, 4:, :, :2] = 1e5
    elif what == 'no box':
        bbx_xys[0, 2, 2] = 0
    else:
        kp2d[0, 1, 3] = torch.tensor([torch.nan, torch.nan, 0.0])
    loss = penalty(joints, dict(inputs, kp2d=kp2d, bbx_xys=bbx_xys))
    # Every joint is off by the same amount, so the mean stays whichever of them count.
    torch.testing.assert_close(loss, reference)
    loss.backward()
    assert joints.grad.isfinite().all()


def test_nothing_detected_is_zero_with_a_graph(scene):
    joints, inputs = scene
    inputs['kp2d'][..., 2] = 0
    loss = penalty(joints, inputs)
    loss.backward()
    assert loss == 0 and not joints.grad.any()


def test_a_body_behind_the_camera_is_pushed_not_lost(scene):
    joints, inputs = scene
    behind = (joints - torch.tensor([0.0, 0.0, 5.0])).detach().requires_grad_()
    loss = penalty(behind, inputs)
    loss.backward()
    assert loss.isfinite() and behind.grad.isfinite().all()


def test_autocast_does_not_touch_it(scene):
    joints, inputs = scene
    inputs = shifted(inputs, 3.0)
    single = {n: v.float() if v.is_floating_point() else v for n, v in inputs.items()}
    exact = penalty(joints.float(), single)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        cast = penalty(joints.float(), single)
    assert torch.equal(exact, cast)


def test_impossible_scale_is_named():
    with pytest.raises(ConfigError, match='`scale`.*got 0'):
        ReprojectionLoss(scale=0)


def test_the_error_is_the_mean_distance_in_box_sides(scene):
    joints, inputs = scene
    exact = shifted(inputs, 0.0)
    assert error(joints, exact) < 1e-6
    moved = shifted(inputs, 3.0)
    squared, counts = ReprojectionLoss().residual(joints, moved)
    expected = squared[counts].sqrt().mean()
    torch.testing.assert_close(error(joints, moved), expected.detach())
    inputs['kp2d'][..., 2] = 0
    assert error(joints, inputs) == 0
