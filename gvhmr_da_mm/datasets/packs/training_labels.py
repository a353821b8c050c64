"""Labels of our own packs as training items carry them."""

from torch import Tensor

from ...core.conventions import GRAVITY_Y_UP
from ...core.gravity_view import gravity_view_rotation
from ..pack_io import PackRecord

_SHAPES = dict(body_pose='F 63', betas='F 10', global_orient='F 3', transl='F 3')


def world_training_labels(
    record: PackRecord, T_w2c: Tensor, start: int, end: int, first: int = 0
) -> dict[str, Tensor]:
    """Read neutral SMPL-X labels of a y-up world and of the camera (full supervision).

    Note:
        L: ``end - start``.

    Args:
        record (PackRecord): Sequence with ``smplx_params`` and ``smplx_params_incam``.
        T_w2c (Tensor): Its cameras (L, 4, 4).
        start (int): First frame, as the video counts.
        end (int): One past the last frame.
        first (int): Frame that row 0 belongs to. Defaults to 0.

    Returns:
        dict[str, Tensor]: ``body_pose`` (L, 63), ``betas`` (L, 10), ``global_orient_c``,
        ``transl_c``, ``global_orient_w``, ``transl_w`` (L, 3), ``R_c2gv`` (L, 3, 3).
    """
    world, camera = record.nested('smplx_params'), record.nested('smplx_params_incam')

    def rows(parameters: PackRecord, key: str) -> Tensor:
        return parameters.rows(key, _SHAPES[key], start, end, first)

    return dict(
        body_pose=rows(world, 'body_pose'),
        betas=rows(world, 'betas'),
        global_orient_c=rows(camera, 'global_orient'),
        transl_c=rows(camera, 'transl'),
        global_orient_w=rows(world, 'global_orient'),
        transl_w=rows(world, 'transl'),
        R_c2gv=gravity_view_rotation(T_w2c[:, :3, :3], GRAVITY_Y_UP),
    )
