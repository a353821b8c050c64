"""Endless weighted mixture of datasets, addressable by position."""

from fractions import Fraction

from ..source_range import SourceRange

_MAX_DENOMINATOR = 10**6


def exact_ceil(count: int, share: Fraction) -> int:
    """Return ceil(count * share) in integers."""
    return -(-count * share.numerator // share.denominator)


class WeightedStream:
    """Mixture of datasets by weight; the dataset of each slot is computed in closed form.

    The first dataset takes its share of the slots, evenly spread; the second its share of what is
    left, evenly spread among those; and so on. Among the first n slots, for every n, a dataset
    among K has its share of them to within K slots.

    Args:
        ranges (list[SourceRange]): The datasets; empty ones are left out.
        by_size (bool): Whether a dataset without a weight counts by its number of clips instead of
            1.
    """

    def __init__(self, ranges: list[SourceRange], by_size: bool) -> None:
        self.ranges = [source for source in ranges if source.stop > source.start]
        self.size = sum(source.stop - source.start for source in self.ranges)
        weights = []
        for source in self.ranges:
            default = source.stop - source.start if by_size else 1
            weights.append(Fraction(default if source.weight is None else source.weight))
        self._shares = []
        left = sum(weights)
        for weight in weights[:-1]:
            self._shares.append((weight / left).limit_denominator(_MAX_DENOMINATOR))
            left -= weight

    def serve(self, slot: int) -> tuple[int, int]:
        """Return which dataset serves a slot and how many earlier slots it served."""
        for which, share in enumerate(self._shares):
            earlier = exact_ceil(slot, share)
            if exact_ceil(slot + 1, share) > earlier:
                return which, earlier
            slot -= earlier
        return len(self._shares), slot
