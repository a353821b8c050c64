"""Reader of ``hmr4d_results.pt``, the results of GVHMR."""

import pickle
from pathlib import Path

import numpy as np

from ...core.errors import DataError
from ...core.layout import NUM_BETAS, NUM_BODY_JOINTS
from ...fileio.tensor_file import load_tensor_file
from ..hmr4d_results import OWN_FIELDS
from .stored_motion import Placement, StoredFields, StoredMotion

KIND = 'GVHMR (hmr4d_results.pt)'


def read_hmr4d_results(path: Path) -> list[StoredMotion]:
    """Read the person of a file; no code in it can run.

    Args:
        path (Path): A file of GVHMR, or of :func:`~gvhmr_da_mm.export.write_hmr4d_results`.

    Raises:
        DataError: If a field is missing or invalid.
    """
    try:
        content = load_tensor_file(path)
    except DataError:
        raise
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise DataError(
            f'{path} should be a file of torch.save with tensors only, as {KIND}; it was not '
            f'loaded, and nothing in it was run: {reason}'
        ) from error
    fields = StoredFields(path, content, KIND)
    camera, world = (fields.nested(f'smpl_params_{name}') for name in ('incam', 'global'))
    body_pose = camera.array('body_pose', None, 3 * NUM_BODY_JOINTS)
    frames = len(body_pose)
    motion = dict(
        path=path,
        id=0,
        body='smplx',
        body_pose=body_pose,
        betas=camera.array('betas', frames, NUM_BETAS),
        frames=np.arange(frames),
        camera=_placement(camera, frames),
        world=_placement(world, frames),
        K=fields.array('K_fullimg', frames, 3, 3)[0],
    )
    pose_w = world.array('body_pose', frames, 3 * NUM_BODY_JOINTS)
    further = {} if np.array_equal(pose_w, body_pose) else dict(body_pose_w=pose_w)
    if OWN_FIELDS in fields:
        own = fields.nested(OWN_FIELDS)
        motion.update(
            id=int(own.array('id')),
            frames=np.arange(frames) + int(own.array('first_frame')),
            fps=float(own.array('fps')),
        )
        known = ('seen', 'confidence', 'joints_w', 'contacts', 'keypoints', 'bbx_xys')
        shapes = dict(joints_w=(None, 3), contacts=(6,), keypoints=(17, 3), bbx_xys=(3,))
        for name in known:
            if name in own:
                further[name] = own.array(name, frames, *shapes.get(name, ()))
    return [StoredMotion(**motion, fields=further)]


def _placement(fields: StoredFields, frames: int) -> Placement:
    return Placement(*(fields.array(name, frames, 3) for name in ('global_orient', 'transl')))
