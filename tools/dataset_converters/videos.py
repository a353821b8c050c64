"""Turn a folder of videos into a pack of ours without labels (docs/en/videos.md).

Each video becomes one sequence: the largest person, at 30 frames per second. Videos without people
and files that cannot be read are told, kept in failures.json of the pack, and tried again next
time.
"""

import argparse
import sys
from pathlib import Path

from mmengine.config import DictAction
from rich.console import Console

from gvhmr_da_mm.apis.convert_dataset import convert_dataset
from gvhmr_da_mm.cli.command_line import report_errors
from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.datasets.packs import SequencePack, is_pack
from gvhmr_da_mm.video.feature_job import FeatureJob
from gvhmr_da_mm.video.video_converter import VideoConverter


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'source', metavar='IN', type=Path, help='a video, a folder of images, or a folder of these'
    )
    parser.add_argument('out', metavar='OUT', type=Path, help='folder of the pack')
    parser.add_argument(
        '--keypoints',
        default='mediapipe',
        help='mediapipe (default), mmpose, an .npz file, or a folder of {video}.npz',
    )
    parser.add_argument(
        '--camera',
        default='gyro',
        help='gyro (default), static, a file of world-to-camera rotations, or a folder of these',
    )
    parser.add_argument(
        '--focal', help='focal length: pixels, or such as 24mm; default: the image diagonal'
    )
    parser.add_argument(
        '--features',
        default='none',
        help='none (default), hmr2 with --checkpoint, or a folder of tools/extract_features.py, '
        'whose boxes and keypoints are then used, too',
    )
    parser.add_argument('--checkpoint', help='weights of HMR2.0')
    parser.add_argument('--people', default='largest', help='largest (default) or longest')
    parser.add_argument('--min-frames', type=int, default=30, help='people seen less are left out')
    parser.add_argument('--split', default='train', help='split of the sequences')
    parser.add_argument('--fps', type=float, default=30, help='of folders of images')
    parser.add_argument('--device', help='of the networks; default: a GPU if there is one')
    parser.add_argument(
        '--options',
        nargs='+',
        action=DictAction,
        default={},
        metavar='KEY=VALUE',
        help='of the networks: detector.pose2d=CONFIG, network.backbone.depth=32, ...',
    )
    parser.add_argument('--jobs', type=int, default=1, help='processes (default: 1)')
    parser.add_argument('--limit', type=int, help='only the first so many videos')
    parser.add_argument('--dry-run', action='store_true', help='tell what there is; write nothing')
    # There are none.
    parser.set_defaults(no_labels=True)
    return parser.parse_args()


def make_converter(args: argparse.Namespace) -> VideoConverter:
    """Build the converter; what is missing is said before a video is read."""
    if (args.features == 'hmr2') != (args.checkpoint is not None):
        raise ConfigError('--features hmr2 and --checkpoint FILE go together')
    job = FeatureJob(
        keypoints=args.keypoints,
        detector=args.options.get('detector', {}),
        people=args.people,
        min_frames=args.min_frames,
        checkpoint=args.checkpoint,
        network=args.options.get('network', {}),
        device=args.device,
    )
    extracted = None if args.features in ('none', 'hmr2') else Path(args.features)
    converter = VideoConverter(
        args.source, job, args.camera, args.focal, extracted, args.fps, args.split
    )
    if extracted is None:
        job.check()
    return converter


def tell_notes(out: Path) -> None:
    """Say what was unusual in each video, and how its camera moves."""
    console = Console()
    for name, entry in SequencePack(out, allow_incomplete=True).entries.items():
        camera = entry.extra.get('camera', {})
        turned = camera.get('largest_angle_deg')
        told = 'still' if entry.static_camera else 'moving'
        if turned is not None:
            told += f', turned {turned:.2f} degrees at most'
        console.print(f'{name}: {entry.frames} frames; camera {told}', soft_wrap=True)
        failures = entry.extra.get('failures', []) + entry.extra.get('feature_failures', [])
        for note in [*entry.extra.get('notes', []), *failures[:3]]:
            console.print(f'  {note}', soft_wrap=True)


@report_errors
def main() -> int:
    """Convert."""
    args = parse_args()
    code = convert_dataset(make_converter(args), args.out, args)
    if not args.dry_run and is_pack(args.out):
        tell_notes(args.out)
    return code


if __name__ == '__main__':
    sys.exit(main())
