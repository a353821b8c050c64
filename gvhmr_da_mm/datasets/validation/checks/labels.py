"""Checks of labels: poses, shapes and positions of bodies."""

from collections.abc import Iterator
from math import pi

import torch
from torch import Tensor

from ....core.conventions import FPS, GENDERS, MAX_PLAUSIBLE_BETA
from ....core.locked_parts import describe_locked, locked_parts
from ....core.rotation import axis_angle_to_matrix, relative_angle
from ..fields import Field
from ..finding import Finding
from ..sequence import Sequence
from .table import sequence_check

MAX_ANGLE = 2 * pi + 0.1
"""Radians; longer axis-angle vectors are a warning: valid, but unusual."""
ABSURD_ANGLE = 4 * pi
"""Radians; longer axis-angle vectors are an error."""
MAX_SPEED = 30.0
"""Metres per second; a sprinter reaches 12."""
MAX_DISAGREEMENT = 30.0
"""Degrees between the orientation in the camera and that of the world seen by the camera."""
MAX_SHIFT = 0.2
"""Metres between the position in the camera and that of the world seen by the camera."""
MIN_DEPTH = 0.1


@sequence_check('gender')
def gender(sequence: Sequence) -> Iterator[Finding]:
    """There is a body model for the labels."""
    for field in sequence.all('gender'):
        if field.value not in GENDERS:
            yield field.error(f'expected one of {GENDERS}, got {field.value!r}')


@sequence_check('axis-angle')
def axis_angles(sequence: Sequence) -> Iterator[Finding]:
    """Axis-angle vectors are at most one turn long."""
    for role in ('body_pose', 'orient_w', 'orient_c'):
        for field in sequence.all(role):
            angle = field.rows.unflatten(-1, (-1, 3)).norm(dim=-1).amax(dim=-1)
            bad = angle > MAX_ANGLE
            if bad.any():
                worst = float(angle[bad].max())
                message = f'rotations of up to {worst:.1f} rad {field.count(bad)}: degrees?'
                yield field.error(message) if worst > ABSURD_ANGLE else field.warning(message)


@sequence_check('locked')
def locked(sequence: Sequence) -> Iterator[Finding]:
    """Every part of the body turns at some time."""
    for field in sequence.all('body_pose'):
        trusted = sequence.trusted
        rows = field.rows[trusted] if len(field) == len(trusted) else field.rows
        parts = locked_parts(rows)
        if parts:
            yield field.warning(
                f'{describe_locked(parts)} never turns in {len(rows)} frames: not tracked?'
            )


@sequence_check('betas')
def betas(sequence: Sequence) -> Iterator[Finding]:
    """Shapes are plausible and constant."""
    for field in sequence.all('betas'):
        rows = field.rows.reshape(-1, field.value.shape[-1])
        trusted = sequence.trusted
        counted = rows[trusted] if len(rows) == len(trusted) else rows
        largest = float(counted.abs().max()) if len(counted) else 0.0
        if largest > MAX_PLAUSIBLE_BETA:
            yield field.error(
                f'shape components of up to {largest:.1f}, expected at most {MAX_PLAUSIBLE_BETA:g}'
            )
        if len(counted) > 1 and float((counted - counted[:1]).abs().max()) > 0.5:
            yield field.warning('the shape changes within the sequence')


@sequence_check('motion')
def motion(sequence: Sequence) -> Iterator[Finding]:
    """People do not jump from place to place."""
    for role in ('transl_w', 'transl_c'):
        for field in sequence.all(role):
            trusted = sequence.trusted
            speed = (field.rows[1:] - field.rows[:-1]).norm(dim=1) * FPS
            bad = (speed > MAX_SPEED) & trusted[1:] & trusted[:-1]
            if len(speed) and bad.any():
                yield field.warning(
                    f'moves at {float(speed[bad].max()):.0f} m/s {field.count(bad)}: millimetres, '
                    'or frames left out?'
                )


