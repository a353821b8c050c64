"""Estimation of camera rotation over a video from background points."""

from dataclasses import dataclass, field
from typing import Optional

import cv2
import numpy as np

from .point_tracks import background_mask, find_points, follow_points
from .relative_rotation import MIN_POINTS, RelativeRotation, relative_rotation

MAX_STATIC_ANGLE = 0.006
"""A camera that never rotates by more than this, in radians (a third of a degree), is static."""
MIN_STILL_SHARE = 0.5
"""Least share of still frames of a static camera that seems to turn when people cover the view."""
MAX_ERROR_ANGLE = 0.06
"""Largest angle, radians (3.4 degrees), by which it seems to turn."""


@dataclass
class CameraRotation:
    """Rotation of a camera over F frames, and its pose if that is known.

    Args:
        R_w2c (np.ndarray): World to camera (F, 3, 3); the world of a gyro is the camera of the
            first frame.
        static (bool): Whether the camera is static; all rotations are then equal.
        report (dict): Source and statistics: plain numbers and strings.
        T_w2c (np.ndarray, optional): The same camera (F, 4, 4) in a y-up world, m. Defaults to
            None.
        world_up (str): Axis that is up in the coordinates in which ``T_w2c`` was given. Defaults
            to '': there is no ``T_w2c``.
    """

    R_w2c: np.ndarray
    static: bool
    report: dict = field(default_factory=dict)
    T_w2c: Optional[np.ndarray] = None
    world_up: str = ''


