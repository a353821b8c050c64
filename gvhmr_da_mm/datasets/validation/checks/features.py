"""Checks of image features."""

from collections.abc import Iterator

from ..finding import Finding
from ..sequence import Sequence
from .table import sequence_check


@sequence_check('features')
def features(sequence: Sequence) -> Iterator[Finding]:
    """Features are neither zero nor the same in every frame."""
    for field in (*sequence.all('features'), *sequence.all('flip_features')):
        rows = field.value.float()
        empty = (rows == 0).all(dim=1)
        if empty.all():
            yield field.error('all features are zero')
        elif empty.any():
            yield field.warning(f'features are zero {field.count(empty)}')
        elif len(rows) > 1 and (rows == rows[:1]).all():
            yield field.error('features are the same in every frame')
