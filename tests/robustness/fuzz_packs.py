"""Spoil packs and configs at random: each must work, or be refused with its cause named."""

import argparse
import itertools
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from mmengine.logging import MMLogger  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.progress import track  # noqa: E402

from gvhmr_da_mm.cli.command_line import report_errors  # noqa: E402
from gvhmr_da_mm.core.errors import MissingFilesError  # noqa: E402
from gvhmr_da_mm.demo import generate_demo  # noqa: E402
from tests.robustness.fuzzing import FAILED, REFUSED, WORKS, Outcome, config_cases, pack_cases  # noqa: E402

CONFIG = ROOT / 'configs' / 'da_tiny_bedlam_emdb_3dpw.py'


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--packs', type=int, default=1400, help='number of spoiled packs')
    parser.add_argument('--configs', type=int, default=800, help='number of spoiled configs')
    parser.add_argument('--seed', type=int, default=0, help='same seed, same cases')
    parser.add_argument('--seconds', type=float, default=30.0, help='limit of each case')
    parser.add_argument('--data-root', help='what to spoil copies of; default: a new toy demo')
    parser.add_argument('--verbose', action='store_true', help='print every case')
    return parser.parse_args()


def all_cases(args: argparse.Namespace, scratch: Path) -> Iterator[Outcome]:
    """Yield the outcomes of all cases."""
    if args.data_root is None:
        root = generate_demo(scratch / 'demo', size='toy', progress=False, preview=False)
    else:
        root = Path(args.data_root).expanduser().absolute()
        if not root.is_dir():
            raise MissingFilesError(f'there is no data root {args.data_root!r}')
    (scratch / 'cases').mkdir()
    return itertools.chain(
        pack_cases(root, scratch / 'cases', args.packs, args.seed, args.seconds),
        config_cases(CONFIG, root, args.configs, args.seed, args.seconds),
    )


@report_errors
def main() -> None:
    """Run the cases, print what failed, and say by the exit code whether any did."""
    args = parse_args()
    console = Console()
    # A thousand refused packs would fill the screen with warnings that are meant to be there.
    MMLogger.get_instance('fuzz', log_level='ERROR')
    warnings.simplefilter('ignore')
    start, kinds = time.perf_counter(), Counter()
    with tempfile.TemporaryDirectory() as scratch:
        cases = all_cases(args, Path(scratch))
        total = args.packs + args.configs
        for outcome in track(cases, 'cases', total, console=console, transient=True):
            kinds[outcome.kind] += 1
            if outcome.kind == FAILED or args.verbose:
                text = f'{outcome.kind}: {outcome.case}\n{outcome.detail}'
                console.print(text, soft_wrap=True, highlight=False, markup=False)
    counts = ' '.join(f'{kind}={kinds[kind]}' for kind in (WORKS, REFUSED, FAILED))
    seconds = time.perf_counter() - start
    console.print(f'cases={total} {counts} seconds={seconds:.0f}', highlight=False)
    sys.exit(int(kinds[FAILED] > 0))


if __name__ == '__main__':
    main()
