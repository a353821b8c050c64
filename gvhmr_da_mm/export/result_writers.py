"""Writers of results by the ending of the file."""

from pathlib import Path
from typing import Optional

import torch

from ..registry.arguments import checks_flags
from ..structures import MotionResult
from ..structures.motion_result import RESULT_WRITERS
from .amass_npz import write_amass_npz
from .bvh import CENTIMETRES_PER_METRE, write_bvh
from .glb_camera import CameraTrack
from .hmr4d_results import write_hmr4d_results
from .person_glb import write_person_glb
from .result_summary import write_result_summary
from .skeleton_motion import person_skeleton


@RESULT_WRITERS.register_module('npz')
def write_result_npz(
    path: Path,
    result: MotionResult,
    space: str = 'world',
    up: Optional[str] = None,
    body: str = 'smplx',
) -> list[Path]:
    """Write parameters as AMASS does, a file for each person; see :func:`write_amass_npz`."""
    options = dict(space=space, up=up, body=body, fps=result.fps, data_root=result.data_root)
    return [write_amass_npz(file, person, **options) for file, person in result.person_paths(path)]


@RESULT_WRITERS.register_module('pt')
def write_result_pt(path: Path, result: MotionResult) -> list[Path]:
    """Write ``hmr4d_results.pt``, a file for each person; see :func:`write_hmr4d_results`."""
    K = None if result.camera is None else result.camera.K
    return [
        write_hmr4d_results(file, person, K, result.fps, result.facts)
        for file, person in result.person_paths(path)
    ]


@RESULT_WRITERS.register_module('json')
@checks_flags
def write_result_json(path: Path, result: MotionResult, joints: bool = False) -> list[Path]:
    """Write a summary; see :func:`write_result_summary`."""
    return [write_result_summary(path, result, joints)]


@RESULT_WRITERS.register_module('bvh')
def write_result_bvh(
    path: Path, result: MotionResult, space: str = 'world', scale: float = CENTIMETRES_PER_METRE
) -> list[Path]:
    """Write skeletons, a file for each person; see :func:`write_bvh`."""
    return [
        write_bvh(file, person_skeleton(person, space, fps=result.fps), scale)
        for file, person in result.person_paths(path)
    ]


@RESULT_WRITERS.register_module('glb')
def write_result_glb(path: Path, result: MotionResult) -> list[Path]:
    """Write meshes and the camera, a file for each person; see :func:`write_person_glb`."""
    files = []
    for file, person in result.person_paths(path):
        camera = None
        if result.camera is not None:
            T_w2c, K = (torch.from_numpy(x) for x in (result.camera.T_w2c, result.camera.K))
            camera = CameraTrack(T_w2c[person.frames].double(), K, result.size)
        options = dict(fps=result.fps, data_root=result.data_root)
        files.append(write_person_glb(file, person, camera, **options))
    return files
