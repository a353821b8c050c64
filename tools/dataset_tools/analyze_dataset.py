"""Analyze data: contents or pictures of datasets, statistics of their motion, or faults of packs.

Exit code: 0 if all is done and `validate` found no error, 1 if it found some, 2 for a wrong call.
"""

import argparse
import sys

from gvhmr_da_mm.cli.command_line import (
    add_dataset_arguments,
    add_executor_arguments,
    report_errors,
)
from gvhmr_da_mm.config.choices import SPLITS


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest='command', required=True)
    contents = commands.add_parser(
        'contents', help='of the datasets of a config: clips, frames, lengths, cameras, boxes'
    )
    browse = commands.add_parser(
        'browse',
        help='pictures of clips of the datasets of a config: boxes, keypoints and projected labels '
        'on their frames',
    )
    for command in (contents, browse):
        add_dataset_arguments(command)
        command.add_argument(
            '--split', nargs='+', choices=SPLITS, default=['train', 'test'], help='dataloaders'
        )
    contents.add_argument('--out', metavar='FILE.json', help='write the numbers to a file as well')
    contents.add_argument(
        '--frames-per-clip', type=int, default=3, help='frames to read; 0 reads all'
    )
    contents.add_argument('--max-clips', type=int, help='read frames of at most so many clips')
    browse.add_argument('--out', default='browse', help='folder of the pictures')
    browse.add_argument('--num-clips', type=int, default=6, help='of each dataset, spread evenly')
    browse.add_argument('--num-frames', type=int, default=6, help='of each clip')
    browse.add_argument('--height', type=int, default=240, help='of a frame, px')
    browse.add_argument('--follow', action='store_true', help='show the person, not whole frames')
    browse.add_argument('--mesh', action='store_true', help='draw labels as meshes, not skeletons')
    browse.add_argument('--seed', type=int, default=0, help='draws the windows of training clips')
    browse.add_argument('--frames-root', help='folder of the frames; without it tiles are dark')
    browse.add_argument(
        '--frames-pattern',
        default='{sequence}/{frame:05d}.jpg',
        help='path of a frame below it, of {sequence}, {video} and {frame}; default %(default)s',
    )
    browse.add_argument('--first-frame', type=int, default=0, help='number of frame 0 in the path')
    motion = commands.add_parser(
        'motion',
        help='mean and standard deviation of the motion vector on the labelled training clips of '
        'a config, for `motion_codec.statistics` and the checkpoint converter',
    )
    add_dataset_arguments(motion)
    motion.add_argument('--out', required=True, metavar='FILE.npz', help='the file to write')
    motion.add_argument(
        '--num-clips',
        type=int,
        default=0,
        help='read at most so many, drawn at random; 0 reads all',
    )
    motion.add_argument('--seed', type=int, default=0, help='draws clips and windows')
    motion.add_argument(
        '--min-std', type=float, default=1e-3, help='smallest standard deviation of a channel'
    )
    packs = commands.add_parser(
        'validate', help='packs: missing, damaged, impossible or unusual data of each sequence'
    )
    packs.add_argument('path', help='a data root, the folder of a pack, or one of its files')
    packs.add_argument('--dataset', help='only this one, such as emdb; default: all')
    packs.add_argument('--out', metavar='FILE.json', help='write the report to a file as well')
    packs.add_argument('--limit', type=int, help='check so many sequences of each dataset')
    add_executor_arguments(packs)
    packs.add_argument('--lines', type=int, default=50, help='findings to print; all are in --out')
    return parser.parse_args()


@report_errors
def main() -> int:
    """Run the command."""
    args = parse_args()
    # After the command line was read: PyTorch and MMEngine take seconds to import.
    if args.command == 'contents':
        from gvhmr_da_mm.cli.dataset_contents import report_contents as run
    elif args.command == 'browse':
        from gvhmr_da_mm.cli.dataset_pictures import write_dataset_pictures as run
    elif args.command == 'motion':
        from gvhmr_da_mm.cli.motion_statistics import write_motion_statistics as run
    else:
        from gvhmr_da_mm.cli.validation_report import report_validation as run
    return run(args)


if __name__ == '__main__':
    sys.exit(main())
