"""Writer of the synthetic domain in the format of the published BEDLAM pack."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from gvhmr_da_mm.core.layout import NUM_JOINTS
from gvhmr_da_mm.datasets.sources import BEDLAMSource

from ..cameras import CAMERA_KINDS, camera_trajectory, intrinsics
from ..domain_shift import DomainShift
from ..observations import SYNTHETIC_FOCAL_RATIOS
from ..studio import Studio, save

SCENES = (
    '20221010_3_1000_batch01hand',
    '20221012_1_500_batch01hand_closeup_suburb_d',
    '20221018_3-8_250_batch01hand_orbit_archVizUI3_time15',
    '20221020_3-8_250_highbmihand_static_hallway',
    '20221024_3-10_100_batch01handhair_zoom_suburb_b',
)
SUBJECTS = ('rp_aaron_posed_002', 'rp_carla_posed_004', 'rp_emma_posed_008', 'rp_henry_posed_012')
SCENE_CAMERAS = {'static': 'static', 'orbit': 'orbit', 'zoom': 'zoom', 'closeup': 'walk'}
MIN_FRAMES = 60
NO_SHIFT = DomainShift.of(0.0)


def _camera_kind(scene: str, index: int) -> str:
    for word, kind in SCENE_CAMERAS.items():
        if word in scene:
            return kind
    return CAMERA_KINDS[index % len(CAMERA_KINDS)]


def write_bedlam(
    root: Path, studio: Studio, clips: int, max_frames: int, advance: Callable[[], None]
) -> None:
    """Write a BEDLAM pack.

    Args:
        root (Path): Data root.
        studio (Studio): Maker of the clips.
        clips (int): Number of clips; two thirds of them are valid in all frames.
        max_frames (int): Longest clip; the shortest has 60 frames.
        advance (Callable): Called after every clip.
    """
    source = BEDLAMSource.below(root)
    whole_part, span_part = source.parts
    labels, ranges = {}, {part: {} for part in source.parts}
    for index in range(clips):
        rng = studio.rng('bedlam', index)
        scene, subject = SCENES[index % len(SCENES)], SUBJECTS[index % len(SUBJECTS)]
        video = f'seq_{7 * index:06d}.mp4-{subject}'
        mid = f'inputs/bedlam/bedlam_download/{scene}/mp4/{video}'
        is_whole = index % 3 != 2
        # A partly valid clip is longer, so that its valid part has 60 frames too.
        low = MIN_FRAMES if is_whole else MIN_FRAMES + 20
        frames = int(rng.integers(low, max(max_frames, low) + 1))
        start, end = 0, frames
        if not is_whole:
            start = int(rng.integers(1, 11))
            end = frames - int(rng.integers(1, 10))
        labels[mid], features = _clip(studio, scene, index, frames, (start, end), rng)
        part = whole_part if is_whole else span_part
        ranges[part][mid] = (start, end)
        save(features, source.file_of('features', part, mid))
        advance()
    save(labels, source.labels)
    for part, listed in ranges.items():
        save(listed, source.index_file(part))


def _clip(
    studio: Studio, scene: str, index: int, frames: int, valid: tuple, rng: np.random.Generator
) -> tuple[dict, dict]:
    width, height = (720, 1280) if 'closeup' in scene else (1280, 720)
    ratio = float(rng.choice(SYNTHETIC_FOCAL_RATIOS))
    K = intrinsics(width, height, ratio * (width**2 + height**2) ** 0.5)
    performance = studio.synthetic_performance(frames, rng)
    T_w2c = camera_trajectory(_camera_kind(scene, index), performance.pelvis, K, height, rng)
    film = studio.film(performance, T_w2c, K, width, NO_SHIFT, rng)
    start, end = valid
    label = {
        'pose': torch.cat((performance.global_orient, performance.body_pose), dim=-1),
        'trans': performance.transl,
        'beta': performance.betas,
        'skeleton': studio.smplx.skeleton(performance.betas)[:NUM_JOINTS].clone(),
        'cam_int': K.repeat(frames, 1, 1),
        'cam_ext': T_w2c,
        'global_orient_incam': film.global_orient_c,
        # The published pack leaves the camera's translation out of this field.
        'trans_incam': film.transl_c - T_w2c[:, :3, 3],
    }
    features = {
        'features': film.features[start:end].half(),
        'bbx_xys': film.bbx_xys[start:end].clone(),
        'img_wh': torch.tensor([width, height]),
        'start_end': (start, end),
    }
    return label, features
