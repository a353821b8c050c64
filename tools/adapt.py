"""Adapt a model to your own videos, without labels, and keep it only if it is better there.

Writes OUT/adapted.pth (the model that was kept), report.json, report.html, and a video of each
video's held-out stretches before and after. Run it again to go on after an interruption; a video
that fails is recorded in the report, and the others go on (docs/en/adaptation.md).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from gvhmr_da_mm.cli.command_line import ConfigOptions, check_output_folder, report_errors

if TYPE_CHECKING:
    from gvhmr_da_mm.apis.video_adaptation import AdaptationReport

CONSOLE = Console()
INTERRUPTED_STATUS = 130


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
    model = parser.add_argument_group('model')
    model.add_argument('--model', help='a shipped model, or the config of --weights')
    model.add_argument('--weights', help='a checkpoint with a discriminator and true motion')
    model.add_argument('--data-root', help='folder of the body models')
    model.add_argument('--device', help='default: a GPU if there is one')
    model.add_argument(
        '--cfg-options',
        nargs='+',
        action=ConfigOptions,
        default={},
        metavar='KEY=VALUE',
        help='of configs/da_own_videos.py, such as train_cfg.max_epochs=20',
    )
    seen = parser.add_argument_group('what is seen')
    seen.add_argument(
        '--keypoints',
        default='mediapipe',
        help='mediapipe (default), rtmlib, mmpose, file or folder',
    )
    seen.add_argument('--people', default='all', help='all (default), largest or longest')
    seen.add_argument('--min-frames', type=int, default=30, help='seen in fewer: left out')
    seen.add_argument('--options', nargs='+', action=ConfigOptions, default={}, metavar='KEY=VALUE',
                      help='of the detector: model_complexity=2, ...')  # fmt: skip
    seen.add_argument('--static-camera', action='store_true', help='the camera stands still')
    seen.add_argument('--focal', help='focal length: pixels, or such as 24mm')
    seen.add_argument('--fps', type=float, default=30, help='of folders of images (default: 30)')
    return parser.parse_args()


def print_plain(text: str) -> None:
    """Print a line without markup, as file names may contain brackets."""
    CONSOLE.print(text, soft_wrap=True, markup=False, highlight=False)


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
            CONSOLE.print('[red]failed[/] ', end='')
            print_plain(f'{name}: {facts["failure"]}')
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
        print_plain(f'Interrupted. Finished stages are kept in {args.out}: run it again to go on')
        return INTERRUPTED_STATUS
    return describe(result)


if __name__ == '__main__':
    sys.exit(main())
