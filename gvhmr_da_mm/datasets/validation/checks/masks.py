"""Checks of masks and frame ranges."""

from collections.abc import Iterator

from ..finding import ERROR, Finding
from ..sequence import Sequence
from .table import sequence_check


@sequence_check('mask')
def masks(sequence: Sequence) -> Iterator[Finding]:
    """At least one frame is valid."""
    for field in (*sequence.all('mask'), *sequence.all('other_mask')):
        if not field.value.bool().any():
            yield field.warning('no frame counts: the sequence cannot be scored')


@sequence_check('frame-range')
def frame_ranges(sequence: Sequence) -> Iterator[Finding]:
    """Ranges of frames are inside the sequence, and the features cover them."""
    for path, key, start, end in sequence.ranges:

        def wrong(message: str, path=path, key=key) -> Finding:
            return Finding(ERROR, message, str(path), key)

        if not 0 <= start < end:
            yield wrong(f'expected 0 <= start < end, got {start} and {end}')
        elif sequence.frames is not None and end > sequence.frames:
            yield wrong(f'ends at frame {end} of a sequence of {sequence.frames} frames')


@sequence_check('coverage')
def feature_coverage(sequence: Sequence) -> Iterator[Finding]:
    """Files with a part of a sequence have all frames of a range."""
    for field in sequence.all('features'):
        if field.letter != 'R' or not sequence.ranges:
            continue
        first, last = field.first, field.first + len(field)
        # A sequence may be listed twice, so that covering one range is enough.
        if not any(first <= start and end <= last for _, _, start, end in sequence.ranges):
            wanted = ', '.join(f'{start} to {end}' for _, _, start, end in sequence.ranges)
            yield field.error(f'covers frames {first} to {last}, expected {wanted}')
