"""Export to BVH: a skeleton and its motion, without a mesh."""

from collections.abc import Iterator
from pathlib import Path
from typing import Union

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from ..core.checks import check_positive
from ..core.conventions import BODY_JOINT_NAMES, PARENTS_22
from ..fileio.atomic_file import write_atomically
from .skeleton_motion import SkeletonMotion

CENTIMETRES_PER_METRE = 100.0
"""BVH has no unit; programs read the numbers as centimetres."""
TIP_OFFSETS = {
    'head': (0.0, 0.15, 0.0),
    'left_foot': (0.0, 0.0, 0.08),
    'right_foot': (0.0, 0.0, 0.08),
}
"""Rest positions of the ends of the last bones relative to their joints (3,), m."""
TIP_LENGTH = 0.15
"""Length of the other last bones, which continue those of their parents, m."""
ROTATION_CHANNELS = 'Zrotation Xrotation Yrotation'
EULER_ORDER = 'ZXY'
"""The middle axis has the gimbal lock, at 90 degrees: rarer in pitch (x) than in yaw (y)."""


def write_bvh(
    path: Union[str, Path], motion: SkeletonMotion, scale: float = CENTIMETRES_PER_METRE
) -> Path:
    """Write a BVH file.

    Args:
        path (str | Path): The file; its folder is created.
        motion (SkeletonMotion): The motion, F frames.
        scale (float): Numbers of the file per metre. Defaults to 100, centimetres.

    Returns:
        Path: The file.

    Raises:
        ConfigError: If the scale is not positive.
    """
    check_positive(scale=scale)
    path = Path(path)
    offsets = motion.offsets.numpy() * scale
    lines = ['HIERARCHY', *_joint(0, offsets, scale), 'MOTION']
    lines += [f'Frames: {len(motion)}', f'Frame Time: {1 / motion.fps:.8f}']
    lines += (' '.join(f'{value:.6f}' for value in row) for row in _channels(motion, scale))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, ('\n'.join(lines) + '\n').encode('ascii'))
    return path


def depth_first(joint: int = 0) -> Iterator[int]:
    """Yield the joints in the order in which BVH lists them."""
    yield joint
    for child in _children(joint):
        yield from depth_first(child)


def _children(joint: int) -> list[int]:
    return [child for child, parent in enumerate(PARENTS_22) if parent == joint]


def _joint(joint: int, offsets: np.ndarray, scale: float, depth: int = 0) -> Iterator[str]:
    """Yield the lines of a joint and its descendants."""
    indent, name = '\t' * depth, BODY_JOINT_NAMES[joint]
    yield f'{indent}{"JOINT" if depth else "ROOT"} {name}'
    yield f'{indent}{{'
    yield f'{indent}\tOFFSET {_numbers(offsets[joint])}'
    if depth:
        yield f'{indent}\tCHANNELS 3 {ROTATION_CHANNELS}'
    else:
        yield f'{indent}\tCHANNELS 6 Xposition Yposition Zposition {ROTATION_CHANNELS}'
    children = _children(joint)
    for child in children:
        yield from _joint(child, offsets, scale, depth + 1)
    if not children:
        yield f'{indent}\tEnd Site'
        yield f'{indent}\t{{'
        yield f'{indent}\t\tOFFSET {_numbers(_tip(joint, offsets, scale))}'
        yield f'{indent}\t}}'
    yield f'{indent}}}'


def _tip(joint: int, offsets: np.ndarray, scale: float) -> np.ndarray:
    fixed = TIP_OFFSETS.get(BODY_JOINT_NAMES[joint])
    if fixed is not None:
        return np.array(fixed) * scale
    length = np.linalg.norm(offsets[joint])
    return offsets[joint] / max(length, 1e-9) * TIP_LENGTH * scale


def _channels(motion: SkeletonMotion, scale: float) -> np.ndarray:
    """Return the motion (F, 3 + 3 * 22): scaled root positions, Euler angles of all joints, deg."""
    order = list(depth_first())
    R = motion.R_local[:, order].reshape(-1, 3, 3).numpy()
    degrees = Rotation.from_matrix(R).as_euler(EULER_ORDER, degrees=True)
    degrees = unwrap_euler(degrees.reshape(len(motion), len(order), 3)).reshape(len(motion), -1)
    return torch.cat((motion.root * scale, torch.from_numpy(degrees)), dim=1).numpy()


def unwrap_euler(degrees: np.ndarray) -> np.ndarray:
    """Return Euler angles of the same rotations that change as little as possible over time.

    Programs interpolate each angle by itself, so a jump of an angle makes the body jump between two
    frames. Each rotation has two triples of angles about three different axes, up to full turns.

    Args:
        degrees (np.ndarray): Angles (F, J, 3) in the order of :data:`EULER_ORDER`, deg.

    Returns:
        np.ndarray: Angles (F, J, 3), deg; those of the first frame unchanged.
    """
    flipped = degrees * [1, -1, 1] + 180
    triples = np.stack((degrees, flipped))
    unwrapped = degrees.copy()
    for frame in range(1, len(degrees)):
        last = unwrapped[frame - 1]
        near = triples[:, frame] + 360 * np.round((last - triples[:, frame]) / 360)
        nearest = np.square(near - last).sum(axis=-1).argmin(axis=0)
        unwrapped[frame] = np.where(nearest[:, None] == 0, near[0], near[1])
    return unwrapped


def _numbers(values: np.ndarray) -> str:
    return ' '.join(f'{value:.6f}' for value in values)
