"""Check of clips, and records of those that cannot be used."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..core.conventions import MAX_PLAUSIBLE_BETA
from ..core.errors import DataError
from ..core.rotation import is_rotation
from .clip import Clip

MAX_LISTED_SEQUENCES = 5
"""Sequences that a log line lists; reports list all."""


@dataclass(frozen=True)
class BadSample:
    """Clip that was left out or replaced.

    Attributes:
        dataset (str): Its dataset.
        sequence (str): Its sequence.
        start (int): First frame that was asked for; -1 if the sequence could not be listed.
        end (int): One past the last.
        reason (str): The error: file, key, what was expected and what was found.
    """

    dataset: str
    sequence: str
    start: int
    end: int
    reason: str


def describe_bad_samples(samples: list[BadSample]) -> str:
    """Return a line with the sequences of some bad clips and the reasons."""
    reasons = {sample.sequence: sample.reason for sample in samples}
    listed = list(reasons.items())[:MAX_LISTED_SEQUENCES]
    lines = [f'{sequence}: {reason}' for sequence, reason in listed]
    if len(reasons) > MAX_LISTED_SEQUENCES:
        lines.append(f'and {len(reasons) - MAX_LISTED_SEQUENCES} more sequences')
    return '; '.join(lines)


def check_clip(clip: Clip) -> None:
    """Check the values of a clip; :class:`.pack_io.PackRecord` checks shapes and finite values.

    Frames of a test clip that evaluation leaves out may have no box and any label.

    Args:
        clip (Clip): A clip as read.

    Raises:
        DataError: If a box has no size, a focal length is not positive, a rotation of the camera
            is invalid, or a label's shape is that of no person.
    """
    size = clip.bbx_xys[:, 2] > 0
    labels = clip.labels or {}
    mask, betas = labels.get('mask'), labels.get('betas')
    if mask is not None:
        size = size | ~mask
    focal = (clip.K_fullimg.reshape(-1, 9)[:, 0:5:4] > 0).all(dim=1)
    _require(clip, 'bbx_xys', size, 'boxes with a side above 0 px')
    _require(clip, 'K_fullimg', focal, 'focal lengths above 0 px')
    _require(clip, 'R_w2c', is_rotation(clip.R_w2c), 'rotations of the camera')
    if betas is not None:
        shape = (betas.abs() <= MAX_PLAUSIBLE_BETA).all(dim=-1)
        if mask is not None:
            shape = shape | ~mask
        expected = f'shape components of at most {MAX_PLAUSIBLE_BETA:g}'
        _require(clip, 'betas', shape, expected)


def _require(clip: Clip, key: str, good: Tensor, expected: str) -> None:
    if good.all():
        return
    frame = clip.start + int((~good).nonzero()[0])
    count = int(torch.sum(~good))
    raise DataError(
        f'sequence `{clip.sequence}`, frames {clip.start} to {clip.end - 1}, `{key}`: expected '
        f'{expected}, but {count} of {len(good)} are not, first at frame {frame}. '
        'tools/dataset_tools/analyze_dataset.py validate names the file and finds all such '
        "sequences; on_bad_sample='skip' trains without them"
    )
