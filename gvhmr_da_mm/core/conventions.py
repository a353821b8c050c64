"""Joint tables, axes and constants shared by the whole package.

Frames: *camera* (x right, y down, z forward, OpenCV), *world* (y up, metres), *gravity-view* (GV:
y along gravity, z towards the viewing direction made horizontal, x = y x z), *image* (pixels).
``R_a2b`` maps coordinates of frame a to frame b and acts on column vectors. Videos have 30 fps.
"""

from collections.abc import Sequence

FPS = 30
NEAR_DEPTH = 0.3
"""Points nearer to the camera than this (m) are not projected."""
GRAVITY_Y_UP = (0.0, -1.0, 0.0)
"""Direction of gravity in a y-up world."""
GRAVITY_GV = (0.0, 1.0, 0.0)
"""Direction of gravity in the gravity view."""
COMPAT_MODES = ('correct', 'published')
"""``correct`` follows the definitions; ``published`` repeats the published code's results."""

BODY_JOINT_NAMES = (
    'pelvis', 'left_hip', 'right_hip', 'spine1', 'left_knee', 'right_knee', 'spine2',
    'left_ankle', 'right_ankle', 'spine3', 'left_foot', 'right_foot', 'neck', 'left_collar',
    'right_collar', 'head', 'left_shoulder', 'right_shoulder', 'left_elbow', 'right_elbow',
    'left_wrist', 'right_wrist',
)  # fmt: skip
PARENTS_22 = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19)
"""Parent of each of the 22 joints; SMPL adds the hands 22 and 23 below the wrists."""
PARENTS_24 = (*PARENTS_22, 20, 21)

COCO_JOINT_NAMES = (
    'nose', 'left_eye', 'right_eye', 'left_ear', 'right_ear', 'left_shoulder', 'right_shoulder',
    'left_elbow', 'right_elbow', 'left_wrist', 'right_wrist', 'left_hip', 'right_hip',
    'left_knee', 'right_knee', 'left_ankle', 'right_ankle',
)  # fmt: skip
COCO_HIPS = (11, 12)
COCO_BONES = (
    (0, 1), (0, 2), (1, 3), (2, 4), (5, 6), (5, 7), (7, 9), (6, 8), (8, 10), (5, 11), (6, 12),
    (11, 12), (11, 13), (13, 15), (12, 14), (14, 16),
)  # fmt: skip
"""Pairs of COCO joints that are drawn as a line."""

GENDERS = ('neutral', 'male', 'female')
"""Genders of the body models, as their files name them."""
MAX_PLAUSIBLE_BETA = 10.0
"""Shape components (in standard deviations) beyond this belong to no person."""

FOOT_JOINTS = (7, 10, 8, 11)
"""Left ankle and foot, right ankle and foot."""
STATIC_JOINTS = (*FOOT_JOINTS, 20, 21)
"""Joints with a contact label: the foot joints and the wrists."""
STATIC_SPEED = 0.15
"""A joint slower than this (m/s) is static."""
STATIC_FRAME_TIME = 0.033
"""Seconds per frame in the definition of the static labels; not 1 / ``FPS``."""

FOOT_VERTEX_IDS = (3216, 3387, 6617, 6787)
"""SMPL vertices of heels and toes used by the foot-sliding metric."""


def flip_index(names: Sequence[str]) -> tuple[int, ...]:
    """Return the permutation that swaps every ``left_*`` with its ``right_*`` name."""
    swap = {'left': 'right', 'right': 'left'}
    mirrored = []
    for name in names:
        side, _, rest = name.partition('_')
        mirrored.append(names.index(f'{swap[side]}_{rest}' if side in swap else name))
    return tuple(mirrored)


COCO_FLIP_INDEX = flip_index(COCO_JOINT_NAMES)
JOINT_FLIP_INDEX = flip_index(BODY_JOINT_NAMES)
BODY_FLIP_INDEX = tuple(index - 1 for index in JOINT_FLIP_INDEX[1:])
"""The same permutation for the 21 body joints alone."""
STATIC_FLIP_INDEX = tuple(STATIC_JOINTS.index(JOINT_FLIP_INDEX[joint]) for joint in STATIC_JOINTS)
