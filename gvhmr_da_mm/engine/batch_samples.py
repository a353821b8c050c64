"""Data samples of the batches that hooks see."""

from collections.abc import Sequence
from typing import Any

from ..structures import ClipSamples

READ_KEY = 'read_samples'
"""Field of a batch that was drawn from clips read before: the samples read for this iteration."""


def read_samples(data_batch: Any) -> Sequence:
    """Return the data samples that were read for a batch; none of a batch of another kind."""
    batch = data_batch if isinstance(data_batch, dict) else {}
    return batch.get(READ_KEY, batch.get('data_samples')) or []


def without_labels(samples: Sequence) -> Sequence:
    """Return samples whose labels are not looked at, and need not be made."""
    return samples.bare() if isinstance(samples, ClipSamples) else samples
