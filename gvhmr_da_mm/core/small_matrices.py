"""Products of many small matrices, such as rotations.

Libraries of GPUs are made for large matrices: they compute a batch of products of 3 x 3 matrices
many times as slowly as a few passes of element-wise arithmetic over the same memory. On a CPU
``@`` is the faster one.
"""

from typing import Any, Optional

import torch
from torch import Tensor


def small_matmul(first: Tensor, second: Tensor) -> Tensor:
    """Multiply matrices (..., M, K) and (..., K, N) of small K and N; leading shapes broadcast."""
    if first.is_cuda:
        return _ElementWise.apply(first, second)
    return first @ second


def small_matvec(matrix: Tensor, vector: Tensor) -> Tensor:
    """Multiply matrices (..., M, K) with column vectors (..., K): (..., M)."""
    return small_matmul(matrix, vector.unsqueeze(-1)).squeeze(-1)


class _ElementWise(torch.autograd.Function):
    """Products as sums of element-wise products, which the gradients are as well.

    Left to autograd, the gradient of each broadcast would be a sum over three numbers that lie far
    apart.
    """

    @staticmethod
    def forward(ctx: Any, first: Tensor, second: Tensor) -> Tensor:
        ctx.save_for_backward(first, second)
        return _sum_of_products(first, second)

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Optional[Tensor], Optional[Tensor]]:
        first, second = ctx.saved_tensors
        by_first = by_second = None
        if ctx.needs_input_grad[0]:
            by_first = _ElementWise.apply(slope, second.mT).sum_to_size(first.shape)
        if ctx.needs_input_grad[1]:
            by_second = _ElementWise.apply(first.mT, slope).sum_to_size(second.shape)
        return by_first, by_second


def _sum_of_products(first: Tensor, second: Tensor) -> Tensor:
    if second.shape[-1] == 1:
        return (first * second.mT).sum(dim=-1, keepdim=True)
    product = first[..., :1] * second[..., :1, :]
    for inner in range(1, first.shape[-1]):
        product.addcmul_(first[..., inner : inner + 1], second[..., inner : inner + 1, :])
    return product
