"""Counts, means and clips over all ranks of a distributed run.

The results are those of one process with the whole batch. All ranks have to call these functions,
in the same order.
"""

import torch
from mmengine.dist import all_gather, all_reduce, get_world_size
from torch import Tensor


@torch.no_grad()
def total_over_ranks(count: Tensor) -> Tensor:
    """Return the sum of a count over all ranks, in floating point."""
    total = count.detach() if count.is_floating_point() else count.to(torch.float32)
    if get_world_size() == 1:
        return total
    total = total.clone()
    all_reduce(total)
    return total


@torch.no_grad()
def mean_denominator(count: Tensor) -> Tensor:
    """Return the denominator of a rank's mean, for gradients that are averaged over the ranks.

    Ranks have different counts, so the average of their means ``sum / count`` is not the mean over
    all elements. With the total count divided by the number of ranks as denominator it is.

    Args:
        count (Tensor): Number of elements on this rank, or the sum of their weights. Scalar.

    Returns:
        Tensor: Scalar. A total below 1 counts as 1, against a division by zero.
    """
    return total_over_ranks(count).clamp(min=1) / get_world_size()


@torch.no_grad()
def gather_clips(values: Tensor) -> Tensor:
    """Join the clips of all ranks in the order of the ranks, as one process would have them.

    Args:
        values (Tensor): Shape (B, ...), the same on all ranks.

    Returns:
        Tensor: Shape (ranks * B, ...), without graph.
    """
    if get_world_size() == 1:
        return values.detach()
    return torch.cat(all_gather(values.detach().contiguous()))
