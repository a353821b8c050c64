"""Matching of the people that a method found in a video to the labelled ones.

Note:
    F frames of a found person, L frames of a labelled one, P labelled and Q found people.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from ..core.boxes import box_overlap
from ..core.layout import NUM_BETAS, NUM_BODY_JOINTS

MIN_OVERLAP = 0.5
"""Least intersection over union of the boxes of one person."""
_SHAPES = dict(
    body_pose=(3 * NUM_BODY_JOINTS,),
    betas=(NUM_BETAS,),
    global_orient_c=(3,),
    transl_c=(3,),
    global_orient_w=(3,),
    transl_w=(3,),
)


@dataclass(frozen=True)
class FoundPerson:
    """One track of a method's result.

    Attributes:
        frames (np.ndarray): Numbers of its frames in the video (F,), ascending.
        boxes (np.ndarray): Corners left, top, right, bottom of its boxes (F, 4), pixels.
        fields (dict[str, Tensor]): Predicted parameters (F, ...) by their names in
            ``pred_instances``.
    """

    frames: np.ndarray
    boxes: np.ndarray
    fields: dict[str, Tensor]


def matched_samples(
    samples: Sequence[Mapping[str, Any]],
    boxes: Sequence[np.ndarray],
    found: Sequence[FoundPerson],
    min_overlap: float = MIN_OVERLAP,
) -> list[dict[str, Any]]:
    """Give each labelled person of a video the tracks that overlap with it.

    In each frame people are assigned one to one, so that the sum of the overlaps is largest. A
    track that changes from one person to another is thus scored against each where it is.

    Args:
        samples (Sequence[Mapping]): Labelled people of one video, P samples with ``start`` and
            ``gt_instances``.
        boxes (Sequence[np.ndarray]): Corners of their boxes (L, 4), pixels.
        found (Sequence[FoundPerson]): The Q tracks of the result.
        min_overlap (float): Least intersection over union. Defaults to 0.5.

    Returns:
        list[dict]: The samples, with ``pred_instances``: the fields of the tracks, zero in other
        frames, and ``matched`` (L,), bool, as metrics of protocols that are end to end need them.
    """
    assigned = assign_people(
        [int(sample.get('start') or 0) for sample in samples], boxes, found, min_overlap
    )
    shapes = dict(_SHAPES)
    if found:
        shapes = {name: value.shape[1:] for name, value in found[0].fields.items()}
    matched = []
    for sample, tracks in zip(samples, assigned):
        numbers = np.arange(len(tracks)) + int(sample.get('start') or 0)
        values = {name: torch.zeros(len(tracks), *shape) for name, shape in shapes.items()}
        for index, person in enumerate(found):
            there = tracks == index
            rows = np.searchsorted(person.frames, numbers[there])
            for name, value in values.items():
                value[torch.from_numpy(there)] = person.fields[name][rows].to(value)
        instances = dict(values, matched=torch.from_numpy(tracks >= 0))
        matched.append({**sample, 'pred_instances': instances})
    return matched


def assign_people(
    starts: Sequence[int],
    boxes: Sequence[np.ndarray],
    found: Sequence[FoundPerson],
    min_overlap: float = MIN_OVERLAP,
) -> list[np.ndarray]:
    """Return the index of the track (L,) of each labelled person in each frame; -1 for none.

    Args:
        starts (Sequence[int]): Number of the first frame of each labelled person in the video.
        boxes (Sequence[np.ndarray]): Corners of their boxes (L, 4), pixels.
        found (Sequence[FoundPerson]): The tracks.
        min_overlap (float): Least intersection over union. Defaults to 0.5.
    """
    assigned = [np.full(len(corners), -1) for corners in boxes]
    rows = [{int(frame): row for row, frame in enumerate(person.frames)} for person in found]
    ends = [start + len(corners) for start, corners in zip(starts, boxes)]
    for frame in range(min(starts, default=0), max(ends, default=0)):
        here = [p for p, (start, end) in enumerate(zip(starts, ends)) if start <= frame < end]
        tracks = [q for q, known in enumerate(rows) if frame in known]
        if not (here and tracks):
            continue
        overlap = box_overlap(
            np.stack([boxes[p][frame - starts[p]] for p in here]),
            np.stack([found[q].boxes[rows[q][frame]] for q in tracks]),
        )
        overlap[overlap < min_overlap] = 0
        for p, q in zip(*linear_sum_assignment(-overlap)):
            if overlap[p, q] > 0:
                assigned[here[p]][frame - starts[here[p]]] = tracks[q]
    return assigned
