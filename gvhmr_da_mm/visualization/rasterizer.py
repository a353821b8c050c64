"""Z-buffer rasterizer of triangle meshes in NumPy, without OpenGL or a display.

Note:
    V vertices, T triangles, C candidate pixels of all triangles, P covered pixels.
"""

from typing import NamedTuple

import cv2
import numpy as np

from .palette import Colour
from .view_camera import NEAR, ViewCamera

SUPERSAMPLING = 2
"""Pixels per side that are averaged into one, for smooth outlines."""
MAX_SUPERSAMPLED_SIDE = 320
"""Larger bodies, in pixels, are not supersampled, which is faster; their outline is blurred."""
OUTLINE_BLUR_SIGMA = 0.6
"""Sigma of that blur, pixels."""
MAX_CANDIDATES = 2_000_000
"""Candidate pixels of triangles examined at once, a bound on memory."""
LIGHT = np.array([-0.35, -0.55, -0.76])
"""Direction to the light in camera coordinates: above the viewer's left shoulder."""
AMBIENT_LIGHT = 0.38
"""Brightness of surfaces that face away from the light, 0 to 1."""
TOLERANCE = 1e-5
"""Tolerance of barycentric weights; with a smaller one gaps open between neighbours."""


class Fragments(NamedTuple):
    """Pixels that a mesh covers, each with its nearest triangle."""

    pixel: np.ndarray
    """Index into the flattened image (P,)."""
    triangle: np.ndarray
    """Index of the triangle (P,)."""
    weights: np.ndarray
    """Barycentric weights of its corners (P, 3)."""


def draw_mesh(
    image: np.ndarray,
    vertices: np.ndarray,
    faces: np.ndarray,
    camera: ViewCamera,
    colour: Colour,
    opacity: float = 1.0,
) -> None:
    """Draw a smoothly shaded mesh in place.

    Args:
        image (np.ndarray): RGB image (H, W, 3) of the camera's size, uint8, changed in place.
        vertices (np.ndarray): Vertices (V, 3), m, in the world of the camera.
        faces (np.ndarray): Vertex ids (T, 3) of a closed surface; its inside is not drawn.
        camera (ViewCamera): Camera of the image.
        colour (Colour): RGB of the lit surface.
        opacity (float): Opacity, 0 to 1. Defaults to 1.
    """
    vertices_c = camera.to_camera(vertices).astype(np.float32)
    pixels, depth = camera.project_camera(vertices_c)
    limit = np.array([camera.width, camera.height])
    if not np.isfinite(pixels).all():
        return
    low = np.clip(np.floor(pixels.min(axis=0)), 0, limit).astype(int)
    high = np.clip(np.ceil(pixels.max(axis=0)) + 1, 0, limit).astype(int)
    width, height = high - low
    if width <= 0 or height <= 0:
        return
    normals = _face_normals(vertices_c, faces)
    vertex_normals = _vertex_normals(normals, faces, len(vertices_c))
    front = faces[(normals * vertices_c[faces[:, 0]]).sum(axis=1) < 0]
    samples = SUPERSAMPLING if max(width, height) < MAX_SUPERSAMPLED_SIDE else 1
    grid = (height * samples, width * samples)
    found = rasterize((pixels - low) * samples, depth, front, grid)

    # Light per vertex, not per pixel: triangles are hardly larger than a pixel.
    lengths = np.maximum(np.linalg.norm(vertex_normals, axis=1), 1e-12)
    lambert = np.clip(vertex_normals @ (LIGHT / np.linalg.norm(LIGHT)) / lengths, 0, 1)
    light = (AMBIENT_LIGHT + (1 - AMBIENT_LIGHT) * lambert).astype(np.float32)
    layer = np.zeros((grid[0] * grid[1], 2), np.float32)
    layer[found.pixel, 0] = (light[front[found.triangle]] * found.weights).sum(axis=1)
    layer[found.pixel, 1] = 1
    layer = layer.reshape(*grid, 2)
    layer = _outline(layer) if samples == 1 else _averaged(layer)
    light, alpha = cv2.split(layer * np.float32(opacity))
    region = image[low[1] : high[1], low[0] : high[0]]
    # OpenCV rounds and saturates in one pass.
    blended = cv2.merge([channel * light for channel in np.array(colour, np.float32)])
    blended += region * (1 - alpha)[..., None]
    region[:] = cv2.convertScaleAbs(blended)


def _averaged(layer: np.ndarray) -> np.ndarray:
    """Return the means (H, W, 2) of the samples of each pixel."""
    steps = range(SUPERSAMPLING)
    summed = sum(layer[i::SUPERSAMPLING, j::SUPERSAMPLING] for i in steps for j in steps)
    return summed / np.float32(SUPERSAMPLING**2)


def _outline(layer: np.ndarray) -> np.ndarray:
    """Blur the outline of light and opacity (H, W, 2), not the inside."""
    smooth = cv2.GaussianBlur(layer, (3, 3), OUTLINE_BLUR_SIGMA, borderType=cv2.BORDER_REPLICATE)
    inside = cv2.erode(layer[..., 1], np.ones((3, 3), np.uint8)) > 0
    return np.where(inside[..., None], layer, smooth)


