"""Export of a person as a skinned mesh, beside the camera."""

from pathlib import Path
from typing import Optional, Union

import torch

from ..body_models import get_body_model, make_body_rig
from ..core.conventions import FPS
from ..structures import PersonMotion
from .glb import write_glb
from .glb_camera import CameraTrack
from .skeleton_motion import person_skeleton
from .soles import put_on_soles

PathLike = Union[str, Path]


def write_person_glb(
    path: PathLike,
    person: PersonMotion,
    camera: Optional[CameraTrack] = None,
    space: str = 'world',
    on_soles: bool = True,
    fps: float = FPS,
    data_root: Optional[PathLike] = None,
) -> Path:
    """Write a mesh of the mean shape; see :func:`write_glb`.

    Args:
        path (str | Path): The GLB file; its folder is created.
        person (PersonMotion): The person, F frames.
        camera (CameraTrack, optional): The camera in the same space, F frames. Defaults to None.
        space (str): 'world' or 'camera'. Defaults to 'world'.
        on_soles (bool): Whether all is lifted until the soles are on the ground, see
            :func:`put_on_soles`. Defaults to True.
        fps (float): Frames per second. Defaults to 30.
        data_root (str | Path, optional): Data root of the body models.

    Raises:
        ConfigError: If the space is unknown.
        DataError: If the motion in the camera is unknown.
        MissingFilesError: If the body model is missing.
    """
    body = get_body_model('smplx', data_root=data_root)
    rig = make_body_rig(body, torch.from_numpy(person.betas).double().mean(dim=0).float())
    motion = person_skeleton(person, space, fps=fps)
    placed = put_on_soles(motion, rig) if on_soles else motion
    if camera is not None:
        camera = camera.shifted(placed.root[0] - motion.root[0])
    return write_glb(path, placed, rig, camera)
