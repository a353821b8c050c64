"""Base class of metrics that gather the results of all ranks."""

from mmengine.dist import get_world_size
from mmengine.evaluator import BaseMetric


class GatheredMetric(BaseMetric):
    """Metric whose ``compute_metrics`` gets the results of all ranks.

    MMEngine cuts the gathered list to the length of the test set to drop the samples that pad
    uneven ranks, which assumes one sampler's order. Here subclasses drop repeated ones by name.
    """

    def evaluate(self, size: int) -> dict[str, float]:
        """Gather and compute.

        Args:
            size (int): Length of the test set.
        """
        return super().evaluate(size * get_world_size())
