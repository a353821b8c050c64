"""Adapt a model to your own videos, without labels, and keep it only if it is better there.

Writes OUT/adapted.pth (the model that was kept), report.json, report.html, and a video of each
video's held-out stretches before and after. Run it again to go on after an interruption; a video
that fails is recorded in the report, and the others go on (docs/en/videos.md).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from gvhmr_da_mm.cli.command_line import ConfigOptions, check_output_folder, report_errors
from gvhmr_da_mm.cli.video_command import (
    CONSOLE,
    add_known_arguments,
    add_model_arguments,
    add_people_arguments,
    interrupted,
    print_failure,
    print_plain,
)

if TYPE_CHECKING:
    from gvhmr_da_mm.apis.video_adaptation import AdaptationReport


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'videos', nargs='+', metavar='VIDEO', help='a video, a folder of images, or of these'
    )
    parser.add_argument('--out', type=Path, default=Path('adapted'), help='default: adapted')
    parser.add_argument('--seed', type=int, default=0, help='of the training (default: 0)')
    model = add_model_arguments(parser, weights='a checkpoint with a discriminator and true motion')
    model.add_argument(
        '--cfg-options',
        nargs='+',
        action=ConfigOptions,
        default={},
        metavar='KEY=VALUE',
        help='of configs/da_own_videos.py, such as train_cfg.max_epochs=20',
    )
    add_people_arguments(parser)
    add_known_arguments(parser)
    return parser.parse_args()


def table(result: AdaptationReport) -> Table:
    """Return the scores before and after."""
    shown = Table(title='Held-out stretches')
    for name in ('', 'before', 'after'):
        shown.add_column(name, justify='right' if name else 'left')
    for stage, scores in result.before.items():
        for metric, value in scores.items():
            pair = (value, result.after.get(stage, {}).get(metric))
            numbers = ['–' if number is None else f'{number:.3g}' for number in pair]
            shown.add_row(f'{stage}.{metric}', *numbers)
    return shown


def describe(result: AdaptationReport) -> int:
    """Print what an adaptation has brought, and return the exit status."""
    failed = False
    for name, facts in result.videos.items():
        for note in facts['notes']:
            print_plain(f'{name}: {note}')
        if 'failure' in facts:
            failed = True
            print_failure(name, facts['failure'])
    if result.before:
        CONSOLE.print(table(result))
    for reason in result.reasons:
        print_plain(f'why not the adapted one: {reason}')
    print_plain(f'The {result.kept} model was kept: {result.weights}, {result.seconds:.0f} s')
    return 1 if failed else 0


@report_errors
def main() -> int:
    """Adapt, and say what it has brought."""
    args = parse_args()
    check_output_folder('--out', args.out)
    # After the command line was read: PyTorch and MMEngine take seconds to import.
    from gvhmr_da_mm import adapt
    from gvhmr_da_mm.cli.stage_progress import StageProgress

    try:
        with StageProgress(CONSOLE, 'adapt') as shown:
            result = adapt(
                args.model,
                args.videos,
                args.weights,
                args.out,
                args.seed,
                args.device,
                args.data_root,
                args.keypoints,
                args.options,
                args.cfg_options,
                shown,
                people=args.people,
                min_frames=args.min_frames,
                camera='static' if args.static_camera else 'gyro',
                focal=args.focal,
                fps=args.fps,
            )
    except KeyboardInterrupt:
        return interrupted(args.out)
    return describe(result)


if __name__ == '__main__':
    sys.exit(main())