def rasterize(
    pixels: np.ndarray, depth: np.ndarray, faces: np.ndarray, size: tuple[int, int]
) -> Fragments:
    """Find the nearest triangle at every pixel.

    Args:
        pixels (np.ndarray): Projected vertices (V, 2); pixel (0, 0) has its centre at (0.5, 0.5).
        depth (np.ndarray): Depths (V,), m; triangles nearer than ``NEAR`` are skipped.
        faces (np.ndarray): Vertex ids (T, 3).
        size (tuple[int, int]): Height and width of the image, px.

    Returns:
        Fragments: The covered pixels.
    """
    corners = (pixels[faces] - 0.5).astype(np.float32)
    height, width = size
    # The range of pixel centres inside the bounding box; many small triangles contain none.
    low, high = _bounds(corners)
    first = np.maximum(np.ceil(low), 0)
    extent = np.minimum(np.floor(high), [width - 1, height - 1]) - first + 1
    usable = (extent > 0).all(axis=1) & (depth[faces] > NEAR).all(axis=1)
    inverse_depth = (1 / np.maximum(depth, NEAR)).astype(np.float32)

    parts, side = [], 1
    remaining = np.flatnonzero(usable)
    while len(remaining):
        fits = (extent[remaining] <= side).all(axis=1)
        chosen, remaining = remaining[fits], remaining[~fits]
        step = max(1, MAX_CANDIDATES // side**2)
        for start in range(0, len(chosen), step):
            ids = chosen[start : start + step]
            parts.append((ids, *_covered(corners[ids], first[ids], extent[ids], side)))
        side *= 2
    if not parts:
        return Fragments(np.zeros(0, int), np.zeros(0, int), np.zeros((0, 3), np.float32))
    triangle = np.concatenate([ids[which] for ids, which, _, _ in parts])
    xy = np.concatenate([part[2] for part in parts])
    weights = np.concatenate([part[3] for part in parts])
    nearness = (weights * inverse_depth[faces[triangle]]).sum(axis=1)
    pixel = xy[:, 1].astype(np.int64) * width + xy[:, 0].astype(np.int64)
    order = np.argsort(nearness)
    nearest = np.full(width * height, -1)
    nearest[pixel[order]] = order  # of repeated pixels the last, which is the nearest, stays
    nearest = nearest[nearest >= 0]
    return Fragments(pixel[nearest], triangle[nearest], weights[nearest])


def _bounds(corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the bounding boxes of triangles (T, 3, 2); a reduction over 3 would be slower."""
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    return np.minimum(np.minimum(a, b), c), np.maximum(np.maximum(a, b), c)


def _covered(
    corners: np.ndarray, first: np.ndarray, extent: np.ndarray, side: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Test ``side`` x ``side`` pixels of each triangle.

    Returns:
        tuple: Triangle (C,), x and y (C, 2) and weights (C, 3) of the covered pixels.
    """
    # Relative to the first pixel: float32 is too coarse for large coordinates.
    a, b, c = (corners[:, k] - first for k in range(3))
    ab, ac = b - a, c - a
    area = ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]
    scale = 1 / np.where(area == 0, np.float32(np.nan), area)
    offset = np.arange(side, dtype=np.float32)
    x, y = offset - a[:, :1], offset - a[:, 1:]
    # The weights are linear in x and y: outer sums instead of three edge functions.
    to_b = (-scale * ac[:, 0])[:, None] * y
    to_b = to_b[:, :, None] + ((scale * ac[:, 1])[:, None] * x)[:, None, :]
    to_c = (scale * ab[:, 0])[:, None] * y
    to_c = to_c[:, :, None] - ((scale * ab[:, 1])[:, None] * x)[:, None, :]
    inside = (to_b >= -TOLERANCE) & (to_c >= -TOLERANCE) & (to_b + to_c <= 1 + TOLERANCE)
    inside &= (offset < extent[:, :1])[:, None, :] & (offset < extent[:, 1:])[:, :, None]
    flat = np.flatnonzero(inside)
    which, within = np.divmod(flat, side * side)
    row, column = np.divmod(within, side)
    second, third = to_b.ravel()[flat], to_c.ravel()[flat]
    xy = first[which] + np.stack((column, row), axis=1)
    return which, xy, np.stack((1 - second - third, second, third), axis=1)


def _face_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Return outward normals (T, 3) of a closed surface, as long as twice the area."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    u, v = b - a, c - a
    normals = np.stack(
        [u[:, i] * v[:, j] - u[:, j] * v[:, i] for i, j in ((1, 2), (2, 0), (0, 1))], axis=1
    )
    # The surface integral of x.n is three times the volume; its sign is that of the winding.
    volume = ((a - vertices.mean(axis=0)) * normals).sum()
    return -normals if volume < 0 else normals


def _vertex_normals(normals: np.ndarray, faces: np.ndarray, count: int) -> np.ndarray:
    """Sum the normals of the triangles around each vertex: (V, 3)."""
    index = faces.ravel()
    return np.stack(
        [np.bincount(index, np.repeat(normals[:, axis], 3), count) for axis in range(3)], axis=1
    )
