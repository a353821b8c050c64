"""View of motions in the world: ground, trajectories, bodies, cameras and contacts."""

from collections.abc import Mapping
from typing import Optional

import cv2
import numpy as np

from ..core.conventions import STATIC_JOINTS
from .body_track import MIN_CONTACT_PROBABILITY, BodyTrack, tracks_ground
from .overlay import MAX_PIXEL, draw_disc, draw_segments, draw_skeleton, fixed_point
from .palette import (
    AXES,
    BACKGROUND,
    CAMERA,
    CONTACT,
    GRID,
    GRID_MAJOR,
    GROUND_TRUTH,
    GROUND_TRUTH_CAMERA,
    MUTED_TEXT,
    PREDICTION,
    TEXT,
    Colour,
    mix,
    person_colour,
)
from .rasterizer import draw_mesh
from .text import draw_text, text_size
from .view_camera import NEAR, ViewCamera

MIN_BODY_SPACING = 0.6
"""Least distance (m) between drawn bodies; nearer ones hide each other."""
ELEVATION = np.radians(24)
AZIMUTH = np.radians(28)
"""Angle of the view from the perpendicular of the trajectory."""
CAMERA_ROOM = 0.8
"""The view includes cameras at most this far (m) beyond the bodies."""
JOINT_MARGIN = 0.15
"""Margin of the view around the joints, m."""
FRUSTUM_DEPTH = 0.22
"""Depth of the pyramid of a drawn camera, m."""
MAX_GRID_LINES = 14
GRID_STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500)


