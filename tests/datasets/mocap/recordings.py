"""AMASS files with a synthetic walk."""

import numpy as np
import torch

from gvhmr_da_mm.core.rotation import matrix_to_axis_angle, rotation_about_axis
from gvhmr_da_mm.demo.motions.clip import REST_PELVIS, load_clip


def walk(frame_rate=30.0, name='walk'):
    """Return poses (F, 66) and trans (F, 3) of a demo clip with z up, at a frame rate."""
    clip = load_clip(name)
    if frame_rate != 30:
        clip = clip.change_tempo(30 / frame_rate)
    z_up = rotation_about_axis('x', torch.tensor(torch.pi / 2))
    rotations = clip.rotations.clone()
    rotations[:, 0] = z_up @ rotations[:, 0]
    trans = clip.pelvis @ z_up.T - torch.tensor(REST_PELVIS)
    return matrix_to_axis_angle(rotations).flatten(1).numpy(), trans.numpy()


def fields(columns=165, frame_rate=30.0, **changes):
    """Return the fields of a file; None leaves one out."""
    poses, trans = walk(frame_rate)
    hands = np.zeros((len(poses), columns - 66), dtype=np.float32)
    content = dict(
        poses=np.concatenate((poses, hands), axis=1),
        trans=trans,
        betas=np.zeros(16),
        gender='neutral',
        mocap_frame_rate=frame_rate,
    )
    content.update(changes)
    return {key: value for key, value in content.items() if value is not None}


def write(path, **options):
    """Write a file and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **fields(**options))
    return path
