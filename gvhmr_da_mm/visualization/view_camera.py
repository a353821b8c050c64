"""Pinhole camera of the 3D drawings, in NumPy."""

from dataclasses import dataclass, field

import numpy as np

NEAR = 0.05
"""Smallest depth that is drawn, m."""


@dataclass(frozen=True)
class ViewCamera:
    """A pinhole camera and the size of its image.

    Note:
        Camera axes are OpenCV's: x right, y down, z forward. N: points.

    Attributes:
        K (np.ndarray): Intrinsics (3, 3), px.
        width (int): Width of the image, px.
        height (int): Height of the image, px.
        R (np.ndarray): Rotation world to camera (3, 3). Defaults to the identity.
        t (np.ndarray): Translation world to camera (3,), m. Defaults to 0.
    """

    K: np.ndarray
    width: int
    height: int
    R: np.ndarray = field(default_factory=lambda: np.eye(3))
    t: np.ndarray = field(default_factory=lambda: np.zeros(3))

    @classmethod
    def look_at(
        cls, eye: np.ndarray, target: np.ndarray, points: np.ndarray, size: tuple[int, int]
    ) -> 'ViewCamera':
        """Return a camera at ``eye`` that looks at ``target`` in a y-up world and shows all points.

        Args:
            eye (np.ndarray): Camera position (3,), m; not straight above or below the target.
            target (np.ndarray): Point to look at (3,), m.
            points (np.ndarray): Points to fit into the image (N, 3), m, in front of the eye.
            size (tuple[int, int]): Width and height of the image, px.
        """
        forward = (target - eye) / np.linalg.norm(target - eye)
        right = np.cross(forward, [0.0, 1.0, 0.0])
        right /= np.linalg.norm(right)
        R = np.stack((right, np.cross(forward, right), forward))
        t = -R @ eye
        seen = points @ R.T + t
        flat = seen[:, :2] / np.maximum(seen[:, 2:], NEAR)
        low, high = flat.min(axis=0), flat.max(axis=0)
        focal = float(np.min(np.array(size) / np.maximum(high - low, 1e-6)))
        centre = np.array(size) / 2 - focal * (low + high) / 2
        K = np.array([[focal, 0, centre[0]], [0, focal, centre[1]], [0, 0, 1]])
        return cls(K, *size, R, t)

    def to_camera(self, points: np.ndarray) -> np.ndarray:
        """Return points (..., 3) in camera coordinates, m."""
        return points @ self.R.T + self.t

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return pixels (..., 2), valid only at depths above ``NEAR``, and depths (...), m.

        Args:
            points (np.ndarray): Points (..., 3), m.
        """
        return self.project_camera(self.to_camera(points))

    def project_camera(self, points_c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Project points (..., 3) in camera coordinates, m, like :meth:`project`."""
        depth = points_c[..., 2]
        flat = points_c / np.maximum(depth, NEAR)[..., None]
        return flat @ self.K[:2].T, depth
