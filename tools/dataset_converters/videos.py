"""Extract people from videos: a sequence pack without labels, or features (docs/en/videos.md).

Videos are resampled to 30 frames per second. Videos without people and unreadable files are
reported, recorded, and tried again next time; finished ones are skipped.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress

from gvhmr_da_mm.cli.command_line import ConfigOptions, add_executor_arguments, report_errors
from gvhmr_da_mm.core.errors import ConfigError

if TYPE_CHECKING:
    from gvhmr_da_mm.video.feature_job import FeatureJob

CONSOLE = Console()
MAX_LISTED_FILES = 5
MAX_LISTED_FAILURES = 3


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest='command', required=True)
    common = common_arguments()
    pack = commands.add_parser(
        'pack',
        parents=[common],
        help='write a sequence pack: one person of each video is one sequence',
    )
    pack.add_argument(
        '--camera',
        default='gyro',
        help='gyro (default), static, a file of world-to-camera rotations or poses, a folder of '
        'these, or a calibration (.qca.txt)',
    )
    pack.add_argument(
        '--focal', help='focal length: pixels, or such as 24mm; default: the image diagonal'
    )
    pack.add_argument(
        '--features',
        type=Path,
        metavar='DIR',
        help='folder that the command `features` has filled; its boxes and keypoints are used, too',
    )
    pack.add_argument('--split', default='train', help='split of the sequences')
    pack.set_defaults(no_labels=True, run=make_pack)  # Videos have no labels.
    features = commands.add_parser(
        'features',
        parents=[common],
        help='write boxes, keypoints and image features: one .npz file for each person',
    )
    features.add_argument('--no-flip', action='store_true', help='no features of mirrored pictures')
    features.add_argument('--image-scale', type=float, default=1, help='resize pictures first')
    features.add_argument('--batch-size', type=int, default=16, help='crops at a time')
    features.set_defaults(run=make_features)
    return parser.parse_args()


def common_arguments() -> argparse.ArgumentParser:
    """Return the arguments of both commands."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument(
        'source', metavar='IN', type=Path, help='a video, a folder of images, or a folder of these'
    )
    parser.add_argument('out', metavar='OUT', type=Path, help='folder of the results')
    parser.add_argument(
        '--keypoints',
        default='mediapipe',
        help='mediapipe (default), rtmlib, mmpose, an .npz file, or a folder of {video}.npz',
    )
    parser.add_argument(
        '--people',
        default='largest',
        help='largest (default) or longest; `features` also takes all',
    )
    parser.add_argument(
        '--min-frames', type=int, default=30, help='people seen in fewer frames are left out'
    )
    parser.add_argument('--checkpoint', help='weights of HMR2.0; without them no image features')
    parser.add_argument('--fps', type=float, default=30, help='of folders of images')
    parser.add_argument('--device', help='of the networks; default: a GPU if there is one')
    parser.add_argument(
        '--options',
        nargs='+',
        action=ConfigOptions,
        default={},
        metavar='KEY=VALUE',
        help='of the networks: detector.pose2d=CONFIG, network.backbone.depth=32, ...',
    )
    add_executor_arguments(parser)
    parser.add_argument('--limit', type=int, help='only the first so many videos')
    parser.add_argument(
        '--dry-run', action='store_true', help='report what there is; write nothing'
    )
    return parser


def make_job(args: argparse.Namespace, **options) -> FeatureJob:
    """Return the job that extracts people, with the options of the command line."""
    from gvhmr_da_mm.video.feature_job import FeatureJob

    return FeatureJob(
        keypoints=args.keypoints,
        detector=args.options.get('detector', {}),
        people=args.people,
        min_frames=args.min_frames,
        checkpoint=args.checkpoint,
        network=args.options.get('network', {}),
        device=args.device,
        **options,
    )


def print_plain(text: str) -> None:
    """Print a line without markup, as file names may contain brackets."""
    CONSOLE.print(text, soft_wrap=True, markup=False, highlight=False)


