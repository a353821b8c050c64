"""Evaluation on motion capture that virtual cameras film and a simulated detector observes."""

import csv
import io
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...core.conventions import FOOT_VERTEX_IDS
from ...core.errors import ConfigError, list_some
from ...core.rotation import angle_between
from ...datasets import AMASSDataset
from ...datasets.clip import Clip
from ...datasets.mocap.motion_sources import AMASSFolder
from ...datasets.windows import draw_window
from ...evaluation.functional import (
    contact_sliding,
    jitter,
    mpjpe,
    pa_mpjpe,
    root_trajectory_error,
    w_mpjpe,
    wa_mpjpe,
)
from ...evaluation.meshes import ProtocolMeshes
from ...evaluation.protocols import PROTOCOLS
from ...fileio.atomic_file import write_atomically
from ...video.observe import Progress
from .gravity import motion_gravity
from .keypoint_model import STAGES, KeypointModel

METRICS = ('pa_mpjpe', 'mpjpe', 'w_mpjpe', 'wa_mpjpe', 'rte', 'fs', 'jitter', 'gravity_deg')
MIN_FRAMES, MAX_FRAMES = 60, 300
MIN_TRAVEL = 1.0
"""Metres: RTE, per cent of the trajectory, says nothing of people who hardly leave their place."""
CLIP_TABLE = 'mocap.csv'
PROTOCOL = replace(PROTOCOLS['rich'], name='mocap', dataset='mocap', mask='all frames')
"""Joints as of EMDB and RICH; prediction and truth are of one body model."""


