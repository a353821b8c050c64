"""Evaluate a model that sees keypoints alone on motion capture and on calibrated videos.

Without a folder of body models, the stand-in body is used, with which the shipped models are
trained. See docs/en/evaluation.md for the numbers of `summary.json`.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress

from gvhmr_da_mm.cli.command_line import ConfigOptions, check_output_folder, report_errors
from gvhmr_da_mm.core.errors import ConfigError

CONSOLE = Console()
SUMMARY = 'summary.json'


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        '--model', required=True, help='checkpoint file, or name of a shipped model'
    )
    parser.add_argument(
        '--config', help='config of its training (default: that stored with the model)'
    )
    parser.add_argument(
        '--mocap', type=Path, metavar='DIR', help='motion capture in the format of AMASS'
    )
    parser.add_argument(
        '--calibrated',
        type=Path,
        metavar='DIR',
        help='videos of calibrated cameras (*.qca.txt); needs MediaPipe',
    )
    parser.add_argument(
        '--out', type=Path, required=True, metavar='DIR', help='folder of the results'
    )
    parser.add_argument(
        '--subjects',
        nargs='+',
        default=['*'],
        metavar='PATTERN',
        help='folders of --mocap to use, such as CMU/05 (default: all)',
    )
    parser.add_argument('--clips', type=int, default=100, help='of --mocap (default: 100)')
    parser.add_argument('--seed', type=int, default=0, help='of the clips of --mocap (default: 0)')
    parser.add_argument(
        '--data-root',
        type=os.path.expanduser,
        help='folder of body models; default: the stand-in body',
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=ConfigOptions,
        metavar='KEY=VALUE',
        help='override fields of the config, e.g. model.test_cfg.postprocess=False',
    )
    return parser.parse_args()


def set_aside(out: Path, cameras: Iterable[str]) -> None:
    """Move the result of an earlier run, which would pass for that of this one if it fails.

    Args:
        out (Path): Folder of the results.
        cameras (Iterable[str]): Those that this run draws.
    """
    from gvhmr_da_mm.apis.inferencers.kept_stages import EARLIER, KEPT, move_file, read_record
    from gvhmr_da_mm.apis.keypoint_model.mocap import CLIP_TABLE

    drawn = {*cameras, *read_record(out / SUMMARY).get('calibrated', {})}
    # The summary, which names the pictures, is moved last: a kill between leaves none behind.
    names = (*(f'{camera}.png' for camera in sorted(drawn)), CLIP_TABLE, SUMMARY)
    files = [out / name for name in names if (out / name).is_file()]
    earlier = out / KEPT / EARLIER
    for file in files:
        move_file(file, earlier)
    if files:
        print(f'{out}: what an earlier run left is now in {earlier}')


@report_errors
def main() -> None:
    """Run both evaluations and write the summary."""
    args = parse_args()
    check_output_folder('--out', args.out)
    if args.mocap is None and args.calibrated is None:
        raise ConfigError('give `--mocap DIR`, `--calibrated DIR` or both: there is nothing to do')
    if args.clips < 1:
        raise ConfigError(f'`--clips` should be at least 1, got {args.clips}')
    # After the command line was read: PyTorch and MMEngine take seconds to import.
    from gvhmr_da_mm.apis.keypoint_model import (
        evaluate_calibrated,
        evaluate_mocap,
        load_keypoint_model,
        mean_of_views,
        open_mocap,
        summary_tables,
        videos_of,
        write_summary,
    )
    from gvhmr_da_mm.demo.body import stand_in_root

    data_root = stand_in_root() if args.data_root is None else args.data_root
    model = load_keypoint_model(args.model, args.config, data_root, args.cfg_options)
    mocap = None if args.mocap is None else open_mocap(args.mocap, data_root, args.subjects)
    videos = [] if args.calibrated is None else videos_of(args.calibrated)
    # The input is checked. Later, a run that is killed would leave the result of the one before.
    set_aside(args.out, (view.name for view, _ in videos))
    summary = dict(model=str(args.model), seed=args.seed)
    with Progress(console=CONSOLE, transient=True) as bar:

        def progress(name: str):
            return lambda items: bar.track(items, description=escape(name))

        if mocap is not None:
            summary['mocap'] = evaluate_mocap(
                model, mocap, args.out, args.clips, args.seed, progress('mocap')
            )
            write_summary(args.out / SUMMARY, summary)
        if videos:
            summary['calibrated'] = evaluate_calibrated(model, videos, args.out, progress=progress)
            summary['calibrated_mean'] = mean_of_views(summary['calibrated'])
            write_summary(args.out / SUMMARY, summary)
    for table in summary_tables(summary):
        CONSOLE.print(table)
    print(f'Results are in {args.out}')


if __name__ == '__main__':
    main()
