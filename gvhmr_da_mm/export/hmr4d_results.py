"""Export in the layout in which GVHMR publishes its results, ``hmr4d_results.pt``."""

import io
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np
import torch

from ..core.conventions import FPS
from ..core.errors import DataError
from ..fileio.atomic_file import write_atomically
from ..structures import PersonMotion
from .person_parameters import person_parameters

OWN_FIELDS = 'gvhmr_da_mm'
"""Key of the fields that are not of the published layout."""
_STORED = ('seen', 'confidence', 'joints_w', 'contacts', 'keypoints', 'bbx_xys')


def write_hmr4d_results(
    path: Union[str, Path],
    person: PersonMotion,
    K: Optional[np.ndarray],
    fps: float = FPS,
    facts: Optional[dict[str, Any]] = None,
) -> Path:
    """Write ``smpl_params_global`` (y up), ``smpl_params_incam`` and ``K_fullimg``.

    Both groups are SMPL-X ``body_pose`` (F, 63), ``betas`` (F, 10), ``global_orient`` and
    ``transl`` (F, 3). Further fields are below :data:`OWN_FIELDS`.

    Args:
        path (str | Path): The pt file; its folder is created.
        person (PersonMotion): The person, F frames.
        K (np.ndarray, optional): Intrinsics (3, 3), px.
        fps (float): Frames per second. Defaults to 30.
        facts (dict, optional): Plain values that are stored too. Defaults to None.

    Returns:
        Path: The file.

    Raises:
        DataError: If the camera is unknown.
    """
    path = Path(path)
    if K is None:
        raise DataError(f'{path} needs the camera, which is unknown: use .npz, .bvh or .glb')
    groups = {}
    for name, space in dict(smpl_params_global='world', smpl_params_incam='camera').items():
        parameters = person_parameters(person, space)
        parameters['betas'] = np.tile(parameters['betas'], (len(person), 1))
        groups[name] = {key: torch.from_numpy(value) for key, value in parameters.items()}
    arrays = person.arrays()
    own = {name: torch.from_numpy(arrays[name].copy()) for name in _STORED if name in arrays}
    own.update(id=person.id, first_frame=person.first_frame, fps=float(fps), facts=facts or {})
    intrinsics = torch.from_numpy(np.asarray(K, np.float32)).expand(len(person), 3, 3).clone()
    content = io.BytesIO()
    torch.save(dict(groups, K_fullimg=intrinsics, **{OWN_FIELDS: own}), content)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, content.getvalue())
    return path
