"""Products of small matrices: the arithmetic of GPUs is called directly, beside `@`."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gvhmr_da_mm.core import small_matrices
from gvhmr_da_mm.core.small_matrices import small_matmul, small_matvec

sizes = st.integers(1, 4)


@st.composite
def leading_shapes(draw):
    """Two leading shapes that broadcast."""
    whole = draw(st.lists(st.integers(0, 3), max_size=3))
    shapes = []
    for _ in range(2):
        ones = [size if draw(st.booleans()) else 1 for size in whole]
        shapes.append(tuple(ones[draw(st.integers(0, len(ones))) :]))
    return shapes


def random(*shape):
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


@given(leading_shapes(), sizes, sizes, sizes)
def test_element_wise_products_and_their_gradients(leading, rows, inner, columns):
    first, second = random(*leading[0], rows, inner), random(*leading[1], inner, columns)
    expected = first @ second
    product = small_matrices._ElementWise.apply(first, second)
    torch.testing.assert_close(product, expected)
    weights = torch.randn_like(expected)
    found, wanted = (
        torch.autograd.grad((value * weights).sum(), (first, second))
        for value in (product, expected)
    )
    for one, other in zip(found, wanted):
        torch.testing.assert_close(one, other)


def test_second_derivatives():
    first, second = random(2, 3, 3), random(3, 2)
    assert torch.autograd.gradgradcheck(small_matrices._ElementWise.apply, (first, second))


@pytest.mark.parametrize('fixed', [0, 1])
def test_only_gradients_that_are_needed_are_computed(fixed):
    pair = [random(2, 3, 3), random(2, 3, 3)]
    pair[fixed] = pair[fixed].detach()
    small_matrices._ElementWise.apply(*pair).sum().backward()
    assert pair[fixed].grad is None and pair[1 - fixed].grad is not None


def test_on_the_cpu_it_is_the_plain_product():
    first, second = torch.randn(5, 3, 3), torch.randn(5, 3, 4)
    assert torch.equal(small_matmul(first, second), first @ second)
    vector = torch.randn(5, 3)
    assert torch.equal(small_matvec(first, vector), (first @ vector[..., None])[..., 0])


def test_on_a_gpu_it_is_element_wise(monkeypatch):
    class OnGpu(torch.Tensor):
        is_cuda = True

    called = []
    monkeypatch.setattr(
        small_matrices._ElementWise, 'apply', lambda *pair: called.append(pair) or pair[0]
    )
    first = torch.randn(2, 3, 3).as_subclass(OnGpu)
    small_matmul(first, torch.randn(3, 3))
    assert len(called) == 1 and called[0][0] is first
