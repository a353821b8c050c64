"""Writer of 3DPW: a hand-held camera, an arbitrarily rotated world, refitted training labels."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gvhmr_da_mm.core.camera import transform_smpl
from gvhmr_da_mm.core.extrinsics import invert_rigid, rigid_transform
from gvhmr_da_mm.core.rotation import project_to_so3
from gvhmr_da_mm.datasets.sources import ThreeDPWSource

from ..cameras import camera_trajectory, intrinsics
from ..motions.performance import Performance
from ..noise import slow_noise, white_noise
from ..observations import focal_ratio
from ..studio import Footage, Studio, good_frames, save


def _numbered(names: Sequence[str], times: int) -> tuple[str, ...]:
    """Return further names: of clips in the same place with other numbers."""
    parts = [name.rsplit('_', 2) for name in names]
    numbers = [2 * (time + 1) for time in range(times)]
    return tuple(f'{p}_{int(n) + more:02d}_{one}' for more in numbers for p, n, one in parts)


TEST = (
    'downtown_walking_00_0', 'downtown_walking_00_1', 'downtown_bar_00_1', 'outdoors_fencing_01_0',
    'flat_guitar_01_0', 'office_phoneCall_00_1', 'downtown_bus_00_0', 'downtown_stairs_00_0',
)  # fmt: skip
TRAIN = (
    'courtyard_box_00_0', 'courtyard_capoeira_00_0', 'courtyard_capoeira_00_1',
    'outdoors_climbing_00_0', 'courtyard_backpack_00_0', 'courtyard_dancing_01_0',
    'courtyard_golf_00_0', 'outdoors_slalom_00_0', 'courtyard_basketball_00_1',
    'courtyard_laceShoe_00_0', 'courtyard_rangeOfMotions_00_1', 'courtyard_shakeHands_00_1',
)  # fmt: skip
MORE_TEST = _numbered(TEST, 10)
MORE_TRAIN = _numbered(TRAIN[:8], 11)
"""Names of further clips, of the largest demos."""
FIXED_LENGTHS = {
    'courtyard_basketball_00_1': 470, 'courtyard_laceShoe_00_0': 935,
    'courtyard_rangeOfMotions_00_1': 605, 'courtyard_shakeHands_00_1': 395,
}  # fmt: skip
"""Frames of clips for which loaders may have constant valid ranges."""
KEYWORDS = {
    'walking': ('walk',), 'bus': ('walk',), 'stairs': ('walk',), 'slalom': ('run',),
    'climbing': ('crawl',), 'box': ('punch',), 'fencing': ('punch',), 'danc': ('dance_a',),
    'capoeira': ('cartwheel', 'spin'), 'backpack': ('walk',), 'basketball': ('run', 'spin'),
}  # fmt: skip
FOCAL_RATIO = (0.891, 0.002)
"""Focal length over image diagonal, mean and standard deviation."""
REFIT_NOISE = 0.006
"""Standard deviation of the fitting errors of SMPL-X labels, rad or metres."""
SIDE_STEP = 0.8
"""Distance (m) of each of two people from the middle between them."""


def write_threedpw(
    root: Path,
    studio: Studio,
    train: int,
    test: int,
    frame_range: tuple[int, int],
    advance: Callable[[], None],
) -> None:
    """Write a 3DPW pack.

    Args:
        root (Path): Data root.
        studio (Studio): Maker of the clips.
        train (int): Training clips.
        test (int): Test clips.
        frame_range (tuple[int, int]): Shortest and longest clip; four training clips beyond the
            first eight are as long as the originals.
        advance (Callable): Called after every clip.
    """
    source = ThreeDPWSource.below(root)
    for part, vids in (
        ('test', (TEST + MORE_TEST)[:test]),
        ('train', (TRAIN + MORE_TRAIN)[:train]),
    ):
        files = [file for file in source.files if file.in_part(part) and not file.per_sequence]
        shared: dict[Path, dict] = {file.at(source.folder, part, ''): {} for file in files}
        for vid, clip in _clips(studio, vids, part, frame_range):
            for field, record in clip.items():
                path = source.file_of(field, part, vid)
                if path in shared:
                    shared[path][vid] = record
                else:
                    save(record, path)
            advance()
        for path, records in shared.items():
            save(records, path)


def _clips(
    studio: Studio, vids: Sequence[str], part: str, frame_range: tuple[int, int]
) -> Iterator[tuple[str, dict]]:
    """Yield each clip and its records; people of one video share camera and world."""
    is_train = part == 'train'
    everything = TRAIN + MORE_TRAIN if is_train else TEST + MORE_TEST
    videos: dict[str, list[str]] = {}
    for vid in vids:
        videos.setdefault(vid.rpartition('_')[0], []).append(vid)
    for video, people in videos.items():
        rng = studio.rng('3dpw', int(is_train), everything.index(people[0]))
        frames = FIXED_LENGTHS.get(people[0], int(rng.integers(frame_range[0], frame_range[1] + 1)))
        usual = next((clips for word, clips in KEYWORDS.items() if word in video), ())
        cast = []
        for person in range(len(people)):
            gender = ('female', 'male')[int(rng.integers(2))]
            performance = studio.real_performance(usual, not is_train, frames, gender, rng)
            if len(people) > 1:
                performance = performance.move(torch.tensor([(2 * person - 1) * SIDE_STEP, 0, 0]))
            cast.append((gender, performance))
        # Two people side by side need a wide image.
        portrait = rng.random() < 0.5 and len(people) == 1
        width, height = (1080, 1920) if portrait else (1920, 1080)
        focal = focal_ratio(FOCAL_RATIO, studio.shift, rng) * (width**2 + height**2) ** 0.5
        K = intrinsics(width, height, focal, rng.normal(0, 2.0, 2))
        middle = torch.stack([performance.pelvis for _, performance in cast]).mean(0)
        T_y2c = camera_trajectory('walk', middle, K, height, rng)
        # "y" is the y-up world, "w" the arbitrarily rotated one of the dataset.
        T_y2w = _arbitrary_world(rng)
        for vid, (gender, performance) in zip(people, cast):
            cameras = (T_y2c, T_y2w, K, (width, height))
            clip = _clip(studio, vid, gender, performance, cameras, rng)
            for field in ('bbx_xys', 'flip_features') if is_train else ('valid_ranges',):
                del clip[field]
            yield vid, clip


def _arbitrary_world(rng: np.random.Generator) -> Tensor:
    rotation = project_to_so3(white_noise((3, 3), rng))
    return rigid_transform(rotation, torch.from_numpy(rng.uniform(-2, 2, 3)).float())


def _clip(
    studio: Studio,
    vid: str,
    gender: str,
    performance: Performance,
    cameras: tuple,
    rng: np.random.Generator,
) -> dict:
    """Make the records of one person, keyed by one field of each.

    ``cameras`` are (T_y2c, T_y2w, K, (width, height)).
    """
    T_y2c, T_y2w, K, img_wh = cameras
    film = studio.film(performance, T_y2c, K, img_wh[0], studio.shift, rng)
    labels = studio.smpl_labels(performance, gender, rng)
    kp2d = studio.keypoints(labels, gender, T_y2c, K, film.bbx_xys, img_wh, rng)
    root = studio.smpl[gender].skeleton(labels['betas'][0])[0]
    labels['global_orient'], labels['transl'] = transform_smpl(
        labels['global_orient'], labels['transl'], T_y2w, root
    )
    frames = len(kp2d)
    mask = good_frames(frames, rng)
    wh = torch.tensor(img_wh)
    return {
        'T_w2c': {
            'vname': vid.rpartition('_')[0],
            'K_fullimg': K,
            'T_w2c': T_y2c @ invert_rigid(T_y2w),
            'smpl_params': labels,
            'gender': gender,
            'mask_raw': torch.ones(frames, dtype=torch.bool),
            'mask_wham': mask,
            'img_wh': wh,
        },
        'valid_ranges': _refit(performance, film, frames, vid, rng),
        'kp2d': kp2d,
        'bbx_xys': {'bbx_xys': film.bbx_xys},
        'features': {'features': film.features.half(), 'bbx_xys': film.bbx_xys, 'img_wh': wh},
        'flip_features': {
            'features': film.flip_features.half(), 'bbx_xys': film.flip_bbx_xys, 'img_wh': wh,
        },
    }  # fmt: skip


def _refit(
    performance: Performance, film: Footage, frames: int, vid: str, rng: np.random.Generator
) -> dict:
    """Return SMPL-X labels in the camera with slow fitting errors, and their valid ranges."""

    def noisy(values: Tensor, scale: float) -> Tensor:
        return values + scale * slow_noise(frames, tuple(values.shape[1:]), 3.0, rng)

    whole = vid in FIXED_LENGTHS or rng.random() < 0.5
    first, last = (0, frames) if whole else (int(rng.integers(1, 6)), frames - 4)
    return {
        'smplx_params_incam': {
            'body_pose': noisy(performance.body_pose, REFIT_NOISE),
            'betas': performance.betas.expand(frames, -1).contiguous(),
            'global_orient': noisy(film.global_orient_c, REFIT_NOISE),
            'transl': noisy(film.transl_c, REFIT_NOISE),
        },
        'valid_range_list': [(first, last)],
    }
