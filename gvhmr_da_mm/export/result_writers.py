"""Writers of results by the ending of the file."""

from pathlib import Path

import torch

from ..body_models import get_body_model, make_body_rig
from ..structures import MotionResult, person_dump
from ..structures.motion_result import RESULT_WRITERS
from .bvh import CENTIMETRES_PER_METRE, write_bvh
from .glb import write_glb
from .skeleton_motion import mean_betas, predicted_motion
from .smplx_npz import write_smplx_npz
from .soles import put_on_soles


@RESULT_WRITERS.register_module('npz')
def write_result_npz(path: Path, result: MotionResult, space: str = 'world') -> list[Path]:
    """Write SMPL-X parameters, a file for each person; see :func:`write_smplx_npz`."""
    return [
        write_smplx_npz(file, person_dump(result, person), space)
        for file, person in result.person_paths(path)
    ]


@RESULT_WRITERS.register_module('bvh')
def write_result_bvh(
    path: Path, result: MotionResult, space: str = 'world', scale: float = CENTIMETRES_PER_METRE
) -> list[Path]:
    """Write skeletons, a file for each person; see :func:`write_bvh`."""
    return [
        write_bvh(file, predicted_motion(person_dump(result, person), space), scale)
        for file, person in result.person_paths(path)
    ]


@RESULT_WRITERS.register_module('glb')
def write_result_glb(path: Path, result: MotionResult) -> list[Path]:
    """Write skinned meshes in the world, a file for each person; see :func:`write_glb`."""
    body = get_body_model('smplx', data_root=result.data_root)
    files = []
    for file, person in result.person_paths(path):
        dump = person_dump(result, person)
        rig = make_body_rig(body, torch.from_numpy(mean_betas(dump)).float())
        files.append(write_glb(file, put_on_soles(predicted_motion(dump), rig), rig))
    return files
