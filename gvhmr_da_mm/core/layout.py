"""Sizes of the representation and the named slices of the 151-vector (GVHMR, Sec. 3.1)."""

from typing import NamedTuple

NUM_BODY_JOINTS = 21
"""SMPL-X body joints without the root."""
NUM_JOINTS = NUM_BODY_JOINTS + 1
"""The root and the body joints."""
NUM_BETAS = 10
NUM_COCO = 17
NUM_VERTS = 437
"""Vertices chosen for the vertex losses."""
NUM_SMPL_VERTS = 6890
NUM_STATIC_JOINTS = 6
IMAGE_FEATURE_DIM = 1024
SMPL_BODY_POSE = 69
"""Axis-angle size of SMPL's 23 body joints: SMPL-X's 21 and the two hands."""
ROT6D = 6


class MotionLayout(NamedTuple):
    """Named slices of the motion vector."""

    body_pose: slice = slice(0, NUM_BODY_JOINTS * ROT6D)
    betas: slice = slice(126, 136)
    orient_c: slice = slice(136, 142)
    orient_gv: slice = slice(142, 148)
    velocity: slice = slice(148, 151)
    size: int = 151

    @property
    def world(self) -> slice:
        """Channels without camera-only supervision: orientation in gravity view and velocity."""
        return slice(self.orient_gv.start, self.velocity.stop)


MOTION = MotionLayout()
