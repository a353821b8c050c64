"""Show a predicted sequence: an interactive page (.html), a video (.mp4) or a picture (.png)."""

import argparse
from pathlib import Path
from typing import Optional

import cv2

from gvhmr_da_mm.cli.command_line import report_errors
from gvhmr_da_mm.core.errors import ConfigError, DataError
from gvhmr_da_mm.structures import MotionDump, read_motion_dump
from gvhmr_da_mm.video.resampled_video import ResampledVideo
from gvhmr_da_mm.visualization import (
    MotionLocalVisualizer,
    ground_truth_track,
    prediction_track,
    write_html_viewer,
    write_motion_video,
)

KINDS = ('.html', '.mp4', '.png')


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('dump', help='npz file of a sequence, as tools/test.py --dump writes it')
    parser.add_argument(
        '--out', help='an .html, .mp4 or .png file; defaults to <sequence>.html in this folder'
    )
    parser.add_argument('--video', help='video to draw on; without it the background is dark')
    parser.add_argument('--data-root', help='folder of the body models')
    parser.add_argument(
        '--skeleton', action='store_true', help='skeletons only: faster, and without body models'
    )
    parser.add_argument('--height', type=int, default=360, help='of the video, px')
    return parser.parse_args()


def open_video(path: Optional[str], dump: MotionDump) -> Optional[ResampledVideo]:
    """Open the video where the sequence begins, at 30 frames a second; say so if there is none."""
    if path is None:
        return None
    if not Path(path).is_file():
        print(f'Note: there is no video {path!r}; drawing on a dark background')
        return None
    return ResampledVideo(path, dump.sample.get('start') or 0)


def write_video(path: Path, dump: MotionDump, args: argparse.Namespace) -> None:
    """Write prediction, labels and world side by side."""
    if 'img_shape' not in dump.sample:
        raise DataError(f'the metainfo of {dump.path} should have `img_shape` (height, width)')
    options = dict(
        data_root=args.data_root, with_mesh=not args.skeleton, K=dump.inputs.get('K_fullimg')
    )
    keypoints = dump.inputs.get('kp2d')
    write_motion_video(
        path,
        prediction_track(dump.sample, **options),
        tuple(dump.sample.img_shape[:2]),
        ground_truth_track(dump.sample, **options),
        open_video(args.video, dump),
        None if keypoints is None else keypoints.numpy(),
        height=args.height,
    )


def write_picture(path: Path, dump: MotionDump, args: argparse.Namespace) -> None:
    """Write a contact sheet."""
    visualizer = MotionLocalVisualizer(data_root=args.data_root, draw_mesh=not args.skeleton)
    sheet = visualizer.draw_datasample(
        dump.sample, open_video(args.video, dump), inputs=dump.inputs
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR)):
        raise OSError(f'cannot write the picture {str(path)!r}')


@report_errors
def main() -> None:
    """Read the sequence and write the file."""
    args = parse_args()
    path = Path(args.out or f'{Path(args.dump).stem}.html')
    if path.suffix not in KINDS:
        raise ConfigError(f'`--out` should end in one of {", ".join(KINDS)}, got {str(path)!r}')
    if args.height < 16:
        raise ConfigError(f'`--height` should be at least 16, got {args.height}')
    dump = read_motion_dump(args.dump)
    if path.suffix == '.html':
        write_html_viewer(path, dump, args.data_root, with_mesh=not args.skeleton)
    elif path.suffix == '.mp4':
        write_video(path, dump, args)
    else:
        write_picture(path, dump, args)
    print(path)


if __name__ == '__main__':
    main()
