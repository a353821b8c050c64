"""Evaluation on videos of calibrated cameras: each view alone against joints of all views.

Note:
    Shape letters: F frames at 30 per second, J limb joints. Worlds of references have z up, those
    of predictions y up; joints are in metres.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...core.alignment import align_chunk
from ...core.conventions import FPS
from ...core.errors import DataError
from ...core.rotation import angle_between
from ...evaluation.functional import mpjpe, pa_mpjpe, root_trajectory_error, w_mpjpe, wa_mpjpe
from ...video.calibrated_views import View
from ...video.observe import Progress
from ...video.observed_video import ObservedVideo
from ...video.view_observation import ViewObservation, observe_view
from .drawing import draw_view
from .gravity import motion_gravity
from .keypoint_model import KeypointModel
from .limbs import LIMB_JOINTS, limb_rows
from .reference import Reference, make_reference

HIPS, ANKLES = limb_rows('hip'), limb_rows('ankle')
GRAVITY_Z_UP = (0.0, 0.0, -1.0)
OBSERVATIONS = 'observations'


def evaluate_calibrated(
    model: KeypointModel,
    videos: Sequence[tuple[View, Path]],
    out: Path,
    detector: str = 'mediapipe',
    progress: Callable[[str], Progress] = lambda name: iter,
) -> dict[str, dict[str, Any]]:
    """Predict each view alone, and compare it with joints triangulated from all views.

    The model gets the calibrated intrinsics, and no other part of the calibration.

    Args:
        model (KeypointModel): The model.
        videos (Sequence[tuple[View, Path]]): Synchronised still cameras, of :func:`.videos_of`.
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
        DataError: If there is no frame with a reference.
    """
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


def _evaluate_view(
    model: KeypointModel, view: View, seen: ViewObservation, reference: Reference, out: Path
) -> dict[str, Any]:
    """Predict one view and compare it."""
    person = seen.clip()
    end = min(person.start + len(person), len(reference.joints))
    frames, length = slice(person.start, end), end - person.start
    clip = ObservedVideo(view.K, seen, seen.rotation, [person]).inputs(0, slice(length))
    known = reference.valid[frames]
    if not known.any():
        raise DataError(f'{seen.source.path}: the person is seen in no frame with a reference')
    rows = known.nonzero()
    seconds = float(rows[-1] - rows[0]) / FPS
    true_c, true_w = reference.in_camera(view)[frames][known], reference.joints[frames][known]
    limbs = list(LIMB_JOINTS)
    result: dict[str, Any] = dict(frames=int(known.sum()), reference_mm=reference.residual)
    for name, stage in dict(network='network', ours='fitted').items():
        sample = model.predict(clip, stage)
        pred_c = model.coco_joints(sample, 'camera').double()[:, limbs]
        pred_w = model.coco_joints(sample, 'world').double()[known][:, limbs]
        result[name] = {
            **_camera_errors(pred_c[known], true_c),
            **_world_errors(pred_w, true_w, seconds),
        }
    down = motion_gravity(sample.pred_instances)
    true_down = torch.from_numpy(view.R @ np.array(GRAVITY_Z_UP))
    result['gravity_deg'] = float(torch.rad2deg(angle_between(down[known], true_down)).mean())
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


def _world_errors(pred: Tensor, true: Tensor, seconds: float) -> dict[str, float]:
    """Return errors of the motion through the world, in mm, per cent and mm per second."""
    root, true_root = (joints[:, HIPS].mean(dim=1) for joints in (pred, true))
    aligned = align_chunk(pred, true, scale=False)[:, HIPS].mean(dim=1)
    drift = ((aligned - true_root)[-1] - (aligned - true_root)[0])[:2]
    rise, true_rise = _hip_height(pred, 1), _hip_height(true, 2)
    return dict(
        w_mpjpe=float(w_mpjpe(pred, true).mean()),
        wa_mpjpe=float(wa_mpjpe(pred, true).mean()),
        rte=float(root_trajectory_error(root, true_root).mean()),
        drift=float(drift.norm()) * 1000 / seconds if seconds else float('nan'),
        pelvis_height=float(rise - true_rise) * 1000,
    )


def _hip_height(joints: Tensor, up: int) -> Tensor:
    """Return the mean height of the hips above the lowest ankle of the clip, metres."""
    return joints[:, HIPS, up].mean() - joints[:, ANKLES, up].min()
