"""Draw clips of the datasets of a config: boxes, keypoints and projected labels on their frames."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Optional

import numpy as np
from rich.console import Console

from gvhmr_da_mm.cli.command_line import add_dataset_arguments, report_errors
from gvhmr_da_mm.config.choices import SPLITS
from gvhmr_da_mm.core.errors import ConfigError

if TYPE_CHECKING:
    from gvhmr_da_mm.datasets import MotionDataset
    from gvhmr_da_mm.visualization.frame_folder import FrameFolder


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_dataset_arguments(parser)
    parser.add_argument(
        '--split', nargs='+', choices=SPLITS, default=['train', 'test'], help='which dataloaders'
    )
    parser.add_argument('--out', default='browse', help='folder of the pictures')
    parser.add_argument('--num-clips', type=int, default=6, help='of each dataset, spread evenly')
    parser.add_argument('--num-frames', type=int, default=6, help='of each clip')
    parser.add_argument('--height', type=int, default=240, help='of a frame, px')
    parser.add_argument('--follow', action='store_true', help='show the person, not whole frames')
    parser.add_argument('--mesh', action='store_true', help='draw labels as meshes, not skeletons')
    parser.add_argument('--seed', type=int, default=0, help='draws the windows of training clips')
    parser.add_argument('--frames-root', help='folder of the frames; without it tiles are dark')
    parser.add_argument(
        '--frames-pattern',
        default='{sequence}/{frame:05d}.jpg',
        help='path of a frame below it, of {sequence}, {video} and {frame}; default %(default)s',
    )
    parser.add_argument('--first-frame', type=int, default=0, help='number of frame 0 in the path')
    return parser.parse_args()


def draw_item(
    dataset: MotionDataset, index: int, args: argparse.Namespace, folder: Optional[FrameFolder]
) -> np.ndarray:
    """Draw one item of a dataset."""
    from gvhmr_da_mm.datasets import ClipKey
    from gvhmr_da_mm.visualization import ground_truth_track
    from gvhmr_da_mm.visualization.clip_sheet import draw_clip_sheet

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


def spread(count: int, length: int) -> list[int]:
    """Return up to ``count`` different indices below ``length``, spread evenly."""
    return np.unique(np.linspace(0, length - 1, count).round().astype(int)).tolist()


@report_errors
def main() -> None:
    """Draw one picture for each dataset."""
    args = parse_args()
    if min(args.num_clips, args.num_frames) < 1 or args.height < 32:
        raise ConfigError(
            '`--num-clips` and `--num-frames` should be at least 1 and `--height` at least 32, got '
            f'{args.num_clips}, {args.num_frames} and {args.height}'
        )
    # After the command line was read: PyTorch and MMEngine take seconds to import.
    from gvhmr_da_mm.apis import load_config
    from gvhmr_da_mm.config.datasets import config_datasets
    from gvhmr_da_mm.visualization.clip_sheet import stack_sheets
    from gvhmr_da_mm.visualization.frame_folder import FrameFolder
    from gvhmr_da_mm.visualization.picture_file import write_picture

    config = load_config(args.config, args.cfg_options, args.data_root)
    folder = None
    if args.frames_root is not None:
        folder = FrameFolder(args.frames_root, args.frames_pattern, args.first_frame)
    # File names may contain brackets, which are not markup.
    out, console = Path(args.out), Console(markup=False)
    out.mkdir(parents=True, exist_ok=True)
    for dataset in config_datasets(config, args.split, args.dataset):
        dataset.full_init()
        chosen = spread(args.num_clips, len(dataset))
        picture = stack_sheets([draw_item(dataset, index, args, folder) for index in chosen])
        path = out / f'{dataset.dataset}.png'
        write_picture(path, picture)
        console.print(str(path), soft_wrap=True, highlight=False)
    if folder is not None and folder.missing:
        count = len(folder.missing)
        console.print(f'{count} frames are missing and dark, such as {folder.missing[0]}')


if __name__ == '__main__':
    main()