class VisualGyro:
    """Estimate the rotation of a camera by tracking background points.

    Each frame is compared with a key frame rather than the previous frame, so that errors do not
    accumulate; a new key frame starts when few points are left or the view has changed much. Pass
    the frames in order to :meth:`add`, then call :meth:`finish`.

    Note:
        :func:`relative_rotation` distinguishes pure rotation from rotation with translation.
        Angles scale inversely with the focal length: one 10 % too long makes them 10 % too small.

    Args:
        K (np.ndarray): Intrinsics (3, 3), pixels.
        threshold (float): Largest distance of an inlier in pixels. Defaults to 1.5.
        max_side (int): Larger images are resized to this longer side, pixels. Defaults to 960.
        min_kept (float): Share of a key frame's points below which a new one starts. Defaults to
            0.5.
        max_angle (float): Angle to the key frame, radians, above which a new one starts. Defaults
            to 0.2.
        static_angle (float): Largest rotation, radians, of a static camera. Defaults to 0.006, a
            third of a degree.
        static_pixels (float): Largest median motion of the points of a static camera, pixels of
            the resized image. Defaults to 4.
    """

    def __init__(
        self,
        K: np.ndarray,
        threshold: float = 1.5,
        max_side: int = 960,
        min_kept: float = 0.5,
        max_angle: float = 0.2,
        static_angle: float = MAX_STATIC_ANGLE,
        static_pixels: float = 4.0,
    ) -> None:
        self.K = np.asarray(K, dtype=np.float64)
        self.threshold, self.max_side = threshold, max_side
        self.min_kept, self.max_angle = min_kept, max_angle
        self.static_angle, self.static_pixels = static_angle, static_pixels
        self.restart()

    def restart(self) -> None:
        """Forget the frames that were added."""
        self._rotations: list[np.ndarray] = []
        self._found: list[Optional[RelativeRotation]] = []
        self._motion: list[float] = []
        self._last: Optional[np.ndarray] = None
        self._R_key = np.eye(3)
        self._num_keys = 0

    def add(
        self,
        image: Optional[np.ndarray],
        boxes: Optional[np.ndarray] = None,
        new_scene: bool = False,
    ) -> None:
        """Add the next frame.

        Args:
            image (np.ndarray, optional): RGB (H, W, 3), uint8; None, an unreadable frame, repeats
                the last rotation.
            boxes (np.ndarray, optional): Corners (P, 4) left, top, right, bottom of people, which
                are masked. Defaults to None.
            new_scene (bool): Whether the frame follows a cut: it repeats the last rotation, and is
                not compared with the frames before. Defaults to False.
        """
        if image is None:
            self._hold()
            return
        gray, scale = self._gray(image)
        people = None if boxes is None else np.asarray(boxes, dtype=np.float64) * scale
        mask = background_mask(gray.shape, people)
        if self._last is None or self._last.shape != gray.shape or new_scene:
            self._hold()
            self._start_key(gray, mask)
            return
        self._follow(gray, mask)
        found = relative_rotation(self._key_points, self._points, self._scaled_K, self.threshold)
        if found is None:
            self._hold()
            self._start_key(gray, mask)
            return
        self._append(found.R_a2b @ self._R_key, found)
        self._last = gray
        kept = found.inliers.sum() / max(self._num_start, 1)
        if kept < self.min_kept or rotation_angle(found.R_a2b) > self.max_angle:
            self._start_key(gray, mask)

    def finish(self) -> CameraRotation:
        """Return the rotation of all frames that were added."""
        rotations = np.stack(self._rotations) if self._rotations else np.zeros((0, 3, 3))
        angles = np.array([rotation_angle(rotation) for rotation in rotations])
        found = [item for item in self._found if item is not None]
        moving = sum(item.model == 'essential' for item in found)
        lost = max(len(self._found) - 1 - len(found), 0)
        most_angle = float(angles.max()) if len(angles) else 0.0
        most_pixels = max(self._motion, default=0.0)
        still = sum(item.model == 'still' for item in found) / max(len(found), 1)
        # Angles that the motion of the points does not show are errors.
        largest = self.static_angle if still < MIN_STILL_SHARE else MAX_ERROR_ANGLE
        static = bool(found) and most_angle < largest and most_pixels < self.static_pixels
        report = dict(
            frames=len(rotations),
            frames_lost=lost,
            frames_with_translation=moving,
            key_frames=self._num_keys,
            still_share=round(still, 4),
            inlier_ratio=round(float(np.mean([i.inlier_ratio for i in found])), 4) if found else 0,
            largest_angle_deg=round(float(np.degrees(most_angle)), 4),
            largest_motion_px=round(most_pixels, 3),
            static=static,
        )
        if static:
            rotations = np.broadcast_to(np.eye(3), rotations.shape).copy()
        return CameraRotation(rotations, static, report)

    # ---------------------------------------------------------------------------------------------

    def _gray(self, image: np.ndarray) -> tuple[np.ndarray, float]:
        """Return the resized grey image and its scale; scale the intrinsics with it."""
        gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        scale = min(1.0, self.max_side / max(gray.shape))
        if scale < 1:
            gray = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        self._scaled_K = np.diag([scale, scale, 1.0]) @ self.K
        return gray, scale

    def _start_key(self, gray: np.ndarray, mask: np.ndarray) -> None:
        self._last = gray
        self._R_key = self._rotations[-1]
        self._key_points = self._points = find_points(gray, mask)
        self._num_start = len(self._points)
        self._num_keys += 1

    def _follow(self, gray: np.ndarray, mask: np.ndarray) -> None:
        """Track the points to this frame and drop those that are lost or on a person."""
        points, kept = follow_points(self._last, gray, self._points)
        pixels = np.clip(points.round().astype(int), 0, np.array(gray.shape)[::-1] - 1)
        kept &= mask[pixels[:, 1], pixels[:, 0]] > 0
        self._points, self._key_points = points[kept], self._key_points[kept]

    def _append(self, R_w2c: np.ndarray, found: Optional[RelativeRotation]) -> None:
        self._rotations.append(R_w2c)
        self._found.append(found)
        if found is not None:
            # Outliers are on moving things.
            shift = np.linalg.norm(self._points - self._key_points, axis=1)[found.inliers]
            self._motion.append(float(np.median(shift)) if len(shift) >= MIN_POINTS else 0.0)

    def _hold(self) -> None:
        """Repeat the last rotation, as that of this frame is unknown."""
        self._append(self._rotations[-1] if self._rotations else np.eye(3), None)


def rotation_angle(rotation: np.ndarray) -> float:
    """Return the angle of a rotation (3, 3), radians, accurate for small angles."""
    sine = np.linalg.norm(rotation - rotation.T) / np.sqrt(8)
    return float(np.arctan2(sine, (np.trace(rotation) - 1) / 2))
