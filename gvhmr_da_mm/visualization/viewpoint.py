"""A place to look from, for motions of which no camera is known."""

from dataclasses import replace

import numpy as np
import torch

from ..core.camera import transform_smpl
from ..core.extrinsics import look_at
from ..structures import MotionResult, PersonMotion

HEIGHT = 0.5
"""Of the viewpoint above the middle of the people, m."""
MIN_DISTANCE = 4.0


def with_viewpoint(result: MotionResult) -> MotionResult:
    """Return a result whose people are in the camera of a still viewpoint, if none has a camera.

    Args:
        result (MotionResult): Of a video; one in which somebody is in a camera is unchanged.
    """
    people = result.people.values()
    if not people or any(person.in_camera for person in people):
        return result
    joints = np.concatenate([person.joints_w.reshape(-1, 3) for person in people])
    low, high = joints.min(axis=0), joints.max(axis=0)
    middle = (low + high) / 2
    distance = max(MIN_DISTANCE, 1.5 * float((high - low)[[0, 2]].max()))
    place = torch.from_numpy(middle + [0, HEIGHT, distance])
    T_w2c = look_at(place[None].float(), torch.from_numpy(middle)[None].float())[0].double()
    return replace(result, people={p.id: _seen_from(p, T_w2c) for p in people})


def _seen_from(person: PersonMotion, T_w2c: torch.Tensor) -> PersonMotion:
    orient, transl, joints = (
        torch.from_numpy(value).double()
        for value in (person.global_orient_w, person.transl_w, person.joints_w)
    )
    moved = transform_smpl(orient, transl, T_w2c, joints[:, 0] - transl)
    orient_c, transl_c = (value.numpy().astype(person.transl_w.dtype) for value in moved)
    return replace(person, global_orient_c=orient_c, transl_c=transl_c)
