"""Pictures of what the datasets of a config hold."""

import argparse
from pathlib import Path
from typing import Optional

import numpy as np
from rich.console import Console

from ..apis import load_config
from ..config.datasets import config_datasets
from ..core.errors import ConfigError
from ..datasets import ClipKey, MotionDataset
from ..visualization import ground_truth_track
from ..visualization.clip_sheet import draw_clip_sheet, stack_sheets
from ..visualization.frame_folder import FrameFolder
from ..visualization.picture_file import write_picture


def write_dataset_pictures(args: argparse.Namespace) -> int:
    """Draw clips of each dataset as one picture.

    Args:
        args (Namespace): Of ``analyze_dataset.py browse``.

    Returns:
        int: Exit status: 0.
    """
    if min(args.num_clips, args.num_frames) < 1 or args.height < 32:
        raise ConfigError(
            '`--num-clips` and `--num-frames` should be at least 1 and `--height` at least 32, got '
            f'{args.num_clips}, {args.num_frames} and {args.height}'
        )
    config = load_config(args.config, args.cfg_options, args.data_root)
    folder = None
    if args.frames_root is not None:
        folder = FrameFolder(args.frames_root, args.frames_pattern, args.first_frame)
    # File names may contain brackets, which are not markup.
    out, console = Path(args.out), Console(markup=False)
    out.mkdir(parents=True, exist_ok=True)
    for dataset in config_datasets(config, args.split, args.dataset):
        dataset.full_init()
        chosen = _spread(args.num_clips, len(dataset))
        picture = stack_sheets([_draw_clip(dataset, index, args, folder) for index in chosen])
        path = out / f'{dataset.dataset}.png'
        write_picture(path, picture)
        console.print(str(path), soft_wrap=True, highlight=False)
    if folder is not None and folder.missing:
        count = len(folder.missing)
        console.print(f'{count} frames are missing and dark, such as {folder.missing[0]}')
    return 0


def _draw_clip(
    dataset: MotionDataset, index: int, args: argparse.Namespace, folder: Optional[FrameFolder]
) -> np.ndarray:
    """Draw one clip of a dataset, as an RGB picture."""
    item = dataset[ClipKey(index, args.seed)]
    inputs, sample = item['inputs'], item['data_samples']
    start = sample.get('start')
    track = ground_truth_track(
        sample, dataset.data_root, with_mesh=args.mesh, K=inputs['K_fullimg']
    )
    notes = [f'{sample.get("dataset")}, {sample.get("domain")}', f'frames {start}–{sample.end - 1}']
    kind = 'test labels' if dataset.test_mode else f'labels: {sample.get("supervision")}'
    notes.append('no labels' if track is None else kind)
    notes.append('keypoints' if bool(inputs['has_kp2d']) else 'no keypoints')
    notes.append('features' if bool(inputs['has_imgfeat']) else 'no features')
    return draw_clip_sheet(
        sample.get('sequence'),
        inputs,
        tuple(sample.get('img_shape')),
        track,
        None if folder is None else lambda frame: folder.read(sample.sequence, start + frame),
        ' · '.join(notes),
        start,
        args.num_frames,
        args.height,
        args.follow,
    )


def _spread(count: int, length: int) -> list[int]:
    """Return up to ``count`` different indices below ``length``, spread evenly."""
    return np.unique(np.linspace(0, length - 1, count).round().astype(int)).tolist()
