"""Reader of ``hps_track_*.npy`` and ``camera.npy``, the results of TRAM."""

import re
from pathlib import Path
from typing import Any, Optional

import numpy as np
import torch

from ...core.extrinsics import rigid_transform
from ...core.layout import NUM_BETAS
from ...core.rotation import matrix_to_axis_angle
from ...fileio.result_pickle import load_result_pickle
from .stored_motion import Placement, StoredFields, StoredMotion

KIND = 'TRAM (hps_track_*.npy)'
TRACKS = 'hps_track_*.npy'
CAMERA_FILE = 'camera.npy'


def tram_tracks(folder: Path) -> list[Path]:
    """Return the files of people in a folder of TRAM's results, or in its ``hps``; sorted."""
    found = list(folder.glob(TRACKS)) or list(folder.glob(f'hps/{TRACKS}'))
    return sorted(found, key=_number)


def read_tram(path: Path) -> list[StoredMotion]:
    """Read the person of a file, and the camera beside it; no code in them can run.

    The world is that of ``world_cam_R`` and ``world_cam_T``, camera to world, y up.

    Args:
        path (Path): A file of a person. ``camera.npy`` is looked for in its folder and the one
            above; without it the motion is known in the camera only.

    Raises:
        DataError: If a field is missing or invalid.
    """
    fields = StoredFields(path, load_result_pickle(path), KIND)
    R = torch.from_numpy(fields.array('pred_rotmat', None, 24, 3, 3))
    count = len(R)
    pose = matrix_to_axis_angle(R).flatten(1).numpy()
    numbers = fields.frames('frame', count)
    return [
        StoredMotion(
            path=path,
            id=_number(path),
            body='smpl',
            body_pose=pose[:, 3:],
            betas=fields.array('pred_shape', count, NUM_BETAS),
            frames=numbers,
            camera=Placement(pose[:, :3], fields.array('pred_trans', count, 1, 3)[:, 0]),
            **_camera(path, numbers),
        )
    ]


def _camera(path: Path, numbers: np.ndarray) -> dict[str, Any]:
    """Return the camera of the frames."""
    file = _camera_file(path)
    if file is None:
        return {}
    fields = StoredFields(file, load_result_pickle(file), f'TRAM ({CAMERA_FILE})')
    R = fields.array('world_cam_R', None, 3, 3)
    T = fields.array('world_cam_T', len(R), 3)
    if numbers.size and numbers[-1] >= len(R):
        raise fields.error('world_cam_R', f'frames up to {numbers[-1]}', f'{len(R)} frames')
    K = np.eye(3)
    K[[0, 1], [0, 1]] = float(fields.array('img_focal'))
    K[:2, 2] = fields.array('img_center', 2)
    T_c2w = rigid_transform(torch.from_numpy(R[numbers]), torch.from_numpy(T[numbers]))
    return dict(T_c2w=T_c2w.numpy(), K=K)


def _camera_file(path: Path) -> Optional[Path]:
    places = (path.parent / CAMERA_FILE, path.parent.parent / CAMERA_FILE)
    return next((place for place in places if place.is_file()), None)


def _number(path: Path) -> int:
    found = re.search(r'(\d+)$', path.stem)
    return int(found[1]) if found else 0
