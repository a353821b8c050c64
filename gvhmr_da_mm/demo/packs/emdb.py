"""Writer of EMDB: a hand-held camera, gendered SMPL labels in a y-up world."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from gvhmr_da_mm.datasets.sources import EMDBSource

from ..cameras import camera_trajectory, estimated_camera_track, intrinsics
from ..observations import focal_ratio
from ..studio import Studio, good_frames, save

EMDB1 = (
    'P1_14_outdoor_climb', 'P2_23_outdoor_hug_tree', 'P3_31_outdoor_workout',
    'P3_32_outdoor_soccer_warmup_a', 'P3_33_outdoor_soccer_warmup_b', 'P5_42_indoor_dancing',
    'P5_44_indoor_rom', 'P6_49_outdoor_big_stairs_down', 'P6_50_outdoor_workout',
    'P6_51_outdoor_dancing', 'P7_57_outdoor_rock_chair', 'P7_59_outdoor_rom',
    'P7_60_outdoor_workout', 'P8_64_outdoor_skateboard', 'P8_68_outdoor_handstand',
    'P8_69_outdoor_cartwheel', 'P9_76_outdoor_sitting',
)  # fmt: skip
EMDB2 = (
    'P0_09_outdoor_walk', 'P2_19_indoor_walk_off_mvs', 'P2_20_outdoor_walk',
    'P2_24_outdoor_long_walk', 'P3_27_indoor_walk_off_mvs', 'P3_28_outdoor_walk_lunges',
    'P3_29_outdoor_stairs_up', 'P3_30_outdoor_stairs_down', 'P4_35_indoor_walk',
    'P4_36_outdoor_long_walk', 'P4_37_outdoor_run_circle', 'P5_40_indoor_walk_big_circle',
    'P6_48_outdoor_walk_downhill', 'P6_49_outdoor_big_stairs_down', 'P7_55_outdoor_walk',
    'P7_56_outdoor_stairs_up_down', 'P7_57_outdoor_rock_chair', 'P7_58_outdoor_parcours',
    'P7_61_outdoor_sit_lie_walk', 'P8_64_outdoor_skateboard', 'P8_65_outdoor_walk_straight',
    'P9_77_outdoor_stairs_up', 'P9_78_outdoor_stairs_up_down', 'P9_79_outdoor_walk_rectangle',
    'P9_80_outdoor_walk_big_circle',
)  # fmt: skip
TRAINING = (
    'P0_00_mvs_a', 'P0_05_indoor_rom', 'P1_12_mvs_b', 'P2_22_outdoor_jog', 'P4_34_mvs_a',
    'P5_43_indoor_ball', 'P7_54_outdoor_jump', 'P9_75_outdoor_play',
)  # fmt: skip
"""Names in neither test split; the real pack may have others, or none."""
MORE_TRAINING = tuple(f'{name}_{take}' for take in range(2, 14) for name in TRAINING)
"""Names of further training sequences, of the largest demos."""
SHARED = tuple(name for name in EMDB1 if name in EMDB2)

KEYWORDS = {
    'walk': ('walk',), 'run': ('run',), 'jog': ('run',), 'stairs': ('walk',), 'climb': ('crawl',),
    'lie': ('getup_facedown', 'walk'), 'sit': ('getup_facedown',), 'danc': ('dance_a',),
    'cartwheel': ('cartwheel',), 'handstand': ('cartwheel',), 'workout': ('punch', 'spin'),
    'soccer': ('run', 'spin'), 'skateboard': ('walk',), 'rom': ('dance_a', 'punch'),
    'parcours': ('run', 'spin'), 'ball': ('punch', 'spin'), 'play': ('run', 'dance_a'),
}  # fmt: skip
"""Synthetic motions that suit a word of the sequence name."""
SLOPES = {'stairs_up_down': 0.0, 'stairs_down': -0.25, 'stairs_up': 0.25, 'downhill': -0.12}
"""Metres of height for each metre walked, by a word of the sequence name."""
FOCAL_RATIO = (0.62, 0.012)
"""Focal length over image diagonal, mean and standard deviation."""
LOW_RESOLUTION = 'P0_09_outdoor_walk'


def choose_names(split1: int, split2: int, training: int) -> list[str]:
    """Choose sequence names, sorted; the splits share at least one if both are not empty.

    Args:
        split1 (int): EMDB-1 sequences.
        split2 (int): EMDB-2 sequences.
        training (int): Sequences in neither.
    """
    first = _spread([n for n in EMDB1 if n not in SHARED], SHARED, split1)
    second = _spread([n for n in EMDB2 if n not in SHARED], SHARED, split2)
    return sorted({*first, *second, *(TRAINING + MORE_TRAINING)[:training]})


def _spread(own: Sequence[str], shared: Sequence[str], count: int) -> list[str]:
    """Choose one shared name, then own ones evenly over the list, then more shared ones."""
    if count == 0:
        return []
    rest = min(count - 1, len(own))
    step = len(own) / max(rest, 1)
    chosen = [shared[0], *(own[int(index * step)] for index in range(rest))]
    return chosen + list(shared[1 : 1 + count - len(chosen)])


def write_emdb(
    root: Path,
    studio: Studio,
    names: Sequence[str],
    frame_range: tuple[int, int],
    advance: Callable[[], None],
) -> None:
    """Write an EMDB pack.

    Args:
        root (Path): Data root.
        studio (Studio): Maker of the clips.
        names (Sequence[str]): Sequences, see :func:`choose_names`.
        frame_range (tuple[int, int]): Shortest and longest sequence.
        advance (Callable): Called after every sequence.
    """
    source = EMDBSource.below(root)
    records, tracks = {}, {}
    everything = (*EMDB1, *EMDB2, *TRAINING, *MORE_TRAINING)
    for name in names:
        # Seeded by the index in the full list: every demo size gives the same sequence.
        rng = studio.rng('emdb', everything.index(name))
        frames = int(rng.integers(frame_range[0], frame_range[1] + 1))
        records[name], flipped = _sequence(studio, name, frames, rng)
        tracks[name] = estimated_camera_track(records[name]['T_w2c'], rng)
        if _is_test(name):
            save(flipped, source.file_of('flip_features', name=name))
        advance()
    save(records, source.index_file(''))
    save(tracks, source.file_of('dpvo_poses'))


def _is_test(name: str) -> bool:
    return name in EMDB1 or name in EMDB2


def _sequence(
    studio: Studio, name: str, frames: int, rng: np.random.Generator
) -> tuple[dict, dict]:
    width, height = (720, 960) if name == LOW_RESOLUTION else (1440, 1920)
    diagonal = (width**2 + height**2) ** 0.5
    focal = focal_ratio(FOCAL_RATIO, studio.shift, rng) * diagonal
    K = intrinsics(width, height, focal, rng.normal(0, 0.002 * diagonal, 2))
    gender = ('female', 'male')[int(rng.integers(2))]
    usual = next((clips for word, clips in KEYWORDS.items() if word in name), ())
    performance = studio.real_performance(usual, _is_test(name), frames, gender, rng)
    # Film on level ground, then lift person and camera to the slope.
    climb = _climb(name, performance.pelvis)
    T_w2c = camera_trajectory('walk', performance.pelvis, K, height, rng)
    film = studio.film(performance, T_w2c, K, width, studio.shift, rng)
    lift = torch.zeros(frames, 3)
    lift[:, 1] = climb
    performance = performance.move(lift)
    T_w2c[:, :3, 3] -= (T_w2c[:, :3, :3] @ lift[..., None])[..., 0]
    labels = studio.smpl_labels(performance, gender, rng)
    kp2d = studio.keypoints(labels, gender, T_w2c, K, film.bbx_xys, (width, height), rng)
    record = {
        'name': name,
        'gender': gender,
        'smpl_params': labels,
        'mask': good_frames(frames, rng),
        'K_fullimg': K,
        'T_w2c': T_w2c,
        'bbx_xys': film.bbx_xys,
        'kp2d': kp2d,
        'features': film.features,
    }
    flipped = {
        'bbx_xys': film.flip_bbx_xys,
        'features': film.flip_features.half(),
        'img_wh': torch.tensor([width, height]),
    }
    return record, flipped


def _climb(name: str, pelvis: torch.Tensor) -> torch.Tensor:
    """Return the height (F,) of the ground below the person, by the name of the sequence."""
    slope = next((slope for word, slope in SLOPES.items() if word in name), None)
    if slope is None:
        return torch.zeros(len(pelvis))
    walked = pelvis[:, [0, 2]].diff(dim=0, prepend=pelvis[:1, [0, 2]]).norm(dim=-1).cumsum(0)
    if slope == 0:  # up, then down again
        return 0.25 * torch.minimum(walked, walked[-1] - walked)
    return slope * walked
