"""Labels of clips for the statistics of the motion vector."""

import inspect
from collections.abc import Iterator, Sequence

import numpy as np
from torch import Tensor
from torch.utils.data import Dataset

from ..codecs import MotionCodec
from ..core.errors import DataError
from .samplers import ClipKey

MOTION_FIELDS = tuple(inspect.signature(MotionCodec.encode).parameters)[1:]
"""Labels that :meth:`MotionCodec.encode` takes."""


def choose_clips(indices: Sequence[int], num_clips: int, seed: int = 0) -> list[int]:
    """Draw clips without repetition.

    Args:
        indices (Sequence[int]): Clips to choose from.
        num_clips (int): Largest number of clips.
        seed (int): Of the draw. Defaults to 0.

    Returns:
        list[int]: The chosen indices.
    """
    chosen = np.random.default_rng(seed).permutation(np.asarray(indices, dtype=int))[:num_clips]
    return chosen.tolist()


def motion_labels(
    dataset: Dataset, indices: Sequence[int], seed: int = 0
) -> Iterator[dict[str, Tensor]]:
    """Read labels for :meth:`MotionCodec.fit`.

    Args:
        dataset (Dataset): A :class:`MotionDataset`, or several behind one index.
        indices (Sequence[int]): Clips to read.
        seed (int): Draws the window of each. Defaults to 0.

    Yields:
        dict[str, Tensor]: Arguments of :meth:`MotionCodec.encode` of a window (L, ...), and
        ``valid`` (L,).

    Raises:
        DataError: If a clip has no labels of motion in the world.
    """
    for index in indices:
        item = dataset[ClipKey(int(index), seed)]
        sample = item['data_samples']
        labels = sample.get('gt_instances')
        missing = [name for name in MOTION_FIELDS if labels is None or name not in labels]
        if missing or sample.get('supervision') != 'full':
            raise DataError(
                f'{sample.get("dataset")}: sequence `{sample.get("sequence")}` should have labels '
                f'of its motion in camera and world, got supervision '
                f'{sample.get("supervision")!r}{f" without {missing}" if missing else ""}; choose '
                'a labelled dataset, such as BEDLAM'
            )
        yield dict({name: labels[name] for name in MOTION_FIELDS}, valid=item['inputs']['valid'])
