"""Point scenes and rendered images of a camera with known rotation."""

import cv2
import numpy as np
from scipy.spatial.transform import Rotation

WIDTH, HEIGHT = 320, 240
FOCAL = (WIDTH**2 + HEIGHT**2) ** 0.5
K = np.array([[FOCAL, 0, WIDTH / 2], [0, FOCAL, HEIGHT / 2], [0, 0, 1]])


def rotation(x=0.0, y=0.0, z=0.0):
    """Rotation by angles about x, y and z in degrees."""
    return Rotation.from_euler('xyz', [x, y, z], degrees=True).as_matrix()


def two_views(R_a2b, shift=(0.0, 0.0, 0.0), noise=0.3, outliers=0.0, points=150, seed=0):
    """Pixels (N, 2) of a scene of varying depth in two cameras."""
    generator = np.random.default_rng(seed)
    pixels = generator.uniform((0, 0), (WIDTH, HEIGHT), (points, 2))
    depth = generator.uniform(2, 10, (points, 1))
    scene = np.column_stack((pixels, np.ones(points))) @ np.linalg.inv(K).T * depth
    seen = (scene @ R_a2b.T + shift) @ K.T
    other = seen[:, :2] / seen[:, 2:] + generator.normal(0, noise, (points, 2))
    wrong = generator.random(points) < outliers
    other[wrong] = generator.uniform((0, 0), (WIDTH, HEIGHT), (wrong.sum(), 2))
    return pixels, other, wrong


def texture(seed=0):
    """A grey image (H, W) of smooth random blobs at four scales."""
    generator = np.random.default_rng(seed)
    height, width = 3 * HEIGHT, 3 * WIDTH
    picture = np.zeros((height, width), np.float32)
    for scale in (6, 12, 24, 48):
        small = generator.random((height // scale + 1, width // scale + 1)).astype(np.float32)
        picture += cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    low, high = picture.min(), picture.max()
    return ((picture - low) / (high - low) * 255).astype(np.uint8)


def render(R_w2c, background):
    """RGB image (H, W, 3) of an infinitely distant background."""
    centre = np.array([[1, 0, WIDTH], [0, 1, HEIGHT], [0, 0, 1]])
    homography = K @ R_w2c @ np.linalg.inv(K) @ np.linalg.inv(centre)
    return cv2.cvtColor(
        cv2.warpPerspective(background, homography, (WIDTH, HEIGHT)), cv2.COLOR_GRAY2RGB
    )
