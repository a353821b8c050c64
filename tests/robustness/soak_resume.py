"""Interrupt trainings at random moments, resume them, and compare them with one that was not.

Kills (SIGKILL, SIGTERM, SIGINT) come at any moment, in the middle of writing a checkpoint, between
a backward pass and its update, while a run resumes, and after the disk has filled up. Weights,
optimisers, teacher, discriminator, queue, quantiles, schedules, random numbers and logs have to be
the same to the last bit. Exit code 1 if they are not.

Called again with the same work folder it counts on.
"""

import argparse
import json
import sys
import tempfile
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from rich.console import Console  # noqa: E402
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: E402
from rich.table import Table  # noqa: E402

from gvhmr_da_mm.cli.command_line import report_errors  # noqa: E402
from gvhmr_da_mm.demo import generate_demo  # noqa: E402
from gvhmr_da_mm.fileio.atomic_file import write_atomically  # noqa: E402
from tests.robustness.soak import KINDS, SIGNALS, Outcome, Soak, soak_config  # noqa: E402

CONFIG = ROOT / 'configs' / 'da_tiny_bedlam_emdb_3dpw.py'
SHOWN = 5


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--kills', type=int, default=100, help='interruptions; default 100')
    parser.add_argument('--data-root', help='packs to train on; default: made-up ones')
    parser.add_argument('--work-dir', help='where runs are kept; default: a temporary folder')
    parser.add_argument('--seed', type=int, default=0, help='of the interruptions; default 0')
    return parser.parse_args()


@report_errors
def main() -> int:
    """Run until there were enough interruptions; return 1 if anything differs."""
    args = parse_args()
    if args.work_dir:
        return soak(args, Path(args.work_dir).absolute())
    with tempfile.TemporaryDirectory(prefix='soak_resume_') as folder:
        return soak(args, Path(folder))


def soak(args: argparse.Namespace, work_dir: Path) -> int:
    """Interrupt runs below a folder, and tell how they ended."""
    console = Console()
    work_dir.mkdir(parents=True, exist_ok=True)
    tally = Tally(work_dir / f'tally_{args.seed}.json')
    if tally.kills < args.kills:
        interrupt(args, work_dir, tally, console)
    show(console, tally)
    print(f'kills={tally.kills} differences={tally.differences}')
    return int(tally.differences > 0)


def interrupt(args: argparse.Namespace, work_dir: Path, tally: 'Tally', console: Console) -> None:
    """Interrupt runs until there were enough kills."""
    data = args.data_root or generate_demo(
        work_dir / 'data', size='toy', progress=False, preview=False
    )
    console.print('training without interruption ...')
    runs = Soak(partial(soak_config, CONFIG, Path(data).absolute()), work_dir, args.seed)
    # Refreshed by hand: a thread that does it would not survive the forks.
    with Progress(
        TextColumn('kills'),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn('differences {task.fields[differences]}'),
        TimeElapsedColumn(),
        console=console,
        auto_refresh=False,
    ) as progress:
        task = progress.add_task('', total=args.kills, differences=tally.differences)
        progress.update(task, completed=tally.kills, refresh=True)
        for outcome in runs.outcomes(args.kills - tally.kills, first=tally.runs):
            tally.add(outcome)
            if outcome.differences:
                tell(console, outcome)
            progress.update(
                task, completed=tally.kills, differences=tally.differences, refresh=True
            )


class Tally:
    """What has been counted so far, in a file.

    Args:
        path (Path): The file; read if it exists.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        before = json.loads(path.read_text()) if path.is_file() else {}
        self.runs: int = before.get('runs', 0)
        self.differences: int = before.get('differences', 0)
        self.kinds: dict[str, int] = before.get('kinds', {})

    @property
    def kills(self) -> int:
        """Interruptions so far."""
        return sum(self.kinds.values())

    def add(self, outcome: Outcome) -> None:
        """Count a run."""
        self.runs += 1
        self.differences += len(outcome.differences)
        for kill in outcome.kills:
            name = f'{kill.kind} {kill.signal}'
            self.kinds[name] = self.kinds.get(name, 0) + 1
        content = dict(runs=self.runs, differences=self.differences, kinds=self.kinds)
        write_atomically(self.path, json.dumps(content).encode())


def tell(console: Console, outcome: Outcome) -> None:
    """Name what differs."""
    console.print(f'{outcome.name}: {len(outcome.differences)} difference(s), after', markup=False)
    for kill in outcome.kills:
        console.print(f'  {kill}', markup=False)
    for name in outcome.differences[:SHOWN]:
        console.print(f'  differs: {name}', markup=False)


def show(console: Console, tally: Tally) -> None:
    """Print how often what was interrupted, and by what."""
    table = Table('interrupted', *SIGNALS, title=f'{tally.runs} runs')
    for kind, description in KINDS.items():
        counts = [tally.kinds.get(f'{kind} {name}', 0) for name in SIGNALS]
        table.add_row(description, *map(str, counts))
    console.print(table)


if __name__ == '__main__':
    sys.exit(main())
