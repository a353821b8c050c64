"""Pinhole cameras, person boxes and the weak-perspective camera of the network (GVHMR, Sec. 3.3).

Note:
    Shape letters: ... any leading dimensions, N points, F frames. A box ``bbx_xys`` is
    (centre x, centre y, side) in pixels; an intrinsic matrix K is (3, 3) in pixels; points are in
    camera coordinates in metres unless named otherwise. K and boxes broadcast over the leading
    dimensions of the points.
"""

from typing import Optional, Union

import torch
from torch import Tensor

from .conventions import NEAR_DEPTH
from .extrinsics import rigid_transform
from .rotation import axis_angle_to_matrix, matrix_to_axis_angle, matrix_to_rot6d
from .small_matrices import small_matmul

PERSON_ASPECT = 192 / 256
"""Width to height of the crops keypoint detectors are trained on."""
WEAK_CAMERA_EPS = 1e-9
"""Added to a divisor, so that a scale of zero gives finite translations."""


def estimate_intrinsics(
    width: Union[int, Tensor],
    height: Union[int, Tensor],
    dtype: Optional[torch.dtype] = None,
) -> Tensor:
    """Return K (3, 3) of an unknown camera: focal length = image diagonal, centred axis."""
    width, height = float(width), float(height)
    focal = (width**2 + height**2) ** 0.5
    return torch.tensor([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]], dtype=dtype)


def intrinsics_from_sensor(
    width: int, height: int, focal_mm: float = 24.0, dtype: Optional[torch.dtype] = None
) -> Tensor:
    """Return K (3, 3) of a full-frame (36 x 24 mm) lens of the given focal length in mm."""
    intrinsics = estimate_intrinsics(width, height, dtype)
    scale = focal_mm / (24.0**2 + 36.0**2) ** 0.5
    intrinsics[[0, 1], [0, 1]] *= scale
    return intrinsics


def perspective_project(points: Tensor, K: Tensor) -> Tensor:
    """Project points (..., N, 3) with K (..., 3, 3) to pixels (..., N, 2); depth is not checked."""
    normalized = points / points[..., 2:]
    return small_matmul(normalized, K.transpose(-1, -2))[..., :2]


def in_image(pixels: Tensor, img_wh: Tensor) -> Tensor:
    """Return which pixels (..., 2) lie in images of size (..., 2), bool (...)."""
    return ((pixels >= 0) & (pixels <= img_wh)).all(dim=-1)


def clamp_depth(points: Tensor, near: float = NEAR_DEPTH) -> Tensor:
    """Raise the depth of points (..., 3) to at least ``near`` metres, keeping x and y."""
    return torch.cat((points[..., :2], points[..., 2:].clamp(min=near)), dim=-1)


def to_box_coordinates(pixels: Tensor, bbx_xys: Tensor) -> Tensor:
    """Express pixels (..., N, 2) relative to their box (..., 3): 0 to 1 from corner to corner."""
    size = bbx_xys[..., None, 2:]
    return (pixels - bbx_xys[..., None, :2] + size / 2) / size


def project_to_box(points: Tensor, K: Tensor, bbx_xys: Tensor) -> Tensor:
    """Project points (..., N, 3) to box coordinates (..., N, 2), 0 to 1 inside the box."""
    return to_box_coordinates(perspective_project(points, K), bbx_xys)


def normalize_keypoints(kp2d: Tensor, bbx_xys: Tensor, min_size: Optional[float] = None) -> Tensor:
    """Express keypoints relative to the box, -1 to 1 inside (GVHMR, Sec. 3.3).

    Args:
        kp2d (Tensor): Pixels and confidence (..., N, 3).
        bbx_xys (Tensor): Boxes (..., 3).
        min_size (float, optional): Smallest side in pixels to divide by. Defaults to None.

    Returns:
        Tensor: Shape (..., N, 3); the confidence is 0 strictly outside the box.
    """
    centre, size = bbx_xys[..., None, :2], bbx_xys[..., None, 2:]
    divisor = size if min_size is None else size.clamp(min=min_size)
    inside = ((kp2d[..., :2] - centre).abs() <= size / 2).all(dim=-1, keepdim=True)
    xy = 2 * (kp2d[..., :2] - centre) / divisor
    return torch.cat((xy, kp2d[..., 2:] * inside), dim=-1)


def _fit_box(low: Tensor, high: Tensor, ratio: float, enlarge: float) -> Tensor:
    """Enclose corners (..., 2) in boxes of a width-to-height ratio, and these in squares."""
    width, height = (high - low).unbind(-1)
    # The smaller side grows, so the larger of the two grown sides is the square's.
    size = torch.maximum(torch.maximum(width, height * ratio), torch.maximum(height, width / ratio))
    return torch.cat(((low + high) / 2, size[..., None] * enlarge), dim=-1)


