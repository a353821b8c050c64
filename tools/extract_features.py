"""Find people in videos or folders of images: boxes, COCO-17 keypoints and image features.

Writes one .npz file per person at 30 frames per second, and manifest.json. What is done already is
skipped; a video that fails is told at the end, and tried again next time.
"""

import argparse
import sys
from contextlib import contextmanager
from pathlib import Path

from mmengine.config import DictAction
from rich.console import Console
from rich.progress import Progress

from gvhmr_da_mm.cli.command_line import report_errors
from gvhmr_da_mm.video.extract_features import extract_features
from gvhmr_da_mm.video.feature_job import FeatureJob

CONSOLE = Console()


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('path', type=Path, help='a video, a folder of images, or a folder of these')
    parser.add_argument('--out', type=Path, required=True, help='folder of the results')
    parser.add_argument('--checkpoint', help='weights of HMR2.0; without them no image features')
    parser.add_argument('--no-flip', action='store_true', help='no features of mirrored pictures')
    parser.add_argument('--fps', type=float, default=30, help='of folders of images')
    parser.add_argument('--image-scale', type=float, default=1, help='resize pictures first')
    parser.add_argument('--batch-size', type=int, default=16, help='crops at a time')
    parser.add_argument('--people', default='largest', help='largest (default), longest or all')
    add_detector_arguments(parser)
    return parser.parse_args()


def add_detector_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what concerns keypoints, and which videos are read."""
    parser.add_argument(
        '--keypoints',
        default='mediapipe',
        help='mediapipe (default), mmpose, an .npz file, or a folder of such files',
    )
    parser.add_argument(
        '--options',
        nargs='+',
        action=DictAction,
        default={},
        metavar='KEY=VALUE',
        help='of the networks: detector.pose2d=CONFIG, network.backbone.depth=32, ...',
    )
    parser.add_argument('--min-frames', type=int, default=30, help='people seen less are left out')
    parser.add_argument('--device', help='cpu, cuda, ...; default: a GPU if there is one')
    parser.add_argument('--limit', type=int, help='only the first so many videos')
    parser.add_argument('--dry-run', action='store_true', help='only tell what would be done')


@contextmanager
def frame_progress():
    """Show a bar for each loop over the frames of a video; it is gone when done."""
    with Progress(console=CONSOLE, transient=True) as bar:
        yield lambda name: lambda items: bar.track(items, description=name)


@report_errors
def main() -> None:
    """Observe all videos and tell what was found."""
    args = parse_args()
    job = FeatureJob(
        keypoints=args.keypoints,
        detector=args.options.get('detector', {}),
        people=args.people,
        min_frames=args.min_frames,
        checkpoint=args.checkpoint,
        network=args.options.get('network', {}),
        batch_size=args.batch_size,
        flip=not args.no_flip,
        image_scale=args.image_scale,
        device=args.device,
    )
    job.check()
    with frame_progress() as progress:
        report = extract_features(
            args.path, args.out, job, args.fps, args.limit, args.dry_run, progress
        )
    todo = report.planned - report.skipped
    doing = f'{todo} to do' if args.dry_run else f'{report.written} written'
    CONSOLE.print(f'{report.planned} videos: {report.skipped} done before, {doing}')
    for failure in report.failures:
        CONSOLE.print(f'[red]failed[/] {failure.id}: {failure.message}', soft_wrap=True)
    sys.exit(1 if report.failures else 0)


if __name__ == '__main__':
    main()
