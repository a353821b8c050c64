"""Boxes and labels of a recorded motion that a virtual camera films."""

import numpy as np
import torch
from torch import Tensor

from ...core.camera import box_from_xyxy, clamp_depth, perspective_project, transform_smpl
from ...core.conventions import GRAVITY_Y_UP
from ...core.gravity_view import gravity_view_rotation
from .mocap_body import MocapBody
from .motion import Motion
from .virtual_camera import CameraTrajectory

BOX_SCALE = (1.05, 1.35)
"""Range of the side of a detected box over that of the body (GVHMR, Sec. 4.1)."""
BOX_SHIFT = 0.8
"""Largest shift of the box, as a share of its margin."""


def draw_box(
    body: MocapBody,
    motion: Motion,
    betas: Tensor,
    camera: CameraTrajectory,
    rng: np.random.Generator,
) -> Tensor:
    """Draw boxes around the visible body, as loose as those of a detector.

    Args:
        body (MocapBody): The body.
        motion (Motion): F frames of it.
        betas (Tensor): Its shape (10,).
        camera (CameraTrajectory): The camera.
        rng (Generator): Source of all randomness; one draw serves all frames.

    Returns:
        Tensor: Boxes (F, 3), centre and side in pixels.
    """
    points = body.pose(motion.matrices, motion.pelvis, betas)
    R, shift = camera.T_w2c[:, :3, :3], camera.T_w2c[:, None, :3, 3]
    pixels = perspective_project(clamp_depth(points @ R.transpose(1, 2) + shift), camera.K)
    size = torch.tensor(camera.img_wh, dtype=pixels.dtype)
    corners = torch.cat(pixels.aminmax(dim=1), dim=1)
    tight = box_from_xyxy(corners.clamp(min=0).minimum(size.repeat(2)), enlarge=1.0)
    scale = float(rng.uniform(*BOX_SCALE))
    slack = (scale - 1) / 2 * tight[:, 2:]
    aside = torch.from_numpy(rng.uniform(-BOX_SHIFT, BOX_SHIFT, 2)).float()
    return torch.cat((tight[:, :2] + slack * aside, tight[:, 2:] * scale), dim=1)


def camera_labels(motion: Motion, betas: Tensor, camera: CameraTrajectory) -> dict[str, Tensor]:
    """Return the labels of a training clip.

    Args:
        motion (Motion): F frames, of a body with these betas.
        betas (Tensor): Shape (10,), neutral SMPL-X.
        camera (CameraTrajectory): The camera.

    Returns:
        dict[str, Tensor]: ``body_pose`` (F, 63), ``betas`` (F, 10), ``global_orient_c``,
        ``transl_c``, ``global_orient_w``, ``transl_w`` (F, 3), ``R_c2gv`` (F, 3, 3).
    """
    poses = motion.axis_angle
    orient, transl = poses[:, :3], motion.pelvis - motion.skeleton[0]
    orient_c, transl_c = transform_smpl(orient, transl, camera.T_w2c, motion.skeleton[0])
    return dict(
        body_pose=poses[:, 3:],
        betas=betas.expand(len(motion), -1),
        global_orient_c=orient_c,
        transl_c=transl_c,
        global_orient_w=orient,
        transl_w=transl,
        R_c2gv=gravity_view_rotation(camera.T_w2c[:, :3, :3], GRAVITY_Y_UP),
    )
