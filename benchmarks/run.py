"""Measure speed and memory, side by side with a plain reference.

    python benchmarks/run.py [--only CASE,...] [--json FILE] [--quick]

See docs/en/performance.md.
"""

import argparse
import importlib
import json
import os
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Optional

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
# Asking for GPUs must not start CUDA, which does not survive a fork.
os.environ.setdefault('PYTORCH_NVML_BASED_CUDA_CHECK', '1')

import torch  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from benchmarks.speed.case import Case, Settings  # noqa: E402
from benchmarks.speed.measure import measure  # noqa: E402
from gvhmr_da_mm.core.errors import ConfigError, GVHMRError  # noqa: E402
from gvhmr_da_mm.demo import generate_demo  # noqa: E402
from gvhmr_da_mm.fileio.paths import DATA_ROOT_VARIABLE  # noqa: E402

FAMILIES = (
    'network',
    'keypoints',
    'training',
    'world',
    'body',
    'fit',
    'metrics',
    'loader',
    'mocap',
    'startup',
    'storage',
    'index',
)
"""Modules of `speed` with a function ``cases``."""
DEMO = ROOT / 'work_dirs' / 'benchmarks' / 'data'
COLUMNS = ('case', 'device', 'ours_s', 'plain_s', 'ratio', 'ours_mb', 'plain_mb')


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument(
        '--only', default='', metavar='CASE,...', help='these cases; * stands for anything'
    )
    parser.add_argument('--json', type=Path, metavar='FILE', help='write the rows to a file')
    parser.add_argument('--quick', action='store_true', help='one timing each, shorter sequences')
    parser.add_argument('--repeats', type=int, default=5, help='timings of each way (default: 5)')
    parser.add_argument('--threads', type=int, default=2, help='CPU threads (default: 2)')
    parser.add_argument('--device', choices=('cpu', 'cuda'), help='this one only')
    parser.add_argument(
        '--data-root',
        type=Path,
        default=os.environ.get(DATA_ROOT_VARIABLE),
        help=f'body models and packs (default: ${DATA_ROOT_VARIABLE}, else made-up ones)',
    )
    parser.add_argument('--list', action='store_true', help='name the cases and stop')
    return parser.parse_args()


def all_cases() -> list[Case]:
    """Collect the cases of all families that are there."""
    folder = Path(__file__).parent / 'speed'
    found = [name for name in FAMILIES if (folder / f'{name}.py').exists()]
    modules = [importlib.import_module(f'benchmarks.speed.{name}') for name in found]
    return [case for module in modules for case in module.cases()]


def choose(cases: list[Case], only: str, device: str) -> list[Case]:
    """Return the cases of a device: those asked for, or those that run by default.

    Raises:
        ConfigError: If a name fits no case.
    """
    if not only:
        return [case for case in cases if device in case.default]
    patterns = [pattern for pattern in only.split(',') if pattern]
    for pattern in patterns:
        if not any(_fits(case.name, pattern) for case in cases):
            names = ', '.join(case.name for case in cases)
            raise ConfigError(f'`--only {pattern}` should name some of {names}')
    return [
        case
        for case in cases
        if device in case.devices and any(_fits(case.name, pattern) for pattern in patterns)
    ]


def _fits(name: str, pattern: str) -> bool:
    """A family's name, such as ``inference`` or ``loader``, stands for all of its cases."""
    return fnmatch(name, pattern) or fnmatch(name, f'{pattern}_*')


def as_table(rows: list[dict[str, Any]]) -> Table:
    """Show rows; what is missing has its reason below."""
    table = Table('case', 'device', 'ours, s', 'plain, s', 'ratio', 'ours, MiB', 'plain, MiB')
    table.columns[0].overflow = 'fold'
    for column in table.columns[2:]:
        column.justify = 'right'
    for row in rows:
        table.add_row(*(_cell(key, row[key]) for key in COLUMNS))
    return table


def _cell(key: str, value: Any) -> str:
    if value is None:
        return '-'
    if isinstance(value, str):
        return value
    return f'{value:.0f}' if key.endswith('_mb') else f'{value:.3g}'


def main() -> Optional[int]:
    """Run from the command line."""
    args, console = parse_args(), Console()
    cases = all_cases()
    if args.list:
        for case in cases:
            console.print(case.name, highlight=False)
        return None
    if args.device == 'cuda' and not torch.cuda.is_available():
        raise ConfigError(
            '`--device cuda` needs a GPU that this torch sees, and there is none: '
            'tools/misc/collect_env.py says why; without the option the CPU is measured'
        )
    devices = [args.device] if args.device else ['cpu']
    if not args.device and torch.cuda.is_available():
        devices.append('cuda')
    chosen = {device: choose(cases, args.only, device) for device in devices}
    root = args.data_root or generate_demo(DEMO, size='small', preview=False)
    rows = []
    for device in devices:
        settings = Settings(Path(root), device, args.quick)
        for case in chosen[device]:
            with console.status(f'{case.name} on {device}'):
                repeats = 1 if args.quick else args.repeats
                rows.append(measure(case, settings, args.threads, repeats))
            if args.json:  # After each case: what is done is not lost.
                args.json.parent.mkdir(parents=True, exist_ok=True)
                args.json.write_text(json.dumps(rows, indent=1) + '\n', encoding='utf-8')
    console.print(as_table(rows))
    for row in rows:
        if row.get('note'):
            console.print(f'{row["case"]}: {row["note"]}', highlight=False, markup=False)
    return None


if __name__ == '__main__':
    try:
        sys.exit(main())
    except GVHMRError as error:
        print(f'error: {error}', file=sys.stderr)
        sys.exit(2)
