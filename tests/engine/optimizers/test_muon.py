"""Tests of gvhmr_da_mm.engine.optimizers.muon."""

import copy

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from torch import nn
from torch.optim import AdamW

from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.engine import Muon, PrecisionOptimWrapperConstructor
from gvhmr_da_mm.engine.optimizers.muon import orthogonalize
from gvhmr_da_mm.registry import SCOPE


@pytest.mark.parametrize('shape', [(64, 64), (64, 200), (200, 64)])
def test_orthogonalize_keeps_the_singular_vectors(shape):
    torch.manual_seed(0)
    matrix = torch.randn(shape)
    U, S, V = torch.linalg.svd(matrix, full_matrices=False)
    result = orthogonalize(matrix)
    values = U.mT @ result @ V.mT
    large = S > 0.1 * S[0]
    diagonal = values.diagonal()[large]
    assert diagonal.min() > 0.6 and diagonal.max() < 1.3
    assert (values - values.diagonal().diag()).abs().max() < 0.1


def test_orthogonalize_of_zeros_is_zeros():
    assert torch.equal(orthogonalize(torch.zeros(64, 80)), torch.zeros(64, 80))


@pytest.mark.parametrize('shape', [(96, 64), (64, 96), (80, 80)])
def test_step_of_a_matrix_is_as_large_as_one_of_adamw(shape):
    torch.manual_seed(0)
    param = nn.Parameter(torch.zeros(shape))
    param.grad = torch.randn(shape)
    Muon([param], lr=1e-2).step()
    size = float(param.detach().square().mean().sqrt())
    assert size == pytest.approx(0.2e-2, rel=0.15)


def test_other_parameters_move_as_with_adamw():
    torch.manual_seed(0)
    start = [torch.randn(7), torch.randn(3, 100), torch.randn(2, 70, 70)]
    gradients = [[torch.randn_like(value) for value in start] for _ in range(3)]
    params = [[nn.Parameter(value.clone()) for value in start] for _ in range(2)]
    optimizers = (
        Muon(params[0], lr=1e-2, weight_decay=0.1),
        AdamW(params[1], 1e-2, weight_decay=0.1),
    )
    for step in gradients:
        for group, optimizer in zip(params, optimizers):
            for param, gradient in zip(group, step):
                param.grad = gradient.clone()
            optimizer.step()
    for param, expected in zip(*params):
        torch.testing.assert_close(param, expected, rtol=1e-5, atol=1e-7)


def test_learns_all_directions_of_a_matrix():
    """Least squares whose directions differ 100-fold in their share of the loss."""
    torch.manual_seed(0)
    target, scale = torch.randn(64, 64) / 8, torch.logspace(0, -2, 64)
    errors = {}
    for kind in (Muon, AdamW):
        weight = nn.Parameter(torch.zeros(64, 64))
        optimizer = kind([weight], lr=1e-2, weight_decay=0)
        generator = torch.Generator().manual_seed(1)
        basis = torch.linalg.qr(torch.randn(64, 64, generator=generator))[0]
        for step in range(200):
            for group in optimizer.param_groups:
                group['lr'] = 1e-2 * (1 - step / 200)
            optimizer.zero_grad()
            (((weight - target) @ basis * scale).square().sum()).backward()
            optimizer.step()
        errors[kind] = float((weight - target).detach().square().mean().sqrt())
    assert errors[Muon] < 0.8 * errors[AdamW]


def test_state_is_resumed():
    torch.manual_seed(0)

    def steps(optimizer, param, bias, gradients):
        for gradient in gradients:
            param.grad, bias.grad = gradient.clone(), gradient[0].clone()
            optimizer.step()

    gradients = [torch.randn(64, 64) for _ in range(4)]
    whole, bias = nn.Parameter(torch.ones(64, 64)), nn.Parameter(torch.ones(64))
    optimizer = Muon([whole, bias])
    steps(optimizer, whole, bias, gradients[:2])
    copies = [nn.Parameter(value.detach().clone()) for value in (whole, bias)]
    resumed = Muon(copies)
    resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    steps(optimizer, whole, bias, gradients[2:])
    steps(resumed, *copies, gradients[2:])
    assert torch.equal(whole, copies[0]) and torch.equal(bias, copies[1])


def test_parameters_without_gradient_stay():
    param = nn.Parameter(torch.ones(64, 64))
    Muon([param], weight_decay=0.1).step()
    assert torch.equal(param, torch.ones(64, 64))


def test_is_built_by_name():
    config = dict(
        constructor=PrecisionOptimWrapperConstructor, optimizer=dict(type='Muon', lr=1e-3)
    )
    with DefaultScope.overwrite_default_scope(SCOPE):
        wrapper = build_optim_wrapper(nn.Linear(64, 64), config)
    assert type(wrapper.optimizer) is Muon


@pytest.mark.parametrize('field', [dict(momentum=1.0), dict(betas=(0.9, 1.5)), dict(lr=-1.0)])
def test_numbers_out_of_range_are_refused(field):
    with pytest.raises(ConfigError, match=next(iter(field))):
        Muon([nn.Parameter(torch.zeros(2))], **field)
