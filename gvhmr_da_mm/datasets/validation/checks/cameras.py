"""Checks of image size, intrinsics and camera poses."""

from collections.abc import Iterator
from math import atan, degrees

import torch
from torch import Tensor

from ....core.rotation import is_rotation, relative_angle
from ..fields import Field
from ..finding import Finding
from ..sequence import Sequence
from .table import sequence_check

FOV_RANGE = (5.0, 150.0)
"""Plausible fields of view in degrees."""
QUATERNION_TOLERANCE = 1e-2
MAX_PIXELS = 1e5
MAX_TURN = 90.0
"""Degrees in a frame; a larger rotation is a cut between two shots."""


@sequence_check('image-size')
def image_size(sequence: Sequence) -> Iterator[Finding]:
    """Width and height are positive."""
    for field in sequence.all('img_wh'):
        width, height = (float(value) for value in field.value)
        if not (1 <= width <= MAX_PIXELS and 1 <= height <= MAX_PIXELS):
            yield field.error(f'expected width and height in pixels, got {width:g} x {height:g}')


@sequence_check('intrinsics')
def intrinsics(sequence: Sequence) -> Iterator[Finding]:
    """Focal lengths are positive, fields of view plausible, and the axis is inside the image."""
    for field in sequence.all('K'):
        K = field.rows.reshape(-1, 3, 3)
        bottom = K.new_tensor([0.0, 0.0, 1.0])
        if (K[:, 2] - bottom).abs().max() > 1e-6 or K[:, 1, 0].abs().max() > 1e-6:
            yield field.error('expected rows (fx, s, cx), (0, fy, cy), (0, 0, 1)')
            continue
        focal = K[:, [0, 1], [0, 1]]
        if (focal <= 0).any():
            yield field.error(f'expected focal lengths above 0, got {float(focal.min()):g}')
            continue
        ratio = focal[:, 0] / focal[:, 1]
        if ratio.min() < 0.5 or ratio.max() > 2:
            yield field.warning(f'fx and fy differ by a factor of {float(ratio.max()):.2f}')
        if sequence.img_wh is not None:
            yield from _field_of_view(field, K, sequence.img_wh)


def _field_of_view(field: Field, K: Tensor, img_wh: tuple[float, float]) -> Iterator[Finding]:
    for axis, name in enumerate(('horizontal', 'vertical')):
        size = img_wh[axis]
        if size < 1:
            return
        focal = K[:, axis, axis]
        for value in (float(focal.min()), float(focal.max())):
            angle = 2 * degrees(atan(size / 2 / value))
            if not FOV_RANGE[0] <= angle <= FOV_RANGE[1]:
                low, high = FOV_RANGE
                yield field.error(
                    f'a focal length of {value:.0f} px is a {name} field of view of {angle:.1f} '
                    f'degrees in an image of {size:.0f} px; expected {low:.0f} to {high:.0f}'
                )
                return
        centre = K[:, axis, 2]
        if (centre < 0).any() or (centre > size).any():
            worst = float(centre[((centre - size / 2).abs()).argmax()])
            yield field.error(
                f'the {name} principal point {worst:.0f} px is outside the image of {size:.0f} px'
            )


@sequence_check('camera-pose')
def camera_pose(sequence: Sequence) -> Iterator[Finding]:
    """Extrinsics are rigid: rotations in SO(3), last row (0, 0, 0, 1)."""
    for field in sequence.all('T_w2c'):
        poses = field.rows.reshape(-1, 4, 4)
        bad = ~is_rotation(poses[:, :3, :3])
        if bad.any():
            worst = poses[bad][0, :3, :3]
            yield field.error(
                f'no rotation {field.count(bad)}: its determinant is {float(worst.det()):.3f} and '
                f'rows are up to {float(worst.norm(dim=1).max()):.3f} long'
            )
            continue
        last = (poses[:, 3] - poses.new_tensor([0, 0, 0, 1])).abs().amax(dim=1) > 1e-4
        if last.any():
            yield field.error(f'last row is not (0, 0, 0, 1) {field.count(last)}: transposed?')
        turn = torch.rad2deg(relative_angle(poses[1:, :3, :3], poses[:-1, :3, :3])) > MAX_TURN
        if len(turn) and turn.any():
            yield field.warning(f'the camera turns by over {MAX_TURN:.0f} degrees {_at(turn)}')


def _at(jumps: Tensor) -> str:
    return f'between frames {int(jumps.nonzero()[0])} and {int(jumps.nonzero()[0]) + 1}'


@sequence_check('trajectory')
def trajectory(sequence: Sequence) -> Iterator[Finding]:
    """Estimated camera poses have unit quaternions."""
    for field in sequence.all('trajectory'):
        norm = field.rows[:, 3:].norm(dim=1)
        bad = (norm - 1).abs() > QUATERNION_TOLERANCE
        if bad.any():
            length = float(norm[bad][0])
            yield field.error(f'quaternions of length {length:.3f} {field.count(bad)}')
