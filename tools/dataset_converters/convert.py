"""Convert downloads, published packs of GVHMR or videos to sequence packs (docs/en/packs.md).

What fails is reported, recorded and tried again next time; what is finished is skipped.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gvhmr_da_mm.cli.command_line import ConfigOptions, add_executor_arguments, report_errors
from gvhmr_da_mm.core.errors import ConfigError, MissingFilesError

if TYPE_CHECKING:
    from gvhmr_da_mm.datasets.sources import Source

PUBLISHED = 'hmr4d_support'


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    sources = parser.add_subparsers(dest='source', metavar='SOURCE', required=True)
    published = sources.add_parser(PUBLISHED, help='the published packs below a data root')
    add_dataset_arguments(published)
    for name in ('amass', 'bedlam', 'emdb', '3dpw'):
        add_dataset_arguments(sources.add_parser(name, help='the raw download'))
    videos = sources.add_parser(
        'videos', help='one person of each video as a sequence without labels (docs/en/videos.md)'
    )
    add_video_arguments(videos)
    add_pack_arguments(videos)
    features = sources.add_parser(
        'features', help='boxes, keypoints and image features of the people of videos, as .npz'
    )
    add_video_arguments(features)
    add_feature_arguments(features)
    return parser.parse_args()


def add_common_arguments(parser: argparse.ArgumentParser, source: str) -> None:
    """Add the arguments of every source."""
    parser.add_argument('root', metavar='IN', type=Path, help=source)
    parser.add_argument('out', metavar='OUT', type=Path, help='folder of the results')
    add_executor_arguments(parser)
    parser.add_argument('--limit', type=int, help='only the first so many sequences or videos')
    parser.add_argument(
        '--dry-run', action='store_true', help='report what would be written; write nothing'
    )


def add_dataset_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the published packs and the raw downloads."""
    add_common_arguments(parser, 'folder of the files')
    parser.add_argument(
        '--no-labels', action='store_true', help='leave 3D labels and their masks out'
    )
    parser.add_argument(
        '--dataset',
        nargs='+',
        help=f'of {PUBLISHED}, written to OUT/DATASET; default: every one that is there',
    )
    parser.add_argument(
        '--features',
        metavar='DIR',
        type=Path,
        help='extracted features of a download, DIR/NAME.npz, with NAME as docs/en/packs.md says',
    )
    parser.add_argument(
        '--data-root', type=Path, help='where the body models are, for amass and bedlam'
    )


def add_video_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say what is read from videos."""
    add_common_arguments(parser, 'a video, a folder of images, or a folder of these')
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


def add_pack_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of a sequence pack of videos."""
    parser.add_argument(
        '--camera',
        default='gyro',
        help='gyro (default), static, a file of world-to-camera rotations or poses, a folder of '
        'these, or a calibration (.qca.txt)',
    )
    parser.add_argument(
        '--focal', help='focal length: pixels, or such as 24mm; default: the image diagonal'
    )
    parser.add_argument(
        '--features',
        type=Path,
        metavar='DIR',
        help='folder that the source `features` has filled; its boxes and keypoints are used, too',
    )
    parser.add_argument('--split', default='train', help='split of the sequences')
    parser.set_defaults(no_labels=True)  # Videos have none.


def add_feature_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of files of features."""
    parser.add_argument('--no-flip', action='store_true', help='no features of mirrored pictures')
    parser.add_argument('--image-scale', type=float, default=1, help='resize pictures first')
    parser.add_argument('--batch-size', type=int, default=16, help='crops at a time')


def make_sources(args: argparse.Namespace) -> dict[Path, Source]:
    """Return the source for each folder of a sequence pack."""
    # After the command line was read: PyTorch and MMEngine take seconds to import.
    from gvhmr_da_mm.core.checks import check_choice
    from gvhmr_da_mm.datasets.sources import PUBLISHED_SOURCES
    from gvhmr_da_mm.datasets.sources.downloads import DOWNLOADS

    for name in args.dataset or ():
        check_choice(name, PUBLISHED_SOURCES, '--dataset')
    if args.source != PUBLISHED:
        if args.dataset:
            raise ConfigError(
                f'`--dataset` is for {PUBLISHED}: {args.source} is one data set, leave it out'
            )
        kind = DOWNLOADS[args.source]
        options = dict(data_root=args.data_root) if kind.needs_body else {}
        return {args.out: kind(args.root, args.features, **options)}
    if args.features:
        raise ConfigError(
            f'`--features` is for downloads: {PUBLISHED} contains its features, leave it out'
        )
    chosen = args.dataset or [
        name for name, kind in PUBLISHED_SOURCES.items() if (args.root / kind.subfolder).is_dir()
    ]
    if not chosen:
        folders = ', '.join(kind.subfolder for kind in PUBLISHED_SOURCES.values())
        raise MissingFilesError(
            f'{args.root.absolute()} should have at least one of {folders}, found none'
        )
    sources = {name: PUBLISHED_SOURCES[name] for name in chosen}
    return {args.out / n: kind.below(args.root) for n, kind in sources.items()}


@report_errors
def main() -> int:
    """Convert one data set after another, or videos."""
    args = parse_args()
    from gvhmr_da_mm.cli.convert_dataset import convert_dataset
    from gvhmr_da_mm.cli.convert_videos import convert_videos, extract_video_features

    run = dict(videos=convert_videos, features=extract_video_features).get(args.source)
    if run is not None:
        return run(args)
    return max(convert_dataset(source, out, args) for out, source in make_sources(args).items())


if __name__ == '__main__':
    sys.exit(main())
