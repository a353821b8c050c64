"""Check of the direction of gravity."""

from collections.abc import Iterator

import torch

from ....core.rotation import angle_between, axis_angle_to_matrix
from ..finding import Finding
from ..sequence import Sequence
from .table import sequence_check

TILTED_DEGREES = 60.0
"""Angle from upright above which a body or camera is not upright."""
UPSIDE_DOWN_DEGREES = 120.0


@sequence_check('gravity')
def gravity(sequence: Sequence) -> Iterator[Finding]:
    """Gravity in the labels' world has the direction that the format declares.

    A crawling person or a rolled camera alone is no error. The world is wrong if person and camera
    are both tilted in nearly all frames, or the person is upside down in nearly all.
    """
    trusted = sequence.trusted
    found = sequence.together('orient_w', 'T_w2c')
    if sequence.gravity is None or found is None or not trusted.any():
        return
    orient, extrinsics = found
    up = -orient.rows.new_tensor(sequence.gravity)
    body = torch.rad2deg(angle_between(axis_angle_to_matrix(orient.rows)[..., 1], up))
    R_w2c = extrinsics.rows[..., :3, :3].expand(len(trusted), 3, 3)
    # The image's up is -y in the camera.
    camera = torch.rad2deg(angle_between(-R_w2c[:, 1], up))
    both = (body > TILTED_DEGREES) & (camera > TILTED_DEGREES)
    if both[trusted].double().mean() > 0.9:
        yield orient.error(
            f'the world is not upright: the person is {float(body[trusted].median()):.0f} and the '
            f'camera {float(camera[trusted].median()):.0f} degrees off; expected gravity along '
            f'{sequence.gravity}'
        )
    elif (body > UPSIDE_DOWN_DEGREES)[trusted].double().mean() > 0.9:
        yield orient.error('the person is upside down: wrong world or wrong label')