@sequence_check('camera-labels')
def camera_labels(sequence: Sequence) -> Iterator[Finding]:
    """Labels in the camera are those of the world, seen by the camera."""
    found = sequence.together('orient_w', 'orient_c', 'T_w2c')
    trusted = sequence.trusted
    if found is None or not trusted.any():
        return
    orient_w, orient_c, extrinsics = found
    R_w2c = _per_frame(extrinsics, len(trusted))[:, :3, :3]
    expected = R_w2c @ axis_angle_to_matrix(orient_w.rows)
    angle = torch.rad2deg(relative_angle(expected, axis_angle_to_matrix(orient_c.rows)))
    middle = float(angle[trusted].median())
    if middle > MAX_DISAGREEMENT:
        bad = (angle > MAX_DISAGREEMENT) & trusted
        yield orient_c.error(
            f'differs by {middle:.0f} degrees from the world label turned into the camera '
            f'{orient_c.count(bad)}: wrong `{extrinsics.key}` or wrong label'
        )
    yield from _camera_positions(sequence, R_w2c, trusted)


def _camera_positions(sequence: Sequence, R_w2c: Tensor, trusted: Tensor) -> Iterator[Finding]:
    found = sequence.together('transl_w', 'transl_c', 'rest_root', 'T_w2c')
    if found is None:
        return
    transl_w, transl_c, root, extrinsics = found
    shift = _per_frame(extrinsics, len(trusted))[:, :3, 3]
    offset = root.rows[0]
    expected = ((transl_w.rows + offset)[:, None] @ R_w2c.mT)[:, 0] + shift - offset
    distance = (expected - transl_c.rows).norm(dim=1)
    if float(distance[trusted].median()) > MAX_SHIFT:
        bad = (distance > MAX_SHIFT) & trusted
        yield transl_c.error(
            f'is {float(distance[trusted].median()):.2f} m from the world label seen by the camera '
            f'{transl_c.count(bad)}: wrong `{extrinsics.key}` or wrong label'
        )


@sequence_check('person-in-box')
def person_in_box(sequence: Sequence) -> Iterator[Finding]:
    """The labelled person is in front of the camera and projects into the box."""
    found = sequence.together('transl_w', 'T_w2c', 'K')
    trusted = sequence.trusted
    if found is None or not trusted.any():
        return
    transl, extrinsics, K = found
    poses = _per_frame(extrinsics, len(trusted))
    root = transl.rows + transl.rows.new_tensor(sequence.root)
    root_c = (root[:, None] @ poses[:, :3, :3].mT)[:, 0] + poses[:, :3, 3]
    behind = (root_c[:, 2] < MIN_DEPTH) & trusted
    if behind.sum() > 0.5 * trusted.sum():
        yield transl.error(f'the person is behind the camera {transl.count(behind)}')
        return
    boxes = sequence.get('boxes')
    if boxes is not None and 0 <= boxes.first <= len(trusted) - len(boxes):
        yield from _beside_box(transl, boxes, root_c, _per_frame(K, len(trusted)), trusted)


def _beside_box(
    transl: Field, boxes: Field, root_c: Tensor, K: Tensor, trusted: Tensor
) -> Iterator[Finding]:
    covered = slice(boxes.first, boxes.first + len(boxes))
    trusted = trusted[covered]
    pixels = (K[covered] @ root_c[covered, :, None])[..., 0]
    pixels = pixels[:, :2] / pixels[:, 2:].clamp(min=1e-6)
    distance = (pixels - boxes.rows[:, :2]).abs().amax(dim=1)
    beside = (distance > boxes.rows[:, 2]) & trusted
    if beside.sum() > 0.5 * trusted.sum():
        yield transl.error(
            f'the label projects beside the box {transl.count(beside)}: wrong camera, intrinsics, '
            'box or label'
        )


def _per_frame(field: Field, frames: int) -> Tensor:
    rows = field.rows
    return rows if rows.ndim == 3 else rows.expand(frames, *rows.shape)
