"""Parts of the body that a recording does not move."""

from torch import Tensor

from .conventions import BODY_JOINT_NAMES

MIN_FRAMES = 30
"""Shortest motion that is judged, 1 s: nobody holds a joint still to the last digit for longer."""
TOLERANCE = 1e-3
"""Radians that the components of a locked joint's rotation vary at most, from conversions."""
BODY_PARTS = {
    'spine': ('spine1', 'spine2', 'spine3'),
    'head': ('neck', 'head'),
    **{f'{side}_shoulder': (f'{side}_collar', f'{side}_shoulder') for side in ('left', 'right')},
    **{
        f'{side}_{joint}': (f'{side}_{joint}',)
        for side in ('left', 'right')
        for joint in ('elbow', 'hip', 'knee', 'ankle')
    },
}
"""Joints of each part: skeletons that have fewer joints than SMPL leave some of a part at rest.
Toes and wrists are no parts, as many recordings lack them."""


def locked_parts(body_pose: Tensor) -> list[str]:
    """Return the parts of the body none of whose joints turns in a motion.

    Args:
        body_pose (Tensor): Axis-angle rotations (F, 63) of the 21 body joints, rad; more joints, as
            of SMPL, are ignored.

    Returns:
        list[str]: Some of :data:`BODY_PARTS`; none for motions of less than 1 s.
    """
    if len(body_pose) < MIN_FRAMES:
        return []
    names = BODY_JOINT_NAMES[1:]
    rotations = body_pose[:, : 3 * len(names)].unflatten(-1, (-1, 3))
    ranges = (rotations.amax(dim=0) - rotations.amin(dim=0)).amax(dim=-1)
    locked = dict(zip(names, (ranges <= TOLERANCE).tolist()))
    return [part for part, joints in BODY_PARTS.items() if all(locked[joint] for joint in joints)]


def describe_locked(parts: list[str]) -> str:
    """Return the parts in a line, or that all of the body is meant."""
    return 'the whole body' if len(parts) == len(BODY_PARTS) else ', '.join(parts)
