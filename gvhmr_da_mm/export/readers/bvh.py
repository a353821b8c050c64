"""Reader of BVH files whose skeleton is that of SMPL-X."""

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from ...core.conventions import BODY_JOINT_NAMES, PARENTS_22
from ...core.errors import DataError, list_some
from ...core.layout import NUM_BETAS
from ..bvh import CENTIMETRES_PER_METRE
from .stored_motion import Placement, StoredMotion

STATURE = (0.8, 2.6)
"""Plausible heights of a skeleton at rest, m: the unit of a file is the one that gives one."""
UNITS = (1.0, CENTIMETRES_PER_METRE, 1000.0)


@dataclass
class _Joint:
    name: str
    parent: int
    offset: np.ndarray
    channels: list[str] = field(default_factory=list)


def read_bvh(path: Path) -> list[StoredMotion]:
    """Read the person of a file, in the world only; the shape is that of its bones.

    Joints have the names of SMPL-X (``left_hip``) or of SMPL (``L_Hip``), in any case; others are
    passed over if they are leaves. The unit, metres, centimetres or millimetres, is the one in
    which the skeleton has a person's height.

    Args:
        path (Path): The file.

    Raises:
        DataError: If it is damaged, or its skeleton is another one.
    """
    try:
        text = path.read_text(encoding='utf-8')
        hierarchy, motion = text.split('MOTION', 1)
        joints = _hierarchy(hierarchy.split())
        interval, rows = _rows(motion)
    except (ValueError, IndexError, UnicodeDecodeError) as error:
        raise DataError(f'{path} should be a BVH file, but cannot be read: {error}') from error
    columns = sum(len(joint.channels) for joint in joints)
    if rows.shape[1:] != (columns,) or not len(rows) or not np.isfinite(rows).all():
        raise DataError(
            f'{path}: expected frames of {columns} numbers, as its hierarchy has channels, got '
            f'{rows.shape}'
        )
    order = _order(path, joints)
    offsets = np.stack([joints[index].offset for index in order])
    offsets[0] = 0
    scale = _scale(path, offsets)
    R, root = _pose(joints, rows)
    pose = Rotation.from_matrix(R[:, order].reshape(-1, 3, 3)).as_rotvec().reshape(len(rows), -1)
    return [
        StoredMotion(
            path=path,
            id=0,
            body='smplx',
            body_pose=pose[:, 3:],
            betas=np.zeros((len(rows), NUM_BETAS)),
            frames=np.arange(len(rows)),
            world=Placement(pose[:, :3], root / scale),
            rest_joints=_rest(offsets / scale),
            fps=1 / interval,
        )
    ]


def _hierarchy(words: list[str]) -> list[_Joint]:
    """Return the joints in the order of the file."""
    joints: list[_Joint] = []
    stack: list[int] = []
    place = 1 if words[:1] == ['HIERARCHY'] else _fail('it does not begin with HIERARCHY')
    current, in_end = -1, False
    while place < len(words):
        word = words[place]
        if word in ('ROOT', 'JOINT'):
            joints.append(_Joint(words[place + 1], stack[-1] if stack else -1, np.zeros(3)))
            current, place = len(joints) - 1, place + 2
        elif word == 'End':
            in_end, place = True, place + 2
        elif word == 'OFFSET':
            if not in_end:
                joints[current].offset = np.array([float(x) for x in words[place + 1 : place + 4]])
            place += 4
        elif word == 'CHANNELS':
            count = int(words[place + 1])
            joints[current].channels = words[place + 2 : place + 2 + count]
            place += 2 + count
        elif word == '{':
            stack.append(current)
            place += 1
        elif word == '}':
            stack.pop()
            in_end, place = False, place + 1
        else:
            _fail(f'unknown word {word!r}')
    return joints


def _rows(text: str) -> tuple[float, np.ndarray]:
    """Return the seconds per frame and the channels (F, C)."""
    found = re.match(r'\s*Frames:\s*(\d+)\s*Frame Time:\s*(\S+)', text)
    if not found or not float(found[2]) > 0:
        _fail('`Frames:` and a positive `Frame Time:` should follow MOTION')
    lines = [line.split() for line in text[found.end() :].splitlines() if line.strip()]
    if len(lines) != int(found[1]):
        _fail(f'`Frames:` says {found[1]}, and {len(lines)} lines follow')
    return float(found[2]), np.array(lines, dtype=np.float64)


def _fail(reason: str) -> int:
    raise ValueError(reason)


def _order(path: Path, joints: list[_Joint]) -> list[int]:
    """Return the index in the file of each of the 22 joints."""
    names = [_plain(joint.name) for joint in joints]
    missing = [name for name in BODY_JOINT_NAMES if name not in names]
    if missing:
        raise DataError(
            f'{path}: expected a skeleton with the joints of SMPL-X, without {list_some(missing)}; '
            f'got {list_some([joint.name for joint in joints])}. Skeletons with another rest pose '
            'have to be retargeted first'
        )
    order = [names.index(name) for name in BODY_JOINT_NAMES]
    for name, index, parent in zip(BODY_JOINT_NAMES, order, PARENTS_22):
        if joints[index].parent != (order[parent] if parent >= 0 else -1):
            raise DataError(
                f'{path}: the parent of joint {name} should be '
                f'{BODY_JOINT_NAMES[parent] if parent >= 0 else "none"}, as in SMPL-X'
            )
    return order


def _plain(name: str) -> str:
    """Return the name of a joint as this package has it."""
    name = re.sub(r'^[mf]_avg_', '', name.lower())
    return re.sub(r'^r_', 'right_', re.sub(r'^l_', 'left_', name))


def _rest(offsets: np.ndarray) -> np.ndarray:
    joints = np.zeros_like(offsets)
    for joint, parent in enumerate(PARENTS_22):
        if parent >= 0:
            joints[joint] = joints[parent] + offsets[joint]
    return joints


def _scale(path: Path, offsets: np.ndarray) -> float:
    """Return the numbers of the file per metre."""
    height = float(np.ptp(_rest(offsets)[:, 1]))
    fitting = [unit for unit in UNITS if STATURE[0] <= height / unit <= STATURE[1]]
    if not fitting:
        raise DataError(
            f'{path}: expected a skeleton of a person in metres, centimetres or millimetres, y up, '
            f'got one that is {height:g} high'
        )
    return fitting[0]


def _pose(joints: list[_Joint], rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return local rotations (F, J, 3, 3) and positions of the root (F, 3), in the file's unit."""
    R = np.tile(np.eye(3), (len(rows), len(joints), 1, 1))
    root = np.tile(joints[0].offset, (len(rows), 1))
    column = 0
    for index, joint in enumerate(joints):
        names = joint.channels
        values = rows[:, column : column + len(names)]
        column += len(names)
        turns = [position for position, name in enumerate(names) if name.endswith('rotation')]
        if turns:
            axes = ''.join(names[position][0] for position in turns)
            R[:, index] = Rotation.from_euler(axes, values[:, turns], degrees=True).as_matrix()
        if index == 0:
            for axis, name in enumerate(('Xposition', 'Yposition', 'Zposition')):
                if name in names:
                    root[:, axis] = values[:, names.index(name)]
    return R, root
