"""Compare methods of adaptation under equal conditions, on demo packs or on any others.

Results are in `summary.json`, `table.md`, `results.csv` and pictures of the folder `--out`. Run the
same command again to go on where it was interrupted.
"""

import argparse
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Optional

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from rich.console import Console  # noqa: E402
from rich.markdown import Markdown  # noqa: E402

from benchmarks.adaptation.benchmark import failures, run_benchmark  # noqa: E402
from benchmarks.adaptation.budget import FULL, QUICK  # noqa: E402
from benchmarks.adaptation.experiment import Experiment  # noqa: E402
from benchmarks.adaptation.methods import (  # noqa: E402
    DEFAULT_METHODS,
    METHODS,
    read_variants,
    select_methods,
)
from benchmarks.adaptation.result_file import write_result  # noqa: E402
from gvhmr_da_mm.cli.command_line import report_errors  # noqa: E402
from gvhmr_da_mm.core.errors import ConfigError  # noqa: E402
from gvhmr_da_mm.demo import choose_mocap, generate_demo  # noqa: E402

CONFIGS = ROOT / 'configs'
DEFAULT_SHIFT = 0.5
DEFAULT_SIZES = {'demo': 'small', 'mocap': '300'}
"""Size of each kind of made-up packs."""


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out', required=True, help='folder for runs and results')
    parser.add_argument(
        '--methods',
        default=','.join(DEFAULT_METHODS),
        help=f'comma separated, of {", ".join(METHODS)}; defaults to %(default)s',
    )
    parser.add_argument('--variants', help='.py or .json file of variants of the full method')
    parser.add_argument('--seeds', type=int, help='defaults to 3, with --quick to 1')
    parser.add_argument('--data-root', help='packs to run on instead of demo packs')
    parser.add_argument(
        '--packs',
        choices=list(DEFAULT_SIZES),
        help='motions of demo packs: demo (default), the clips of the package; mocap, recorded '
        'motion, of other people in synthetic, unlabelled and test clips',
    )
    parser.add_argument(
        '--mocap',
        metavar='DIR',
        help='recorded motion in the format of AMASS for `--packs mocap` (default: GVHMR_MOCAP, '
        'or ../shared/mocap)',
    )
    parser.add_argument(
        '--shift', help='gap between the domains of demo packs, 0 to 1; several comma separated'
    )
    parser.add_argument(
        '--size',
        help='of demo packs: toy, small, full, or the number of clips, 16 to 500; defaults to '
        'small, with `--packs mocap` to 300',
    )
    parser.add_argument('--data-seed', type=int, help='of demo packs; defaults to 0')
    parser.add_argument('--quick', action='store_true', help='fewer steps, one seed: a first look')
    parser.add_argument(
        '--hold-out',
        action='store_true',
        default=None,
        help='keep one real training video in four from training, and test on it, for choices',
    )
    parser.add_argument('--jobs', type=int, default=2, help='processes at a time')
    for name in ('source-epochs', 'epochs', 'batches-per-epoch', 'batch-size', 'filter-clips'):
        parser.add_argument(f'--{name}', type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


@report_errors
def main() -> None:
    """Run the benchmark on each set of packs."""
    args = parse_args()
    # As an interrupt: what runs is ended with the tool, not left behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    console = Console()
    variants = read_variants(args.variants) if args.variants else {}
    methods = select_methods(split(args.methods), variants)
    if args.jobs < 1:
        raise ConfigError(f'`--jobs` should be at least 1, got {args.jobs}')
    seeds = args.seeds if args.seeds is not None else 1 if args.quick else 3
    out = Path(args.out)
    summaries = {}
    for name, (folder, data_root, shift) in packs(args, out).items():
        console.rule(name)
        experiment = Experiment(methods, seeds, folder, data_root, CONFIGS, budget(args))
        summaries[name] = run_benchmark(experiment, args.jobs, shift, console)
        console.print(Markdown((folder / 'table.md').read_text(encoding='utf-8')))
        console.print(f'Results are in {folder}', soft_wrap=True)
    if len(summaries) > 1:
        write_result(out / 'summary.json', dict(packs=summaries))
    failed = [f'{name}: {line}' for name, s in summaries.items() for line in failures(s)]
    if failed:
        print('\n'.join(['Failed runs:', *failed]), file=sys.stderr)
        sys.exit(1)


def split(text: str) -> list[str]:
    """Return the items of a comma separated list."""
    return [item.strip() for item in text.split(',') if item.strip()]


def budget(args: argparse.Namespace):
    """Return the length of the runs."""
    chosen = QUICK if args.quick else FULL
    fields = {name: getattr(args, name) for name in vars(chosen)}
    return replace(chosen, **{name: v for name, v in fields.items() if v is not None})


def packs(args: argparse.Namespace, out: Path) -> dict[str, tuple]:
    """Return folder of results, data root and shift of each set of packs, by name."""
    if args.data_root:
        made_up = ('packs', 'mocap', 'shift', 'size', 'data_seed')
        if any(getattr(args, name) is not None for name in made_up):
            options = ', '.join(f'`--{name.replace("_", "-")}`' for name in made_up)
            raise ConfigError(f'{options} make demo packs: leave out `--data-root`')
        return {str(args.data_root): (out, Path(args.data_root), None)}
    try:
        shifts = [float(item) for item in split(args.shift or str(DEFAULT_SHIFT))]
    except ValueError as error:
        raise ConfigError(f'`--shift` should be numbers from 0 to 1: {error}') from error
    mocap = recorded_motion(args)
    prefix = '' if mocap is None else 'mocap_'
    size, seed = args.size or DEFAULT_SIZES[args.packs or 'demo'], args.data_seed or 0
    found = {}
    for shift in shifts:
        name = f'{prefix}shift_{shift:g}'
        folder = out / 'data' / f'{size}_{name}_seed_{seed}'
        root = generate_demo(folder, seed=seed, shift=shift, size=size, mocap=mocap)
        found[name] = (out if len(shifts) == 1 else out / name, root, shift)
    return found


def recorded_motion(args: argparse.Namespace) -> Optional[Path]:
    """Return the folder of recorded motion; None for the clips of the package."""
    if args.packs != 'mocap':
        if args.mocap is not None:
            raise ConfigError('`--mocap` is read for `--packs mocap` only: give both')
        return None
    folder = choose_mocap(args.mocap)
    if folder is None:
        raise ConfigError(
            '`--packs mocap` needs recorded motion in the format of AMASS: give its folder as '
            '`--mocap DIR`, or in the environment variable GVHMR_MOCAP'
        )
    return folder


if __name__ == '__main__':
    main()
