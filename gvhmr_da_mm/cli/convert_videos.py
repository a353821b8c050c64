"""Videos become a sequence pack or files of features, with the options of the command line."""

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.markup import escape
from rich.progress import Progress

from ..core.errors import ConfigError
from ..datasets.packs import SequencePack, is_pack
from ..registry.arguments import check_fields
from ..video.extract_features import extract_features
from ..video.feature_job import FeatureJob
from ..video.frame_source import unread_files
from ..video.video_converter import VideoConverter
from .convert_dataset import convert_dataset
from .video_command import CONSOLE, print_failure, print_plain

_MAX_LISTED_FILES = 5
_MAX_LISTED_FAILURES = 3


def convert_videos(args: argparse.Namespace) -> int:
    """Write videos as a sequence pack without labels.

    Missing packages and files are reported before the first video is read.

    Args:
        args (Namespace): Of ``convert.py videos``.

    Returns:
        int: Exit status: 0 if all is done, 1 if something failed.
    """
    if args.features and args.checkpoint:
        raise ConfigError(
            f'`--features {args.features}` contains image features: leave `--checkpoint` out'
        )
    job = _make_job(args)
    converter = VideoConverter(
        args.root, job, args.camera, args.focal, args.features, args.fps, args.split
    )
    if args.features is None:
        job.check()
    _print_unread(args.root)
    status = convert_dataset(converter, args.out, args)
    if not args.dry_run and is_pack(args.out):
        _print_notes(args.out)
    return status


def extract_video_features(args: argparse.Namespace) -> int:
    """Write boxes, keypoints and image features of the people of videos, and print a summary.

    Args:
        args (Namespace): Of ``convert.py features``.

    Returns:
        int: Exit status: 0 if all is done, 1 if something failed.
    """
    job = _make_job(
        args, batch_size=args.batch_size, flip=not args.no_flip, image_scale=args.image_scale
    )
    job.check()
    _print_unread(args.root)
    with _show_progress(args) as shown:
        report = extract_features(
            args.root,
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
        print_failure(failure.id, failure.message)
    return 1 if report.failures else 0


def _make_job(args: argparse.Namespace, **options) -> FeatureJob:
    check_fields(args.options, ('detector', 'network'), '`--options`')
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


def _print_unread(folder: Path) -> None:
    """Print the files of a folder that are neither videos nor frames."""
    unread = [str(file.relative_to(folder)) for file in unread_files(folder)]
    if unread:
        listed, more = unread[:_MAX_LISTED_FILES], len(unread) - _MAX_LISTED_FILES
        rest = f' and {more} more' if more > 0 else ''
        print_plain(f'Not read: {", ".join(listed)}{rest}')


def _print_notes(pack: Path) -> None:
    """Print frames, camera motion, notes and failures of each video."""
    for name, entry in SequencePack(pack, allow_incomplete=True).entries.items():
        camera = entry.extra.get('camera', {})
        turned = camera.get('largest_angle_deg')
        motion = 'still' if entry.static_camera else 'moving'
        if turned is not None:
            motion += f', turned {turned:.2f} degrees at most'
        if entry.world_up:
            motion += f', in its given world ({entry.world_up} up)'
        print_plain(f'{name}: {entry.frames} frames; camera {motion}')
        failures = entry.extra.get('failures', []) + entry.extra.get('feature_failures', [])
        for note in [*entry.extra.get('notes', []), *failures[:_MAX_LISTED_FAILURES]]:
            print_plain(f'  {note}')


@contextmanager
def _show_progress(args: argparse.Namespace) -> Iterator[dict[str, Callable]]:
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
