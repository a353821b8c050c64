"""Checks of which networks an iteration has updated."""

from mmengine.optim import OptimWrapper
from torch import Tensor, nn


def weights(module: nn.Module) -> dict[str, Tensor]:
    """Return a copy of the parameters by name."""
    return {name: value.clone() for name, value in module.named_parameters()}


def changed(module: nn.Module, before: dict[str, Tensor]) -> set[str]:
    """Return the names of the parameters that are not as they were."""
    return {name for name, value in module.named_parameters() if not value.equal(before[name])}


def steps(wrapper: OptimWrapper) -> int:
    """Return how often an optimiser was asked to step."""
    return wrapper._inner_count
