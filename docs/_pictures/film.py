"""Film of a made-up person: what the camera of a labelled clip would have seen."""

import cv2
import numpy as np

from gvhmr_da_mm.visualization.body_track import BodyTrack, tracks_ground
from gvhmr_da_mm.visualization.palette import GROUND_TRUTH, mix
from gvhmr_da_mm.visualization.rasterizer import draw_mesh
from gvhmr_da_mm.visualization.window import Window

SKY = (168, 182, 196)
TILES = ((96, 104, 112), (116, 124, 132))
PERSON = mix(GROUND_TRUTH, (160, 120, 90), 0.35)
TILE = 0.5
"""Side of a tile of the floor, m."""
HAZE = 12.0
"""Distance at which half of the floor has the colour of the sky, m."""
SHADOW = 0.32
"""Radius of the shadow below a person, m."""


class Film:
    """Frames on which the true body of a clip stands on a floor of tiles.

    Args:
        truth (BodyTrack): With a mesh and intrinsics.
        img_shape (tuple[int, int]): Height and width of the clip, px.
        height (int): Height of the frames, px.
    """

    def __init__(self, truth: BodyTrack, img_shape: tuple[int, int], height: int) -> None:
        self.truth = truth
        self.window = Window.whole(img_shape, height)
        self.ground = tracks_ground([truth])

    def __call__(self, frame: int) -> np.ndarray:
        """Return the RGB image (h, w, 3), uint8, of a frame."""
        camera = self.window.camera(self.truth.K[frame])
        T_w2c = self.truth.T_w2c[frame]
        image = self._draw_scene(camera.K, T_w2c, self.truth.joints_w[frame, 0])
        vertices = self.truth.mesh(np.array([frame]))[0]
        draw_mesh(image, vertices, self.truth.faces, camera, PERSON)
        return image

    def _draw_scene(self, K: np.ndarray, T_w2c: np.ndarray, pelvis: np.ndarray) -> np.ndarray:
        """Draw sky, floor and shadow, two samples per side and pixel."""
        size = (2 * self.window.width, 2 * self.window.height)
        x, y = np.meshgrid(*((np.arange(side) + 0.5) / 2 for side in size))
        rays = np.stack((x, y, np.ones_like(x)), axis=-1) @ np.linalg.inv(K).T @ T_w2c[:3, :3]
        eye = -T_w2c[:3, :3].T @ T_w2c[:3, 3]
        with np.errstate(divide='ignore'):
            reach = (self.ground - eye[1]) / rays[..., 1]
        floor = (rays[..., 1] < 0) & np.isfinite(reach)
        reach = np.where(floor, reach, 0)
        place = eye[[0, 2]] + reach[..., None] * rays[..., [0, 2]]
        odd = np.floor(place / TILE).sum(axis=-1).astype(int) % 2
        colour = np.array(TILES, float)[odd]
        distance = np.linalg.norm(place - pelvis[[0, 2]], axis=-1)
        colour *= (1 - 0.5 * np.exp(-((distance / SHADOW) ** 2)))[..., None]
        clear = np.where(floor, HAZE / (HAZE + reach), 0)[..., None]
        scene = np.round(colour * clear + np.array(SKY) * (1 - clear)).astype(np.uint8)
        return cv2.resize(scene, (size[0] // 2, size[1] // 2), interpolation=cv2.INTER_AREA)
