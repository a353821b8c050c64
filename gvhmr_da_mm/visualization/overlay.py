"""Drawing of bodies, keypoints and boxes on images.

All functions draw in place on an RGB image (H, W, 3), uint8.
"""

from typing import Optional

import cv2
import numpy as np

from ..core.conventions import COCO_BONES
from .body_track import BodyTrack
from .palette import BONES, DETECTION, JOINT_COLOURS, PREDICTION, TEXT, Colour, mix
from .rasterizer import draw_mesh
from .view_camera import NEAR, ViewCamera

SUBPIXEL_BITS = 4
MAX_PIXEL = 30_000
"""Larger coordinates are not drawn: they would overflow OpenCV's fixed-point numbers."""
MIN_CONFIDENCE = 0.3


def fixed_point(pixels: np.ndarray) -> np.ndarray:
    """Convert pixels to OpenCV's fixed-point integers with ``shift=SUBPIXEL_BITS``."""
    # OpenCV's origin is the centre of pixel (0, 0), that of cameras its corner.
    return np.round((pixels - 0.5) * (1 << SUBPIXEL_BITS)).astype(np.int32)


def draw_segments(
    image: np.ndarray, segments: np.ndarray, colour: Colour, thickness: int = 1
) -> None:
    """Draw line segments (N, 2, 2), px; those with an end far outside are skipped."""
    near = (np.abs(segments) < MAX_PIXEL).all(axis=(1, 2))
    cv2.polylines(
        image,
        list(fixed_point(segments[near])),
        False,
        colour,
        thickness,
        cv2.LINE_AA,
        SUBPIXEL_BITS,
    )


def draw_disc(image: np.ndarray, pixel: np.ndarray, radius: float, colour: Colour) -> None:
    """Draw a filled circle around a pixel (2,)."""
    if (np.abs(pixel) < MAX_PIXEL).all():
        centre = fixed_point(pixel).tolist()
        size = round(radius * (1 << SUBPIXEL_BITS))
        cv2.circle(image, centre, size, colour, cv2.FILLED, cv2.LINE_AA, SUBPIXEL_BITS)


def draw_skeleton(
    image: np.ndarray,
    joints: np.ndarray,
    camera: ViewCamera,
    colour: Optional[Colour] = None,
    thickness: int = 2,
) -> None:
    """Draw 22 SMPL-X joints and their bones, far ones first.

    Args:
        image (np.ndarray): Changed in place.
        joints (np.ndarray): (22, 3), m, in the frame the camera looks at.
        camera (ViewCamera): Where it is seen from.
        colour (Colour, optional): One colour for all joints. Defaults to None: left and right
            differ.
        thickness (int): Thickness of the bones in px. Defaults to 2.
    """
    pixels, depth = camera.project(joints)
    visible = (depth > NEAR) & np.isfinite(pixels).all(axis=-1)
    for parent, joint in sorted(BONES, key=lambda bone: -depth[list(bone)].sum()):
        if visible[parent] and visible[joint]:
            shade = JOINT_COLOURS[joint] if colour is None else colour
            draw_segments(image, pixels[None, [parent, joint]], shade, thickness)
            draw_disc(image, pixels[joint], 0.8 * thickness + 0.4, mix(shade, (255, 255, 255), 0.3))


def draw_body(
    image: np.ndarray,
    track: BodyTrack,
    frame: int,
    camera: ViewCamera,
    colour: Colour = PREDICTION,
    opacity: float = 0.8,
) -> None:
    """Draw the skeleton, and the mesh if there is one, of a frame of a track.

    Args:
        image (np.ndarray): Changed in place.
        track (BodyTrack): The body; nothing is drawn at frames that are not valid.
        frame (int): Number of the frame.
        camera (ViewCamera): Camera of the image.
        colour (Colour): Colour of the mesh. Defaults to that of predictions.
        opacity (float): Opacity of the mesh, 0 to 1. Defaults to 0.8.
    """
    if not track.valid[frame]:
        return
    if track.mesh is not None:
        vertices = track.mesh(np.array([frame]))[0]
        draw_mesh(image, vertices, track.faces, camera, colour, opacity)
    draw_skeleton(image, track.joints_c[frame], camera)


def draw_keypoints(image: np.ndarray, keypoints: np.ndarray, radius: float = 2.5) -> None:
    """Draw detected COCO keypoints.

    Args:
        image (np.ndarray): Changed in place.
        keypoints (np.ndarray): Pixels and confidence (17, 3); those below 0.3 are skipped.
        radius (float): Radius of the dots in px. Defaults to 2.5.
    """
    seen = (keypoints[:, 2] >= MIN_CONFIDENCE) & np.isfinite(keypoints).all(axis=1)
    bones = [bone for bone in COCO_BONES if seen[list(bone)].all()]
    if bones:
        draw_segments(image, keypoints[np.array(bones), :2], mix(DETECTION, (0, 0, 0), 0.35), 1)
    for point in keypoints[seen, :2]:
        draw_disc(image, point, radius, DETECTION)


def draw_box(image: np.ndarray, centre: np.ndarray, side: float, colour: Colour = TEXT) -> None:
    """Draw a square box around a centre (2,), px."""
    corners = centre + np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * side / 2
    draw_segments(image, np.stack((corners, np.roll(corners, -1, axis=0)), axis=1), colour)