class WorldView:
    """Draw tracks in the world from a fixed viewpoint.

    The ground is the lowest height of the joints, outliers aside. Align the ground truth to the
    prediction, whose world is y up, first (:meth:`BodyTrack.aligned_to`).

    Args:
        prediction (BodyTrack, optional): Drawn in blue. Defaults to None.
        ground_truth (BodyTrack, optional): Drawn in grey. Defaults to None.
        size (tuple[int, int]): Width and height of the image in px. Defaults to (960, 540).
        num_bodies (int): Largest number of bodies per track. Defaults to 8.
        people (Mapping[int, BodyTrack], optional): Tracks of several people by their id, in one
            world; the camera of the first is drawn. Defaults to None.
    """

    def __init__(
        self,
        prediction: Optional[BodyTrack] = None,
        ground_truth: Optional[BodyTrack] = None,
        size: tuple[int, int] = (960, 540),
        num_bodies: int = 8,
        people: Optional[Mapping[int, BodyTrack]] = None,
    ) -> None:
        self.size = size
        self.num_bodies = num_bodies
        self.font_size = int(np.clip(size[1] / 34, 11, 18))
        styles = [
            ('prediction', prediction, PREDICTION, CAMERA),
            ('ground truth', ground_truth, GROUND_TRUTH, GROUND_TRUTH_CAMERA),
        ]
        for number, track in (people or {}).items():
            camera_colour = CAMERA if number == next(iter(people)) else None
            styles.append((f'person {number}', track, person_colour(number), camera_colour))
        self.tracks = [_DrawnTrack(*style) for style in styles if style[1] is not None]
        self.tracks = [drawn for drawn in self.tracks if len(drawn.frames)]
        if not self.tracks:
            self._background = np.full((size[1], size[0], 3), BACKGROUND, np.uint8)
            draw_text(
                self._background, 'no valid frame', (size[0] / 2, size[1] / 2), 16, anchor='centre'
            )
            return
        self.ground = tracks_ground([drawn.track for drawn in self.tracks])
        self._low, self._high = self._extent()
        self.camera = self._place_camera()
        self._background = self._draw_background()

    def draw(self, frame: Optional[int] = None) -> np.ndarray:
        """Draw bodies along the trajectories, or the bodies of one frame.

        Args:
            frame (int, optional): The frame, at which the trajectories end. Defaults to None: all.

        Returns:
            np.ndarray: RGB image (height, width, 3), uint8.
        """
        image = self._background.copy()
        if not self.tracks:
            return image
        bodies = []
        for drawn in reversed(self.tracks):
            shown = drawn.frames if frame is None else drawn.frames[drawn.frames <= frame]
            self._draw_trajectory(image, drawn, shown)
            if frame is not None:
                chosen = np.intersect1d(drawn.frames, [frame])
            else:
                chosen = _spread(drawn.joints[:, 0], drawn.frames, self.num_bodies)
            bodies += [(drawn, int(number)) for number in chosen]
            self._draw_cameras(image, drawn, shown, frame)
        for drawn, number in bodies:
            self._draw_shadow(image, drawn.joints[number])
        bodies.sort(key=lambda body: -self._distance(body[0].joints[body[1], 0]))
        for drawn, number in bodies:
            self._draw_body(image, drawn, number, age=self._age(drawn, number, frame))
        self._draw_legend(image)
        return image

    # Layout

    def _extent(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the corners (3,), on grid lines, of the bodies and nearby cameras."""
        bodies = np.concatenate(
            [drawn.joints[drawn.frames].reshape(-1, 3) for drawn in self.tracks]
        )
        low, high = bodies.min(axis=0) - JOINT_MARGIN, bodies.max(axis=0) + JOINT_MARGIN
        cameras = np.concatenate([drawn.centres[drawn.frames] for drawn in self.tracks])
        # A distant camera must not make the bodies tiny.
        cameras = np.clip(cameras, low - CAMERA_ROOM, high + CAMERA_ROOM)
        low, high = np.minimum(low, cameras.min(axis=0)), np.maximum(high, cameras.max(axis=0))
        spans = (high - low)[[0, 2]]
        self._step = next((s for s in GRID_STEPS if spans.max() / s < MAX_GRID_LINES), 1000)
        low, high = np.floor(low / self._step), np.ceil(high / self._step)
        low, high = low * self._step, high * self._step
        low[1] = self.ground
        high[1] = max(bodies[:, 1].max(), cameras[:, 1].max()) + JOINT_MARGIN
        return low, high

    def _place_camera(self) -> ViewCamera:
        """Place the view beside the trajectory, on the side of the camera."""
        flat = np.concatenate([drawn.joints[drawn.frames, 0][:, [0, 2]] for drawn in self.tracks])
        centre = (self._low + self._high) / 2
        along = np.linalg.svd(flat - flat.mean(axis=0), full_matrices=False)[2][0]
        first = self.tracks[0]
        towards = first.centres[first.frames].mean(axis=0)[[0, 2]] - flat.mean(axis=0)
        if np.ptp(flat, axis=0).max() < 1 and np.linalg.norm(towards) > 1e-6:
            side = towards / np.linalg.norm(towards)  # a person on the spot has no trajectory
        else:
            side = np.array([-along[1], along[0]])
            side = -side if side @ towards < 0 else side
        cos, sin = np.cos(AZIMUTH), np.sin(AZIMUTH)
        side = np.array([cos * side[0] - sin * side[1], sin * side[0] + cos * side[1]])
        away = np.array(
            [side[0] * np.cos(ELEVATION), np.sin(ELEVATION), side[1] * np.cos(ELEVATION)]
        )
        reach = float(np.linalg.norm(self._high - self._low))
        corners = np.stack(np.meshgrid(*zip(self._low, self._high)), axis=-1).reshape(-1, 3)
        width, height = self.size
        border = 2 * self.font_size
        inner = (width - 2 * border, height - 2 * border)
        camera = ViewCamera.look_at(centre + 1.6 * reach * away, centre, corners, inner)
        K = camera.K.copy()
        K[:2, 2] += border
        return ViewCamera(K, width, height, camera.R, camera.t)

    def _distance(self, point: np.ndarray) -> float:
        return float(self.camera.to_camera(point)[2])

    @staticmethod
    def _age(drawn: '_DrawnTrack', number: int, frame: Optional[int]) -> float:
        """Return the relative age of a drawn body, 0 (last frame) to 1 (first frame)."""
        first, last = drawn.frames[0], drawn.frames[-1]
        return 0.0 if frame is not None or first == last else 1 - (number - first) / (last - first)

    # Parts of the image

    def _draw_background(self) -> np.ndarray:
        image = np.full((self.size[1], self.size[0], 3), BACKGROUND, np.uint8)
        self._draw_grid(image)
        for drawn in reversed(self.tracks):
            self._draw_line(image, drawn.on_ground(self.ground), mix(drawn.colour, BACKGROUND, 0.7))
        self._draw_axes(image)
        return image

    def _draw_grid(self, image: np.ndarray) -> None:
        """Draw grid lines, with labels at the two borders nearest to the viewer."""
        step, low, high = self._step, self._low[[0, 2]], self._high[[0, 2]]
        xs, zs = (np.arange(low[k], high[k] + step / 2, step) for k in (0, 1))
        y = self.ground
        for x in xs:
            colour = GRID_MAJOR if x == 0 else GRID
            self._draw_line(image, np.array([[x, y, low[1]], [x, y, high[1]]]), colour, 1)
        for z in zs:
            colour = GRID_MAJOR if z == 0 else GRID
            self._draw_line(image, np.array([[low[0], y, z], [high[0], y, z]]), colour, 1)
        eye = -self.camera.R.T @ self.camera.t
        near_x = low[0] if abs(eye[0] - low[0]) < abs(eye[0] - high[0]) else high[0]
        near_z = low[1] if abs(eye[2] - low[1]) < abs(eye[2] - high[1]) else high[1]
        for x in xs:
            self._label(image, np.array([x, y, near_z]), f'{x:g}')
        for z in zs:
            if z != near_z:
                self._label(image, np.array([near_x, y, z]), f'{z:g}')

    def _label(self, image: np.ndarray, point: np.ndarray, text: str) -> None:
        pixel, depth = self.camera.project(point)
        if depth > NEAR:
            draw_text(
                image,
                text,
                (pixel[0], pixel[1] + 3),
                self.font_size - 2,
                MUTED_TEXT,
                anchor='centre',
            )

    def _draw_legend(self, image: np.ndarray) -> None:
        x, y, step = self.font_size, self.font_size * 0.8, round(self.font_size * 1.45)
        entries = []
        for drawn in self.tracks:
            entries.append((drawn.name, drawn.colour))
            if drawn.camera_colour is not None:
                entries.append((drawn.camera_name, drawn.camera_colour))
        if any(drawn.track.contacts is not None for drawn in self.tracks):
            entries.append(('contact', CONTACT))
        width = max(text_size(name, self.font_size)[0] for name, _ in entries)
        box = image[: round(y + step * len(entries)), : round(width + 2.8 * self.font_size)]
        box[:] = box * 0.35 + np.array(BACKGROUND) * 0.65
        for name, colour in entries:
            middle = y + self.font_size * 0.62
            draw_disc(image, np.array([x + 5, middle]), self.font_size * 0.33, colour)
            draw_text(image, name, (x + 1.2 * self.font_size, y), self.font_size, TEXT)
            y += step
        note = f'world, y up, grid {self._step:g} m'
        right = (self.size[0] - self.font_size, self.font_size * 0.8)
        draw_text(image, note, right, self.font_size, MUTED_TEXT, anchor='right')

    def _draw_axes(self, image: np.ndarray) -> None:
        """Draw the axes in the lower left corner."""
        length = 2.4 * self.font_size
        origin = np.array([2.2 * length, self.size[1] - 1.3 * length])
        directions = self.camera.R[:2].T * length
        for axis in np.argsort(-self.camera.R[2]):
            end = origin + directions[axis]
            draw_segments(image, np.array([[origin, end]]), AXES[axis], 2)
            text = origin + directions[axis] * 1.28
            place = (text[0], text[1] - 0.6 * self.font_size)
            draw_text(image, 'xyz'[axis], place, self.font_size, AXES[axis], anchor='centre')

    def _draw_line(
        self, image: np.ndarray, points: np.ndarray, colour: Colour, thickness: int = 2
    ) -> None:
        pixels, depth = self.camera.project(points)
        ahead = (depth[1:] > NEAR) & (depth[:-1] > NEAR)
        segments = np.stack((pixels[:-1], pixels[1:]), axis=1)[ahead]
        draw_segments(image, segments, colour, thickness)

    def _draw_trajectory(self, image: np.ndarray, drawn: '_DrawnTrack', frames: np.ndarray) -> None:
        """Draw the trajectory of the pelvis on the ground, and its start."""
        if len(frames):
            points = drawn.on_ground(self.ground, frames)
            self._draw_line(image, points, drawn.colour, 2)
            pixel, _ = self.camera.project(points[0])
            draw_disc(image, pixel, 4, drawn.colour)
            draw_disc(image, pixel, 2, BACKGROUND)

    def _draw_cameras(
        self, image: np.ndarray, drawn: '_DrawnTrack', frames: np.ndarray, frame: Optional[int]
    ) -> None:
        """Draw the trajectory of the camera and a few of its pyramids, or that of one frame."""
        if not len(frames) or drawn.camera_colour is None:
            return
        self._draw_line(image, drawn.centres[frames], mix(drawn.camera_colour, BACKGROUND, 0.25), 1)
        chosen = frames[-1:] if frame is not None else _spread(drawn.centres, frames, 5)
        for number in chosen:
            self._draw_frustum(image, drawn.cameras[number], drawn.camera_colour)

    def _draw_frustum(self, image: np.ndarray, T_w2c: np.ndarray, colour: Colour) -> None:
        corners = np.array([[-0.7, -0.5, 1], [0.7, -0.5, 1], [0.7, 0.5, 1], [-0.7, 0.5, 1]])
        roof = np.array([[-0.3, -0.6, 1], [0, -0.95, 1], [0.3, -0.6, 1]])  # marks the upper side
        shape = np.concatenate((np.zeros((1, 3)), corners, roof)) * FRUSTUM_DEPTH
        points = (shape - T_w2c[:3, 3]) @ T_w2c[:3, :3]
        lines = ([0, 1, 2, 0, 3, 4, 0], [1, 4], [2, 3], [5, 6, 7, 5])
        for line in lines:
            self._draw_line(image, points[line], colour, 1)

    def _draw_shadow(self, image: np.ndarray, joints: np.ndarray) -> None:
        """Darken the ground below a body, so that its position is visible."""
        centre = joints[:, [0, 2]].mean(axis=0)
        angle = np.linspace(0, 2 * np.pi, 25)[:-1]
        ring = np.stack(
            (np.cos(angle) * 0.3 + centre[0], angle * 0 + self.ground, np.sin(angle) * 0.3), axis=1
        )
        ring[:, 2] += centre[1]
        pixels, depth = self.camera.project(ring)
        if (depth > NEAR).all() and (np.abs(pixels) < MAX_PIXEL).all():
            low = np.clip(np.floor(pixels.min(axis=0)), 0, self.size).astype(int)
            high = np.clip(np.ceil(pixels.max(axis=0)), 0, self.size).astype(int)
            region = image[low[1] : high[1], low[0] : high[0]]
            if region.size:
                mask = np.zeros(region.shape[:2], np.uint8)
                polygon = fixed_point(pixels - low)
                cv2.fillPoly(mask, [polygon], 255, cv2.LINE_AA, 4)
                region[:] = region * (1 - mask[..., None] / 255 * 0.45)

    def _draw_body(self, image: np.ndarray, drawn: '_DrawnTrack', number: int, age: float) -> None:
        colour = mix(drawn.colour, BACKGROUND, 0.55 * age)
        track, joints = drawn.track, drawn.joints[number]
        if track.mesh is not None:
            vertices = track.vertices_w(np.array([number]))[0]
            draw_mesh(image, vertices, track.faces, self.camera, colour)
        else:
            draw_skeleton(image, joints, self.camera, colour, thickness=2)
        if track.contacts is not None:
            pixels, _ = self.camera.project(joints[list(STATIC_JOINTS)])
            for pixel in pixels[track.contacts[number] > MIN_CONTACT_PROBABILITY]:
                draw_disc(image, pixel, 3.5, CONTACT)


class _DrawnTrack:
    """A track with its drawn quantities, computed once."""

    def __init__(
        self, name: str, track: BodyTrack, colour: Colour, camera_colour: Optional[Colour]
    ) -> None:
        self.name, self.track = name, track
        # All tracks of a video have one camera.
        shared = track.camera_path is not None
        self.camera_name = 'camera' if shared else f'camera, {name}'
        self.colour, self.camera_colour = colour, camera_colour
        self.joints, self.centres = track.joints_w, track.camera_centres
        self.cameras = track.cameras
        self.frames = np.flatnonzero(track.valid)

    def on_ground(self, height: float, frames: Optional[np.ndarray] = None) -> np.ndarray:
        """Return the pelvis (N, 3), m, projected to the ground."""
        points = self.joints[self.frames if frames is None else frames, 0].copy()
        points[:, 1] = height
        return points


def _spread(points: np.ndarray, frames: np.ndarray, limit: int) -> np.ndarray:
    """Choose at most ``limit`` frames with distant points, from the last frame backwards."""
    chosen = []
    travelled = np.linalg.norm(np.diff(points[frames], axis=0), axis=1).sum()
    spacing = max(MIN_BODY_SPACING, travelled / max(limit - 1, 1) * 0.95)
    for number in frames[::-1]:
        distance = np.linalg.norm(points[chosen] - points[number], axis=-1)
        if not len(chosen) or distance.min() >= spacing:
            chosen.append(number)
    return np.array(chosen[:limit])
