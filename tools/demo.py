"""Run the main job on synthetic demo data: train, adapt, test before and after, draw the results.

The command of each step is printed, so that it can be repeated by hand. Steps whose result exists
are skipped.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from gvhmr_da_mm.cli.command_line import report_errors

ROOT = Path(__file__).resolve().parents[1]
CONSOLE = Console()


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--work-dir', default='work_dirs/demo', help='where everything is written')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--shift', type=float, default=1.0, help='gap between the domains, 0 to 1')
    parser.add_argument('--size', default='small', help='number of clips, 16 to 500, or a name')
    parser.add_argument(
        '--motions',
        metavar='DIR',
        help="recorded motion in the format of AMASS, or 'embedded': the clips of the package "
        '(default: GVHMR_MOCAP, or ../shared/mocap, if there; otherwise the clips)',
    )
    return parser.parse_args()


def run(title: str, result: Path, *command: str) -> None:
    """Run a tool unless its result exists."""
    CONSOLE.rule(title)
    if result.exists():
        CONSOLE.print(f'{result} exists already', markup=False)
        return
    shown = ' '.join(['python', *command])
    CONSOLE.print(f'$ {shown}', style='bold', soft_wrap=True, markup=False)
    # All cores: the tools run one after the other.
    environment = {**os.environ, 'OMP_NUM_THREADS': str(os.cpu_count() or 1)}
    start = time.perf_counter()
    script = [sys.executable, str(ROOT / command[0]), *command[1:]]
    status = subprocess.run(script, env=environment).returncode
    if status:
        sys.exit(f'{title} failed with status {status}; run the demo again to continue from there')
    CONSOLE.print(f'{title}: {time.perf_counter() - start:.0f} s')


def compare(before: Path, after: Path) -> Table:
    """Return a table of the results before and after adaptation."""
    from gvhmr_da_mm.evaluation.report import METRIC_LABELS

    results = [json.loads(path.read_text())['results'] for path in (before, after)]
    table = Table(title='Real test clips of the demo; smaller is better')
    table.add_column('Metric')
    for heading in ('Synthetic only', 'Adapted', 'Change'):
        table.add_column(heading, justify='right')
    for name, old in results[0].items():
        protocol, _, metric = name.rpartition('/')
        new = results[1].get(name)
        if metric not in METRIC_LABELS or old is None or new is None:
            continue
        label, unit = METRIC_LABELS[metric]
        colour = 'green' if new < old else 'red'
        change = f'[{colour}]{100 * (new / old - 1):+.0f} %[/]'
        table.add_row(f'{protocol} {label} ({unit})', f'{old:.1f}', f'{new:.1f}', change)
    return table


@report_errors
def main() -> None:
    """Run all steps."""
    args = parse_args()
    # After the command line was read: PyTorch and MMEngine take seconds to import.
    from gvhmr_da_mm.apis import load_config
    from gvhmr_da_mm.demo import choose_mocap, generate_demo

    out = Path(args.work_dir)
    data = ['--data-root', str(out / 'data')]
    CONSOLE.rule('Demo data')
    mocap = choose_mocap(args.motions)
    CONSOLE.print(f'Motions: {mocap or "the clips of this package"}', markup=False)
    generate_demo(out / 'data', seed=args.seed, shift=args.shift, size=args.size, mocap=mocap)

    configs = {'source': 'configs/gvhmr_demo.py', 'adapted': 'configs/da_demo.py'}
    start_from: list[str] = []
    for name, config in configs.items():
        work_dir = out / name
        path = str(ROOT / config)
        checkpoint = work_dir / f'epoch_{load_config(path).train_cfg.max_epochs}.pth'
        seed = ['--cfg-options', f'randomness.seed={args.seed}', *start_from]
        run(
            f'Train: {name}',
            checkpoint,
            *('tools/train.py', path, '--work-dir', str(work_dir), '--resume', *data, *seed),
        )
        run(
            f'Test: {name}',
            work_dir / 'results.json',
            *('tools/test.py', path, str(checkpoint), *data, '--out', str(work_dir)),
            *('--work-dir', str(work_dir / 'test'), '--show-dir', str(work_dir / 'pictures')),
        )
        start_from = [f'load_from={checkpoint}']
    run(
        'Training curves',
        out / 'adapted' / 'adaptation.png',
        *('tools/analysis_tools/plot_adaptation.py', str(out / 'adapted')),
    )
    CONSOLE.print(compare(out / 'source' / 'results.json', out / 'adapted' / 'results.json'))
    CONSOLE.print('Pictures:')
    for picture in sorted(out.rglob('*.png')):
        CONSOLE.print(f'  {picture}', soft_wrap=True, markup=False)


if __name__ == '__main__':
    main()