def evaluate_mocap(
    model: KeypointModel,
    dataset: AMASSDataset,
    out: Path,
    clips: int = 100,
    seed: int = 0,
    progress: Progress = iter,
) -> dict[str, Any]:
    """Predict clips of motion capture, and compare them with the recorded motion.

    The clips depend on the recordings and the seed, not on the model.

    Args:
        model (KeypointModel): The model.
        dataset (AMASSDataset): The recordings, of :func:`open_mocap`.
        out (Path): Folder for ``mocap.csv``, with the numbers of each clip.
        clips (int): Number of clips. Defaults to 100.
        seed (int): Seed of clips, cameras, shapes and detections. Defaults to 0.
        progress (Callable): Wraps the loop over clips. Defaults to ``iter``.

    Returns:
        dict: ``network`` and ``fitted``, each with ``METRICS`` and ``frames_per_second``; numbers
        of ``clips``, ``frames`` and ``subjects``.
    """
    meshes = ProtocolMeshes(PROTOCOL, dataset.data_root)
    rows, seconds = [], dict.fromkeys(STAGES, 0.0)
    values: dict[str, dict[str, list[Tensor]]] = {
        stage: {name: [] for name in METRICS} for stage in STAGES
    }
    for number, clip in enumerate(progress(list(film(dataset, clips, seed)))):
        clip.kp2d = model.detect(clip, seed + number)
        for stage in STAGES:
            start = time.perf_counter()
            sample = model.predict(clip, stage)
            seconds[stage] += time.perf_counter() - start
            errors = _errors(meshes, dict(sample.pred_instances.items()), clip.labels)
            for name, error in errors.items():
                values[stage][name].append(error)
            rows.append(_row(clip, stage, errors))
    _write_table(out / CLIP_TABLE, rows)
    frames = sum(row['frames'] for row in rows) // len(STAGES)
    result: dict[str, Any] = {
        stage: {
            **{name: _mean(torch.cat(errors)) for name, errors in values[stage].items()},
            'frames_per_second': frames / seconds[stage],
        }
        for stage in STAGES
    }
    subject_names = {str(Path(row['sequence']).parent) for row in rows}
    return dict(result, clips=len(rows) // len(STAGES), frames=frames, subjects=len(subject_names))


def open_mocap(folder: Path, data_root: Path, subjects: Sequence[str] = ('*',)) -> AMASSDataset:
    """Open the recordings of a folder, at their own tempo.

    Args:
        folder (Path): Files in AMASS' format.
        data_root (Path): Folder of the body models.
        subjects (Sequence[str]): Patterns of folders below ``folder`` or of names of recordings.
            Defaults to all.

    Raises:
        DataError: If there is no recording of at least two seconds.
        ConfigError: If none is of these subjects.
    """
    names = AMASSFolder(folder).require_names()
    include = [name for pattern in subjects for name in (pattern, f'{pattern}/*', f'*/{pattern}/*')]
    if not any(fnmatch(name, pattern) for name in names for pattern in include):
        known = sorted({Path(name).parent.as_posix() for name in names})
        raise ConfigError(
            f'`subjects` should name folders of {folder}, such as {list_some(known)}; got '
            f'{list(subjects)}'
        )
    return AMASSDataset(
        data_root=data_root,
        motions=folder.absolute(),
        include=include,
        speed=(1.0, 1.0),
        min_len=MAX_FRAMES,
        max_len=MAX_FRAMES,
        min_frames=MIN_FRAMES,
    )


def film(dataset: AMASSDataset, clips: int, seed: int) -> Iterator[Clip]:
    """Film windows of recordings in random order; long ones come more often.

    Args:
        dataset (AMASSDataset): The recordings.
        clips (int): Number of windows.
        seed (int): Seed of the order, windows, bodies and cameras.
    """
    order = np.random.default_rng(seed).permutation(len(dataset))
    for number in range(clips):
        info = dict(dataset.get_data_info(int(order[number % len(order)])), seed=seed + number)
        rng = np.random.default_rng((seed, number))
        start, end = draw_window(info['start'], info['end'], dataset.min_len, dataset.max_len, rng)
        yield dataset.read_clip(info, start, end)


def _errors(
    meshes: ProtocolMeshes, pred: dict[str, Tensor], labels: dict[str, Tensor]
) -> dict[str, Tensor]:
    """Return the values of each frame of a clip by metric."""
    pred_c, _ = _points(meshes, pred, 'c')
    true_c, _ = _points(meshes, labels, 'c')
    pred_w, pred_feet = _points(meshes, pred, 'w')
    true_w, true_feet = _points(meshes, labels, 'w')
    root, true_root = (joints[:, PROTOCOL.root] for joints in (pred_w, true_w))
    rte = root_trajectory_error(root, true_root)
    if true_root.diff(dim=0).norm(dim=-1).sum() < MIN_TRAVEL:
        rte = rte.new_zeros(0)
    return dict(
        pa_mpjpe=pa_mpjpe(pred_c, true_c),
        mpjpe=mpjpe(pred_c, true_c, PROTOCOL.pelvis),
        w_mpjpe=w_mpjpe(pred_w, true_w),
        wa_mpjpe=wa_mpjpe(pred_w, true_w),
        rte=rte,
        fs=contact_sliding(pred_feet, true_feet),
        jitter=jitter(pred_w),
        gravity_deg=torch.rad2deg(angle_between(motion_gravity(pred), motion_gravity(labels))),
    )


def _points(meshes: ProtocolMeshes, motion: dict[str, Tensor], space: str) -> tuple[Tensor, Tensor]:
    """Return joints and points of the feet of a motion in a space, ``c`` or ``w``."""
    names = ('body_pose', 'betas', f'global_orient_{space}', f'transl_{space}')
    return meshes.predicted_points(FOOT_VERTEX_IDS, *(motion[name] for name in names))


def _row(clip: Clip, stage: str, errors: dict[str, Tensor]) -> dict[str, Any]:
    return dict(
        sequence=clip.sequence,
        start=clip.start,
        frames=len(clip),
        static_camera=clip.static_camera,
        stage=stage,
        **{name: round(_mean(error), 3) for name, error in errors.items()},
    )


def _mean(values: Tensor) -> float:
    """Return the mean of the values that are defined; NaN without any."""
    return float(values[values.isfinite()].mean())


def _write_table(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    write_atomically(path, text.getvalue().encode())
