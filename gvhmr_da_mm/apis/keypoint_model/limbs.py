"""Joints of the limbs, which detectors and bodies place alike, unlike those of the head."""

from ...core.conventions import COCO_BONES, COCO_JOINT_NAMES

LIMB_JOINTS = tuple(
    COCO_JOINT_NAMES.index(f'{side}_{name}')
    for name in ('shoulder', 'elbow', 'wrist', 'hip', 'knee', 'ankle')
    for side in ('left', 'right')
)
"""COCO joints that are compared."""
LIMB_BONES = tuple(
    tuple(map(LIMB_JOINTS.index, bone)) for bone in COCO_BONES if set(bone) <= set(LIMB_JOINTS)
)
"""Pairs of rows of the limb joints."""


def limb_rows(name: str) -> list[int]:
    """Return the rows of the left and right ``hip`` or other joint among the limb joints."""
    sides = (COCO_JOINT_NAMES.index(f'{side}_{name}') for side in ('left', 'right'))
    return [LIMB_JOINTS.index(joint) for joint in sides]
