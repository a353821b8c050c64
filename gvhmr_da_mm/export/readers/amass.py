"""Reader of motions in AMASS' format."""

from pathlib import Path

import numpy as np

from ...core.layout import SMPL_BODY_POSE
from ...fileio.amass_file import POSE_SIZES, read_arrays, read_header
from ..amass_npz import AMASS_UP
from .stored_motion import Placement, StoredFields, StoredMotion


def read_amass(path: Path) -> list[StoredMotion]:
    """Read the person of a file, in the world only; nothing in it is executed.

    Args:
        path (Path): An ``.npz`` with ``poses`` of SMPL-X, SMPL+H or SMPL, ``trans``, ``betas`` and
            ``mocap_frame_rate``; z up.

    Raises:
        DataError: If a field is missing or invalid.
    """
    header = read_header(path, POSE_SIZES.values())
    arrays = {name: value.double().numpy() for name, value in read_arrays(path).items()}
    body_pose = arrays['poses'][:, 3:]
    if header.body != 'smplx':  # SMPL+H has the body of SMPL; hands are at rest.
        body_pose = np.pad(body_pose, ((0, 0), (0, SMPL_BODY_POSE - body_pose.shape[1])))
    frames, first, further = len(body_pose), 0, {}
    with np.load(path, allow_pickle=False) as archive:
        if 'first_frame' in archive.files:  # One of our own files.
            fields = StoredFields(path, dict(archive), 'AMASS')
            first = int(fields.array('first_frame'))
            further = {name: fields.array(name, frames) for name in ('seen', 'confidence')}
    return [
        StoredMotion(
            path=path,
            id=0,
            body='smplx' if header.body == 'smplx' else 'smpl',
            body_pose=body_pose,
            betas=np.tile(arrays['betas'], (frames, 1)),
            frames=np.arange(frames) + first,
            world=Placement(arrays['poses'][:, :3], arrays['trans']),
            up=AMASS_UP,
            gender=header.gender,
            fps=header.frame_rate,
            fields=further,
        )
    ]