def box_from_points(points: Tensor, ratio: float = PERSON_ASPECT, enlarge: float = 1.2) -> Tensor:
    """Return boxes (..., 3) around pixels (..., N, 2)."""
    return _fit_box(points.amin(dim=-2), points.amax(dim=-2), ratio, enlarge)


def box_from_xyxy(xyxy: Tensor, ratio: float = PERSON_ASPECT, enlarge: float = 1.2) -> Tensor:
    """Return boxes (..., 3) for corners (..., 4) left, top, right, bottom."""
    return _fit_box(xyxy[..., :2], xyxy[..., 2:], ratio, enlarge)


def box_to_xyxy(bbx_xys: Tensor) -> Tensor:
    """Return the corners (..., 4) left, top, right, bottom of square boxes (..., 3)."""
    half = bbx_xys[..., 2:] / 2
    return torch.cat((bbx_xys[..., :2] - half, bbx_xys[..., :2] + half), dim=-1)


def cliff_condition(bbx_xys: Tensor, K: Tensor) -> Tensor:
    """Return CLIFF's condition (..., 3) of a box: (centre - principal point, side) / focal length.

    Source: CLIFF (Li et al., ECCV 2022), Sec. 3; GVHMR, Sec. 3.3.
    """
    focal = K[..., 0, 0, None]
    return torch.cat((bbx_xys[..., :2] - K[..., :2, 2], bbx_xys[..., 2:]), dim=-1) / focal


def translation_from_weak_camera(pred_cam: Tensor, bbx_xys: Tensor, K: Tensor) -> Tensor:
    """Convert weak-perspective cameras (s, tx, ty) (..., 3) of a box to metric translations.

    Returns:
        Tensor: Camera-space translation (..., 3) in metres.
    """
    scale, shift = pred_cam[..., :1], pred_cam[..., 1:]
    divisor = scale * bbx_xys[..., 2:] + WEAK_CAMERA_EPS
    xy = shift + 2 * (bbx_xys[..., :2] - K[..., :2, 2]) / divisor
    return torch.cat((xy, 2 * K[..., 0, 0, None] / divisor), dim=-1)


def weak_camera_from_translation(transl: Tensor, bbx_xys: Tensor, K: Tensor) -> Tensor:
    """Invert :func:`translation_from_weak_camera`; infinite where depth or box size is zero."""
    depth, focal = transl[..., 2:], K[..., 0, 0, None]
    scale = 2 * focal / (depth * bbx_xys[..., 2:])
    shift = transl[..., :2] - depth / focal * (bbx_xys[..., :2] - K[..., :2, 2])
    return torch.cat((scale, shift), dim=-1)


def camera_angular_velocity(R_w2c: Tensor) -> Tensor:
    """Return the rotation from each camera to the next in 6D.

    Args:
        R_w2c (Tensor): World-to-camera rotations (..., F, 3, 3).

    Returns:
        Tensor: Shape (..., F, 6), 6D of ``R_w2c[t+1] @ R_w2c[t].T``; the last value is repeated
        (the identity for a single frame).
    """
    if R_w2c.shape[-3] == 1:
        relative = torch.eye(3, dtype=R_w2c.dtype, device=R_w2c.device).expand_as(R_w2c)
        return matrix_to_rot6d(relative)
    relative = R_w2c[..., 1:, :, :] @ R_w2c[..., :-1, :, :].transpose(-1, -2)
    return matrix_to_rot6d(torch.cat((relative, relative[..., -1:, :, :]), dim=-3))


def transform_smpl(
    global_orient: Tensor, transl: Tensor, transform: Tensor, offset: Tensor
) -> tuple[Tensor, Tensor]:
    """Move a body rigidly; as SMPL turns about its root joint, the root's offset is needed.

    Args:
        global_orient (Tensor): Axis-angle (..., 3).
        transl (Tensor): Metres (..., 3).
        transform (Tensor): Homogeneous transforms (..., 4, 4), e.g. world to camera.
        offset (Tensor): Rest position of the root joint (..., 3), ``skeleton(betas)[0]``.

    Returns:
        tuple[Tensor, Tensor]: Axis-angle (..., 3) and translation (..., 3) in the new frame.
    """
    rotation, shift = transform[..., :3, :3], transform[..., :3, 3]
    moved = (rotation @ (transl + offset)[..., None])[..., 0] + shift - offset
    return matrix_to_axis_angle(rotation @ axis_angle_to_matrix(global_orient)), moved


def smpl_camera_extrinsics(
    global_orient_w: Tensor,
    transl_w: Tensor,
    global_orient_c: Tensor,
    transl_c: Tensor,
    offset: Tensor,
) -> Tensor:
    """Return the camera ``T_w2c`` (..., 4, 4) that maps a body's world pose to its camera pose."""
    rotation = axis_angle_to_matrix(global_orient_c) @ axis_angle_to_matrix(
        global_orient_w
    ).transpose(-1, -2)
    shift = transl_c + offset - (rotation @ (transl_w + offset)[..., None])[..., 0]
    return rigid_transform(rotation, shift)
