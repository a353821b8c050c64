"""On a GPU the numbers are those of the CPU."""

import pytest
import torch

from gvhmr_da_mm.core.small_matrices import small_matmul, small_matvec
from gvhmr_da_mm.evaluation.functional.joint_error import mpjpe, pa_mpjpe
from gvhmr_da_mm.evaluation.functional.world_error import wa_mpjpe
from gvhmr_da_mm.models import ReprojectionLoss
from gvhmr_da_mm.models.refiners import KeypointRefiner
from tests.testing import toy_batch, toy_inputs

pytestmark = pytest.mark.cuda
FRAMES = 120
# Largest difference, as a share of the largest value. TF32 is off by default.
TOLERANCES = {torch.float32: 1e-3, torch.bfloat16: 6e-2, torch.float16: 1e-2}

# Without it the gradients vanish in fp16.
LOSS_SCALE = 2.0**16


def to(inputs, device):
    return {name: value.to(device) for name, value in inputs.items()}


def assert_close(found, expected, share):
    found, expected = found.detach().float().cpu(), expected.detach().float()
    scale = expected.abs().max()
    assert scale > 0 and torch.isfinite(found).all()
    assert (found - expected).abs().max() <= share * scale


def network(model, inputs, dtype):
    """Return the network's answer and the gradient of its first and last weights."""
    device = inputs['kp2d'].device.type
    with torch.autocast(device, dtype=dtype, enabled=dtype is not torch.float32):
        x = model.infer(inputs).x
    (LOSS_SCALE * x.float().square().mean()).backward()
    gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    return x, gradients[0], gradients[-1]


@pytest.mark.parametrize('dtype', TOLERANCES, ids=str)
def test_forward_and_backward(make_model, device, dtype):
    inputs = toy_inputs(2, FRAMES)
    expected = network(make_model().train(), inputs, torch.float32)
    found = network(make_model().train().to(device), to(inputs, device), dtype)
    for ours, theirs in zip(found, expected):
        assert_close(ours, theirs, TOLERANCES[dtype])


def test_compiled_network_is_one_graph_and_the_same(make_model, device):
    inputs = to(toy_inputs(2, FRAMES), device)
    with torch.no_grad():
        plain = make_model().eval().to(device).infer(inputs)
        compiled = make_model(compile=dict(fullgraph=True)).eval().to(device).infer(inputs)
    assert_close(compiled.x, plain.x.cpu(), 1e-3)


def test_predictions_in_the_world(make_model, device):
    inputs = toy_inputs(1, 300)
    with torch.inference_mode():
        expected = make_model().eval().infer(inputs)
        found = make_model().eval().to(device).infer(to(inputs, device))
    for name in ('body_pose_R', 'R_gv', 'transl_c'):
        assert_close(getattr(found, name), getattr(expected, name), 2e-3)


def test_refiner(make_model, device):
    inputs = toy_batch('real', 2, 16)['inputs']
    inputs = {name: torch.stack(list(value)) for name, value in inputs.items()}
    results = []
    for place in (torch.device('cpu'), device):
        model, here = make_model().eval().to(place), to(inputs, place)
        with torch.no_grad():
            prediction = model.infer(here)
        refined = KeypointRefiner(steps=5)(prediction, here, ReprojectionLoss(), model)
        results.append(refined.body_pose_R)
    # Adam's first steps are the signs of gradients, which enlarges rounding.
    assert (results[1].cpu() - results[0]).abs().mean() < 2e-3


@pytest.mark.parametrize('metric', [mpjpe, pa_mpjpe, wa_mpjpe])
def test_metrics(metric, device):
    found, wanted = torch.randn(2, 200, 24, 3)
    wanted = found + 0.1 * wanted
    assert_close(metric(found.to(device), wanted.to(device)), metric(found, wanted), 1e-3)


def test_products_of_small_matrices(device):
    """Element-wise on a GPU, by `@` on the CPU."""
    chain, bones = torch.randn(500, 22, 3, 3), torch.randn(500, 22, 3)
    results = []
    for place in (torch.device('cpu'), device):
        values = [value.to(place, copy=True).requires_grad_() for value in (chain, bones)]
        moved = small_matvec(small_matmul(values[0], values[0][:1]), values[1])
        results.append((moved, *torch.autograd.grad(moved.square().sum(), values)))
    for expected, found in zip(*results):
        assert_close(found, expected, 1e-5)
