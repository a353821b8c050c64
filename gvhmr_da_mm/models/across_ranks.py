"""What losses and memories need to know of the other processes of a distributed run.

Every rank trains on its own part of one batch. These functions let the ranks together do what one
process with the whole batch would. With a single process they change nothing. All ranks have to
call them, in the same order.
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
    """Return what to divide a rank's sum by if gradients are averaged over the ranks.

    A mean over the elements that count is ``sum / count``. Ranks have different counts, so that
    the average of their means is not the mean over all. With the total count divided by the number
    of ranks in its place it is.

    Args:
        count (Tensor): How many elements count on this rank, or the sum of their weights. Scalar.

    Returns:
        Tensor: Positive, scalar. A total below 1 counts as 1, so that nothing is divided by zero.
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