def print_unread(source: Path) -> None:
    """Print the files of a folder that are neither videos nor frames."""
    from gvhmr_da_mm.video.frame_source import unread_files

    unread = [str(file.relative_to(source)) for file in unread_files(source)]
    if unread:
        listed, more = unread[:MAX_LISTED_FILES], len(unread) - MAX_LISTED_FILES
        rest = f' and {more} more' if more > 0 else ''
        print_plain(f'Not read: {", ".join(listed)}{rest}')


def make_pack(args: argparse.Namespace) -> int:
    """Convert the videos; missing packages and files are reported before one is read."""
    # After the command line was read: PyTorch and MMEngine take seconds to import.
    from gvhmr_da_mm.cli.convert_dataset import convert_dataset
    from gvhmr_da_mm.datasets.packs import is_pack
    from gvhmr_da_mm.video.video_converter import VideoConverter

    if args.features and args.checkpoint:
        raise ConfigError(
            f'`--features {args.features}` contains image features: leave `--checkpoint` out'
        )
    job = make_job(args)
    converter = VideoConverter(
        args.source, job, args.camera, args.focal, args.features, args.fps, args.split
    )
    if args.features is None:
        job.check()
    print_unread(args.source)
    code = convert_dataset(converter, args.out, args)
    if not args.dry_run and is_pack(args.out):
        print_notes(args.out)
    return code


def print_notes(out: Path) -> None:
    """Print frames, camera motion, notes and failures of each video."""
    from gvhmr_da_mm.datasets.packs import SequencePack

    for name, entry in SequencePack(out, allow_incomplete=True).entries.items():
        camera = entry.extra.get('camera', {})
        turned = camera.get('largest_angle_deg')
        motion = 'still' if entry.static_camera else 'moving'
        if turned is not None:
            motion += f', turned {turned:.2f} degrees at most'
        if entry.world_up:
            motion += f', in its given world ({entry.world_up} up)'
        print_plain(f'{name}: {entry.frames} frames; camera {motion}')
        failures = entry.extra.get('failures', []) + entry.extra.get('feature_failures', [])
        for note in [*entry.extra.get('notes', []), *failures[:MAX_LISTED_FAILURES]]:
            print_plain(f'  {note}')


@contextmanager
def show_progress(args: argparse.Namespace) -> Iterator[dict[str, Callable]]:
    """Show a bar for each loop over the frames of a video, or one of videos if processes read them.

    Yields:
        dict[str, Callable]: Arguments of ``extract_features``.
    """
    with Progress(console=CONSOLE, transient=True) as bar:
        if args.executor == 'processes' and args.jobs == 1:
            yield dict(
                progress=lambda name: lambda items: bar.track(items, description=escape(name))
            )
            return
        videos = bar.add_task('videos', total=None)
        yield dict(
            start=lambda total: bar.update(videos, total=total),
            advance=lambda name: bar.update(videos, advance=1),
        )


def make_features(args: argparse.Namespace) -> int:
    """Write the files of all people, and print a summary."""
    from gvhmr_da_mm.video.extract_features import extract_features

    job = make_job(
        args, batch_size=args.batch_size, flip=not args.no_flip, image_scale=args.image_scale
    )
    job.check()
    print_unread(args.source)
    with show_progress(args) as shown:
        report = extract_features(
            args.source,
            args.out,
            job,
            args.fps,
            args.limit,
            args.dry_run,
            jobs=args.jobs,
            executor=args.executor,
            **shown,
        )
    todo = report.planned - report.skipped
    doing = f'{todo} to do' if args.dry_run else f'{report.written} written'
    CONSOLE.print(f'{report.planned} videos: {report.skipped} done before, {doing}')
    for failure in report.failures:
        CONSOLE.print('[red]failed[/] ', end='')
        print_plain(f'{failure.id}: {failure.message}')
    return 1 if report.failures else 0


@report_errors
def main() -> int:
    """Run the command."""
    args = parse_args()
    return args.run(args)


if __name__ == '__main__':
    sys.exit(main())
