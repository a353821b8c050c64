"""Reader of ``wham_output.pkl``, the results of WHAM."""

from pathlib import Path

from ...core.layout import NUM_BETAS, SMPL_BODY_POSE
from ...fileio.result_pickle import load_result_pickle
from .stored_motion import Placement, StoredFields, StoredMotion

KIND = 'WHAM (wham_output.pkl)'


def read_wham(path: Path) -> list[StoredMotion]:
    """Read the people of a file; no code in it can run.

    The world has y up. Intrinsics are not stored.

    Args:
        path (Path): A file of WHAM's demo: person to ``pose``, ``trans`` (camera), ``pose_world``,
            ``trans_world``, ``betas`` and ``frame_ids``.

    Raises:
        DataError: If a field is missing or invalid.
    """
    fields = StoredFields(path, load_result_pickle(path), KIND)
    return [_person(fields.nested(key), number) for number, key in enumerate(fields.content)]


def _person(fields: StoredFields, number: int) -> StoredMotion:
    columns = 3 + SMPL_BODY_POSE
    pose = fields.array('pose', None, columns)
    frames = len(pose)
    pose_w = fields.array('pose_world', frames, columns)
    return StoredMotion(
        path=fields.path,
        id=number,
        body='smpl',
        body_pose=pose[:, 3:],
        betas=fields.array('betas', frames, NUM_BETAS),
        frames=fields.frames('frame_ids', frames),
        camera=Placement(pose[:, :3], fields.array('trans', frames, 3)),
        world=Placement(pose_w[:, :3], fields.array('trans_world', frames, 3)),
    )
