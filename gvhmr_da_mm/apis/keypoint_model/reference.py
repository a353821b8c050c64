"""Reference joints of a person that several calibrated cameras film.

Note:
    Shape letters: F frames at 30 per second, J limb joints. The world has z up; metres.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ...core.errors import DataError
from ...core.filtering import gaussian_smooth
from ...video.calibrated_views import MIN_VIEWS, View, find_calibration, read_views
from ...video.frame_source import find_clips
from ...video.triangulation import triangulate_joints
from ...video.view_observation import ViewObservation
from .limbs import LIMB_JOINTS

MAX_GAP = 5
"""Frames over which the reference of a joint is interpolated."""
SMOOTHING = 1.0
"""Sigma in frames of the smoothing of the reference."""


class Reference:
    """Limb joints of a person, from several views.

    Args:
        joints (Tensor): Positions (F, J, 3) in the calibrated world.
        valid (Tensor): Frames in which all are known (F,), bool.
        residual (float): Mean distance of the views that agree, mm.
    """

    def __init__(self, joints: Tensor, valid: Tensor, residual: float) -> None:
        self.joints, self.valid, self.residual = joints, valid, residual

    def in_camera(self, view: View) -> Tensor:
        """Return the joints (F, J, 3) in a camera."""
        return torch.from_numpy(view.to_camera(self.joints.numpy()))


def videos_of(folder: Path) -> list[tuple[View, Path]]:
    """Return the calibrated cameras with their videos; cameras without a video are left out.

    Args:
        folder (Path): Videos of synchronised still cameras, named as in their calibration, a
            ``.qca.txt`` file.

    Raises:
        MissingFilesError: If there is no such folder, or no video in it.
        DataError: If the calibration and the videos do not fit each other.
    """
    calibration = find_calibration(folder)
    views = {view.name: view for view in read_views(calibration)}
    videos = {clip.stem: clip for clip in find_clips(folder)}
    unknown = sorted(set(videos) - set(views))
    if unknown:
        raise DataError(
            f'{calibration} has no camera of the video(s) {", ".join(unknown)}: it has '
            f'{", ".join(views)}. Name each video as its camera, or take it out of the folder'
        )
    if len(videos) < MIN_VIEWS:
        raise DataError(
            f'{folder} should hold videos of at least {MIN_VIEWS} of the cameras '
            f'{", ".join(views)}, got {", ".join(videos)}'
        )
    return [(view, videos[name]) for name, view in views.items() if name in videos]


def make_reference(views: list[View], observed: list[ViewObservation]) -> Reference:
    """Triangulate, fill short gaps and smooth the limb joints.

    Raises:
        DataError: If no frame has all joints.
    """
    frames = min(len(one.plan) for one in observed)
    keypoints = np.stack([one.keypoints()[:frames] for one in observed])
    found = triangulate_joints(views, keypoints)
    limbs = list(LIMB_JOINTS)
    joints, valid = fill_gaps(found.joints[:, limbs], found.valid[:, limbs])
    if not valid.any():
        raise DataError(
            f'the views {", ".join(view.name for view in views)} agree on all limbs of a person in '
            'no frame: are the videos synchronised, of one person, and of this calibration?'
        )
    smooth = gaussian_smooth(torch.from_numpy(joints), SMOOTHING, dim=0)
    residual = float(np.nanmean(found.residual[:, limbs][found.valid[:, limbs]])) * 1000
    return Reference(smooth, torch.from_numpy(valid), residual)


def fill_gaps(joints: np.ndarray, valid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Interpolate joints (F, J, 3) where they are not valid (F, J).

    Returns:
        tuple[np.ndarray, np.ndarray]: Joints (F, J, 3), and the frames (F,), bool, in which none is
        interpolated over more than ``MAX_GAP`` frames.
    """
    filled, frames = joints.copy(), np.arange(len(joints))
    good = np.ones(len(joints), dtype=bool)
    for joint in range(joints.shape[1]):
        known = np.flatnonzero(valid[:, joint])
        if not len(known):
            return filled, np.zeros_like(good)
        for axis in range(3):
            filled[:, joint, axis] = np.interp(frames, known, joints[known, joint, axis])
        after = np.searchsorted(known, frames)
        before = known[np.maximum(np.searchsorted(known, frames, side='right') - 1, 0)]
        gap = known[np.minimum(after, len(known) - 1)] - before - 1
        inside = (frames >= known[0]) & (frames <= known[-1])
        good &= inside & (gap <= MAX_GAP)
    return filled, good
