"""Checks of boxes and keypoints."""

from collections.abc import Iterator

import torch
from torch import Tensor

from ..fields import Field
from ..finding import Finding
from ..sequence import Sequence
from .table import sequence_check

SURE_SCORE = 0.5
"""Keypoint score from which a keypoint should be on the person."""
MAX_BOX_SIDES = 5.0
"""Largest side of a box, in image sides."""
MAX_OUTSIDE = 0.5
"""Share of the image size beyond which a keypoint is far outside."""
FLIP_TOLERANCE = 0.1
"""Largest distance of the mirrored box from its place, as a share of the box."""


@sequence_check('boxes')
def boxes(sequence: Sequence) -> Iterator[Finding]:
    """Boxes have a size and are in the image."""
    for field in (*sequence.all('boxes'), *sequence.all('flip_boxes')):
        rows = field.rows
        empty = rows[:, 2] <= 0
        if empty.any():
            worst = float(rows[:, 2].min())
            yield field.error(f'side of {worst:g} px or less than 0 {field.count(empty)}')
            continue
        if sequence.img_wh is None:
            continue
        size = rows.new_tensor(sequence.img_wh)
        outside = _gap(rows, size) > 0
        if outside.any():
            message = f'the box does not touch the image {field.count(outside)}'
            mostly = outside.double().mean() > 0.5
            yield field.error(message) if mostly else field.warning(message)
        large = rows[:, 2] > MAX_BOX_SIDES * size.max()
        if large.any():
            yield field.error(
                f'side above {MAX_BOX_SIDES:.0f} times the image {field.count(large)}'
            )


def _gap(rows: Tensor, size: Tensor) -> Tensor:
    """Return the distance (F,) of boxes (F, 3) from the image in px; <= 0 where they touch it."""
    low, high = rows[:, :2] - rows[:, 2:] / 2, rows[:, :2] + rows[:, 2:] / 2
    return torch.maximum(-high, low - size).amax(dim=1)


@sequence_check('keypoints')
def keypoints(sequence: Sequence) -> Iterator[Finding]:
    """Keypoint scores are in [0, 1]; sure keypoints are in the image and in their box."""
    for field in sequence.all('keypoints'):
        pixels, confidence = field.rows[..., :2], field.rows[..., 2]
        odd = ((confidence < -1e-6) | (confidence > 1.5)).any(dim=1)
        if odd.any():
            worst = float(confidence[(confidence - 0.5).abs() == (confidence - 0.5).abs().max()][0])
            yield field.error(f'confidence of {worst:g}, expected 0 to 1, {field.count(odd)}')
            continue
        sure = confidence >= SURE_SCORE
        if not sure.any():
            yield field.warning(f'no keypoint has a confidence of at least {SURE_SCORE}')
            continue
        if sequence.img_wh is not None:
            yield from _outside(field, pixels, sure, pixels.new_tensor(sequence.img_wh))
        box = sequence.get('boxes')
        if box is not None and len(box) == len(pixels):
            yield from _beside_box(field, pixels, sure, box.rows)


def _outside(field: Field, pixels: Tensor, sure: Tensor, size: Tensor) -> Iterator[Finding]:
    centred = (pixels - size / 2).abs() / size
    far = (centred.amax(dim=-1) > 0.5 + MAX_OUTSIDE) & sure
    if far.any():
        frames = far.any(dim=1)
        message = f'sure keypoints far outside the image {field.count(frames)}'
        mostly = far.sum() > 0.5 * sure.sum()
        yield field.error(message) if mostly else field.warning(message)


def _beside_box(field: Field, pixels: Tensor, sure: Tensor, rows: Tensor) -> Iterator[Finding]:
    distance = (pixels - rows[:, None, :2]).abs().amax(dim=-1)
    beside = sure & (distance > rows[:, None, 2])
    share = float(beside.sum() / sure.sum())
    if share > 0.5:
        frames = beside.sum(dim=1) > 0.5 * sure.sum(dim=1)
        yield field.error(
            f'{share:.0%} of the sure keypoints are not near their box, {field.count(frames)}: '
            'other pixels, swapped axes or another person?'
        )


@sequence_check('flip')
def flip(sequence: Sequence) -> Iterator[Finding]:
    """Mirrored boxes are the boxes, mirrored."""
    found = sequence.together('flip_boxes', 'boxes')
    if found is None or sequence.img_wh is None or len(found[0]) != len(found[1]):
        return
    mirrored, plain = found[0].rows, found[1].rows
    off = (sequence.img_wh[0] - plain[:, 0] - mirrored[:, 0]).abs()
    bad = off > FLIP_TOLERANCE * plain[:, 2].clamp(min=1)
    if bad.double().mean() > 0.5:
        yield found[0].warning(f'boxes of the mirrored images are elsewhere {found[0].count(bad)}')
