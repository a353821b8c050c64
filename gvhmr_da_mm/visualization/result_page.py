"""Interactive page of the people of a result."""

from pathlib import Path

import torch

from ..body_models import get_body_model, make_body_rig
from ..core.rotation import axis_angle_to_matrix
from ..registry.arguments import checks_flags
from ..structures import MotionResult
from ..structures.motion_result import RESULT_WRITERS
from .html_viewer import PageBody, global_rotations, write_page
from .palette import CAMERA, person_colour
from .result_tracks import over_video, result_tracks
from .viewpoint import with_viewpoint


@RESULT_WRITERS.register_module('html')
@checks_flags
def write_result_page(path: Path, result: MotionResult, with_mesh: bool = True) -> list[Path]:
    """Write an interactive page of all people in their world, see :func:`write_html_viewer`.

    Args:
        path (Path): The HTML file.
        result (MotionResult): With motions in the camera, or in the world alone: then the page
            begins in front of the people, and no camera is drawn.
        with_mesh (bool): Add meshes to the skeletons. Defaults to True.

    Returns:
        list[Path]: The file.

    Raises:
        DataError: If there is nobody, or the motion in the camera is known of some people only.
        MissingFilesError: If there is no body model.
    """
    result.person_paths(path)  # Raises if there is nobody.
    has_camera = any(person.in_camera for person in result.people.values())
    result = with_viewpoint(result)
    body = get_body_model('smplx', data_root=result.data_root) if with_mesh else None
    bodies = []
    for number, track in result_tracks(result, with_mesh=False).items():
        person = result.people[number]
        R_root = axis_angle_to_matrix(torch.from_numpy(person.global_orient_c).double())
        R_c = over_video(result, person, global_rotations(R_root, person.body_pose))
        betas = torch.from_numpy(person.betas).float().mean(dim=0)
        rig = None if body is None else make_body_rig(body, betas)
        colour = person_colour(number)
        bodies.append(
            PageBody(
                f'person {number}',
                track,
                R_c,
                rig,
                colour,
                CAMERA,
                truth=False,
                has_camera=has_camera,
            )
        )
    return [write_page(path, result.name, bodies)]
