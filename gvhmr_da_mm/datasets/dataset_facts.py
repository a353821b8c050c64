"""Statistics of a dataset: clips, lengths, cameras, boxes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Optional

import numpy as np

from ..core.checks import check_at_least
from ..core.conventions import FPS
from .clip import Clip
from .motion_dataset import MotionDataset

LENGTH_BINS = (0, 30, 60, 120, 300, 600, 1200, 3000)
"""Lower edges of the length histogram in frames; the last bin is open."""
PERCENTILES = (5, 50, 95)


@dataclass
class DatasetFacts:
    """Statistics of a dataset.

    Note:
        ``focal``, ``box`` and ``box_share`` hold the 5th, 50th and 95th percentile over the frames
        that were read.

    Attributes:
        name (str): The dataset.
        domain (str): ``synthetic`` or ``real``.
        clips (int): Distinct clips.
        sequences (int): Distinct sequences.
        frames (int): Frames of all clips.
        hours (float): Their duration at 30 frames per second.
        length (list[int]): Shortest, median and longest clip in frames.
        length_histogram (dict[str, int]): Clips per range of frames.
        image_sizes (dict[str, int]): Clips per ``width x height``.
        focal (list[float]): Focal length over the image diagonal.
        box (list[float]): Side of the box in px.
        box_share (list[float]): Side of the box over the shorter side of the image.
        with_labels (int): Clips with labels under the options of the dataset.
        with_keypoints (int): Clips with detected keypoints.
        with_features (int): Clips with image features.
        static_cameras (int): Clips with a static camera.
        frames_read (int): Frames that focal lengths and boxes are from.
    """

    name: str
    domain: str
    clips: int
    sequences: int
    frames: int
    hours: float
    length: list[int]
    length_histogram: dict[str, int]
    image_sizes: dict[str, int]
    focal: list[float]
    box: list[float]
    box_share: list[float]
    with_labels: int
    with_keypoints: int
    with_features: int
    static_cameras: int
    frames_read: int


def different_clips(dataset: MotionDataset) -> list[dict]:
    """Return the clips of a dataset; long ones are listed several times per epoch, here once."""
    clips: dict[tuple, dict] = {}
    for index in range(len(dataset)):
        info = dataset.get_data_info(index)
        clips.setdefault((info['sequence'], info['start'], info['end']), info)
    return list(clips.values())


def length_histogram(lengths: np.ndarray) -> dict[str, int]:
    """Count lengths (N,) in frames per range of :data:`LENGTH_BINS`."""
    counts = np.histogram(lengths, bins=[*LENGTH_BINS, np.inf])[0]
    names = [f'{low}-{high - 1}' for low, high in zip(LENGTH_BINS, LENGTH_BINS[1:])]
    return dict(zip([*names, f'{LENGTH_BINS[-1]}+'], counts.tolist()))


def measure_dataset(
    dataset: MotionDataset,
    frames_per_clip: int = 3,
    max_clips: Optional[int] = None,
    seed: int = 0,
    progress: Any = iter,
) -> DatasetFacts:
    """Compute the statistics of a dataset.

    Lengths are of all clips; cameras and boxes of some frames of each clip, evenly spaced.

    Args:
        dataset (MotionDataset): The dataset.
        frames_per_clip (int): Frames to read of a clip; 0 reads all of them. Defaults to 3.
        max_clips (int, optional): Clips to read frames of at most, drawn at random. Defaults to
            None: all.
        seed (int): Of that draw. Defaults to 0.
        progress (Callable): Wraps the list of clips to read, for a progress bar.

    Returns:
        DatasetFacts: The numbers.

    Raises:
        ConfigError: If an argument is negative.
        DataError: If a clip cannot be read.
    """
    check_at_least(0, frames_per_clip=frames_per_clip)
    check_at_least(1, max_clips=max_clips)
    infos = different_clips(dataset)
    lengths = np.array([info['end'] - info['start'] for info in infos])
    read = np.sort(np.random.default_rng(seed).permutation(len(infos))[:max_clips])
    focal, box, share = [], [], []
    sizes: dict[str, int] = {}
    counts = dict(with_labels=0, with_keypoints=0, with_features=0, static_cameras=0)
    for index in progress(read.tolist()):
        for number, clip in enumerate(_parts(dataset, infos[index], frames_per_clip)):
            width, height = clip.img_wh
            K = clip.K_fullimg.expand(len(clip), 3, 3).double().numpy()
            side = clip.bbx_xys[:, 2].double().numpy()
            focal.append((K[:, 0, 0] + K[:, 1, 1]) / 2 / np.hypot(width, height))
            box.append(side)
            share.append(side / min(width, height))
            if number:
                continue
            sizes[f'{width}x{height}'] = sizes.get(f'{width}x{height}', 0) + 1
            counts['with_labels'] += clip.labels is not None
            counts['with_keypoints'] += clip.kp2d is not None
            counts['with_features'] += clip.f_imgseq is not None
            counts['static_cameras'] += clip.static_camera
    return DatasetFacts(
        name=dataset.dataset,
        domain=dataset.domain,
        clips=len(infos),
        sequences=len({info['sequence'] for info in infos}),
        frames=int(lengths.sum()),
        hours=float(lengths.sum() / FPS / 3600),
        length=[int(lengths.min()), int(np.median(lengths)), int(lengths.max())],
        length_histogram=length_histogram(lengths),
        image_sizes=dict(sorted(sizes.items())),
        focal=_percentiles(focal),
        box=_percentiles(box),
        box_share=_percentiles(share),
        frames_read=sum(map(len, box)),
        **counts,
    )


def _parts(dataset: MotionDataset, info: dict, frames: int) -> Iterator[Clip]:
    """Read a clip as a whole, or single frames of it."""
    start, end = info['start'], info['end']
    if frames == 0:
        yield dataset.read_clip(info, start, end)
        return
    count = min(frames, end - start)
    # The middles of equal parts, as the first frame of a clip is not typical.
    for number in range(count):
        frame = start + int((number + 0.5) * (end - start) / count)
        yield dataset.read_clip(info, frame, frame + 1)


def _percentiles(values: list[np.ndarray]) -> list[float]:
    return np.percentile(np.concatenate(values), PERCENTILES).tolist()
