"""Index of a clip together with the seed of its random draws."""

from typing import NamedTuple

_MASK = (1 << 64) - 1


class ClipKey(NamedTuple):
    """Index of a clip and the seed of every random choice made for it.

    The same key gives the same item in any worker, on any rank, in any order.

    Attributes:
        index (int): Index of the clip in the dataset.
        seed (int): Seed of 63 bits.
    """

    index: int
    seed: int


def clip_seed(*numbers: int) -> int:
    """Hash integers to a seed (splitmix64, Steele et al., OOPSLA 2014).

    Args:
        numbers (int): Integers, such as seed, epoch, step and place.

    Returns:
        int: A seed of 63 bits.
    """
    state = 0
    for number in numbers:
        state = (state ^ (number & _MASK)) + 0x9E3779B97F4A7C15 & _MASK
        state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & _MASK
        state = (state ^ state >> 27) * 0x94D049BB133111EB & _MASK
        state ^= state >> 31
    return state >> 1
