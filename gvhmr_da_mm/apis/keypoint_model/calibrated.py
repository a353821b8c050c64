"""Evaluation on videos of calibrated cameras: each view alone against joints of all views.

Note:
    Shape letters: F frames at 30 per second, J limb joints. Worlds of references have z up, those
    of predictions y up; joints are in metres.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...core.alignment import align_chunk
from ...core.conventions import FPS
from ...core.errors import DataError
from ...core.filtering import gaussian_smooth
from ...datasets.clip import Clip
from ...evaluation.functional import mpjpe, pa_mpjpe, root_trajectory_error, w_mpjpe, wa_mpjpe
from ...video.calibrated_views import MIN_VIEWS, View, find_calibration, read_views
from ...video.frame_source import find_clips
from ...video.observe import Progress
from ...video.triangulation import triangulate_joints
from ...video.view_observation import ViewObservation, observe_view
from .drawing import draw_view
from .gravity import angle_between, gravity_in_camera
from .keypoint_model import KeypointModel
from .limbs import LIMB_JOINTS, limb_rows

HIPS, ANKLES = limb_rows('hip'), limb_rows('ankle')
MAX_GAP = 5
"""Frames over which the reference of a joint is interpolated."""
SMOOTHING = 1.0
"""Sigma in frames of the smoothing of the reference."""
GRAVITY_Z_UP = (0.0, 0.0, -1.0)
OBSERVATIONS = 'observations'


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


def evaluate_calibrated(
    model: KeypointModel,
    folder: Path,
    out: Path,
    detector: str = 'mediapipe',
    progress: Callable[[str], Progress] = lambda name: iter,
) -> dict[str, dict[str, Any]]:
    """Predict each view alone, and compare it with joints triangulated from all views.

    The model gets the calibrated intrinsics, and no other part of the calibration.

    Args:
        model (KeypointModel): The model.
        folder (Path): Videos of synchronised still cameras, named as in their calibration, a
            ``.qca.txt`` file.
        out (Path): Folder of ``observations``, which are kept for the next run, and of a picture of
            each view.
        detector (str): As for :func:`.build_detector`; ``mediapipe`` is compared, too. Defaults to
            ``mediapipe``.
        progress (Callable): Maps the name of a view to the wrapper of its loop over frames.
            Defaults to no wrapper.

    Returns:
        dict: By camera: ``ours``, ``network`` (without the fit) and ``mediapipe``, each with errors
        in mm; ``gravity_deg``; see docs/en/evaluation.md.

    Raises:
        MissingFilesError: If there is no such folder, or no video in it.
        DataError: If the calibration and the videos do not fit each other, or there is no frame
            with a reference.
    """
    videos = videos_of(folder)
    observed = {
        view.name: observe_view(
            video, view, out / OBSERVATIONS / f'{view.name}.npz', detector, progress(view.name)
        )
        for view, video in videos
    }
    views = [view for view, _ in videos]
    reference = make_reference(views, list(observed.values()))
    return {
        view.name: _evaluate_view(model, view, observed[view.name], reference, out)
        for view in views
    }


def videos_of(folder: Path) -> list[tuple[View, Path]]:
    """Return the calibrated cameras with their videos; cameras without a video are left out.

    Raises:
        MissingFilesError, DataError: As :func:`evaluate_calibrated`.
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


def _evaluate_view(
    model: KeypointModel, view: View, seen: ViewObservation, reference: Reference, out: Path
) -> dict[str, Any]:
    """Predict one view and compare it."""
    person = seen.clip()
    end = min(person.start + len(person), len(reference.joints))
    frames, length = slice(person.start, end), end - person.start
    clip = Clip(
        sequence=view.name,
        start=person.start,
        end=end,
        img_wh=person.img_wh,
        bbx_xys=torch.from_numpy(person.bbx_xys[:length]),
        K_fullimg=torch.from_numpy(view.K).float(),
        R_w2c=torch.from_numpy(seen.rotation.R_w2c[frames]).float(),
        kp2d=torch.from_numpy(person.kp2d[:length]),
        static_camera=seen.rotation.static,
    )
    known = reference.valid[frames]
    if not known.any():
        raise DataError(f'{seen.source.path}: the person is seen in no frame with a reference')
    true_c, true_w = reference.in_camera(view)[frames][known], reference.joints[frames][known]
    limbs = list(LIMB_JOINTS)
    result: dict[str, Any] = dict(frames=int(known.sum()), reference_mm=reference.residual)
    for name, stage in dict(network='network', ours='fitted').items():
        sample = model.predict(clip, stage)
        pred_c = model.coco_joints(sample, 'camera').double()[:, limbs]
        pred_w = model.coco_joints(sample, 'world').double()[known][:, limbs]
        result[name] = {
            **_camera_errors(pred_c[known], true_c),
            **_world_errors(pred_w, true_w, length),
        }
    down = gravity_in_camera(*(sample.pred_instances[f'global_orient_{space}'] for space in 'cw'))
    true_down = torch.from_numpy(view.R @ np.array(GRAVITY_Z_UP))
    result['gravity_deg'] = float(angle_between(down[known], true_down).mean())
    theirs = torch.from_numpy(seen.joints()[frames][:, limbs])[known]
    there = theirs.isfinite().all(dim=-1).all(dim=-1)
    if there.any():
        result['mediapipe'] = _camera_errors(theirs[there], true_c[there])
    picture = out / f'{view.name}.png'
    draw_view(picture, seen, view, person.start, pred_c, reference.in_camera(view)[frames], known)
    return result


def _camera_errors(pred: Tensor, true: Tensor) -> dict[str, float]:
    """Return errors of joints in the camera, in mm, and of the side that faces it."""
    return dict(
        pa_mpjpe=float(pa_mpjpe(pred, true).mean()),
        mpjpe=float(mpjpe(pred, true, HIPS).mean()),
        turned_share=float(_is_turned(pred, true).double().mean()),
    )


def _is_turned(pred: Tensor, true: Tensor) -> Tensor:
    """Return the frames (F,) in which the hips point the other way, as with sides exchanged."""
    line, true_line = (joints[:, HIPS[0]] - joints[:, HIPS[1]] for joints in (pred, true))
    return (line * true_line).sum(dim=-1) < 0


def _world_errors(pred: Tensor, true: Tensor, frames: int) -> dict[str, float]:
    """Return errors of the motion through the world, in mm, per cent and mm per second."""
    root, true_root = (joints[:, HIPS].mean(dim=1) for joints in (pred, true))
    aligned = align_chunk(pred, true, scale=False)[:, HIPS].mean(dim=1)
    drift = ((aligned - true_root)[-1] - (aligned - true_root)[0])[:2]
    rise, true_rise = _hip_height(pred, 1), _hip_height(true, 2)
    return dict(
        w_mpjpe=float(w_mpjpe(pred, true).mean()),
        wa_mpjpe=float(wa_mpjpe(pred, true).mean()),
        rte=float(root_trajectory_error(root, true_root).mean()),
        drift=float(drift.norm()) * 1000 * FPS / max(frames - 1, 1),
        pelvis_height=float(rise - true_rise) * 1000,
    )


def _hip_height(joints: Tensor, up: int) -> Tensor:
    """Return the mean height of the hips above the lowest ankle of the clip, metres."""
    return joints[:, HIPS, up].mean() - joints[:, ANKLES, up].min()
