"""Show what the package does, in two acts: a real video, and the main job on made-up data.

First the shipped model recovers the people of a video, is adapted to it, and recovers them again.
Then a model is trained and adapted on demo data, tested before and after, and the results drawn.
The command of each step is printed, so that it can be repeated by hand. Steps whose result exists
are skipped.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Optional

from rich.console import Console
from rich.table import Table

from gvhmr_da_mm.cli.command_line import report_errors
from gvhmr_da_mm.core.errors import GVHMRError, MissingFilesError

ROOT = Path(__file__).resolve().parents[1]
CONSOLE = Console()
CONFIGS = {'source': 'configs/gvhmr_demo.py', 'adapted': 'configs/da_demo.py'}
"""Configs of the trainings by name."""
TESTS = {
    'source': {'source': CONFIGS['source'], 'fitted': CONFIGS['adapted']},
    'adapted': {'adapted': CONFIGS['adapted']},
}
"""Of each training the tests by name, with the config."""
TITLES = {'source': 'Synthetic only', 'fitted': 'Fitted', 'adapted': 'Adapted and fitted'}
"""Headings of the tests."""


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--work-dir', default='work_dirs/demo', help='where everything is written')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument(
        '--video', type=Path, help='of the first act (default: one of two people, downloaded once)'
    )
    parser.add_argument(
        '--adapt-epochs', type=int,
        help='epochs of 20 iterations on this video (default: as many as of tools/adapt.py)',
    )  # fmt: skip
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


def find_video(given: Optional[Path]) -> Path:
    """Return the video of the first act.

    Args:
        given (Path, optional): The one that was asked for.

    Raises:
        MissingFilesError: If there is no model for it, or it cannot be downloaded.
        ConfigError: If MediaPipe cannot be used.
    """
    # After the command line was read: PyTorch and MMEngine take seconds to import.
    from gvhmr_da_mm.apis import list_models
    from gvhmr_da_mm.demo import sample_video
    from gvhmr_da_mm.video.detectors import build_detector

    if not list_models():
        raise MissingFilesError('this version ships no model (docs/en/models.md)')
    with build_detector('mediapipe', None, 'demo', (640, 360), everybody=True):
        pass  # It is there, with its weights.
    return given or sample_video()


def show_video(
    video: Path, out: Path, options: Sequence[str] = (), adapt_options: Sequence[str] = ()
) -> list[Path]:
    """Recover the motion of a video, adapt to it, and recover it again.

    Args:
        video (Path): The video.
        out (Path): Folder of the results.
        options (Sequence[str]): Further arguments of `infer.py` and `adapt.py`. Defaults to none.
        adapt_options (Sequence[str]): Further ones of `adapt.py` alone. Defaults to none.

    Returns:
        list[Path]: What to look at, in this order.
    """
    found = []

    def recover(title: str, root: Path, *more: str) -> None:
        folder = root / video.stem
        command = ('tools/infer.py', str(video), '--out', str(root), *options, *more)
        run(title, folder / 'world.html', *command)
        found.extend((folder / 'overlay.mp4', folder / 'world.html'))
        show_files('To look at:', found[-2:])

    # The others write below, so that people are detected once.
    recover('Recover the people of a video', out)
    adapted = out / 'adapted'
    command = ('tools/adapt.py', str(video), '--out', str(adapted), *options, *adapt_options)
    run('Adapt the model to the video', adapted / 'report.json', *command)
    found.append(adapted / f'{video.stem}.mp4')
    show_files('To look at, before and after in frames that were held out:', found[-1:])
    if json.loads((adapted / 'report.json').read_text())['kept'] == 'source':
        CONSOLE.print('The adapted model is not better here, so the motion stays as it is')
    else:
        weights = ('--weights', str(adapted / 'adapted.pth'))
        recover('Recover them by the adapted model', out / 'after', *weights)
    return found


def show_files(title: str, files: Iterable[Path]) -> None:
    """Print where files are."""
    CONSOLE.print(title, style='bold', highlight=False)
    for file in files:
        CONSOLE.print(f'  {file}', soft_wrap=True, markup=False)


def compare(tests: Mapping[str, Path]) -> Table:
    """Return a table of test results.

    Args:
        tests (Mapping[str, Path]): Files of results by heading; the last is compared with the
            first.
    """
    from gvhmr_da_mm.evaluation.report import METRIC_LABELS

    results = [json.loads(path.read_text())['results'] for path in tests.values()]
    table = Table(title='Made-up test clips; smaller is better')
    table.add_column('Metric')
    for heading in (*tests, 'Change'):
        table.add_column(heading, justify='right')
    for name in results[0]:
        protocol, _, metric = name.rpartition('/')
        values = [result.get(name) for result in results]
        if metric not in METRIC_LABELS or None in values:
            continue
        label, unit = METRIC_LABELS[metric]
        first, last = values[0], values[-1]
        colour = 'green' if last < first else 'red'
        change = f'[{colour}]{100 * (last / first - 1):+.0f} %[/]'
        table.add_row(f'{protocol} {label} ({unit})', *(f'{x:.1f}' for x in values), change)
    return table


def show_packs(args: argparse.Namespace, out: Path) -> list[Path]:
    """Run the main job on demo data, and return the pictures."""
    from gvhmr_da_mm.apis import load_config
    from gvhmr_da_mm.demo import choose_mocap, generate_demo

    data = ['--data-root', str(out / 'data')]
    CONSOLE.rule('Demo data')
    mocap = choose_mocap(args.motions)
    CONSOLE.print(f'Motions: {mocap or "the clips of this package"}', markup=False)
    generate_demo(out / 'data', seed=args.seed, shift=args.shift, size=args.size, mocap=mocap)

    start_from: list[str] = []
    for name, config in CONFIGS.items():
        path = str(ROOT / config)
        checkpoint = out / name / f'epoch_{load_config(path).train_cfg.max_epochs}.pth'
        seed = ['--cfg-options', f'randomness.seed={args.seed}', *start_from]
        run(
            f'Train: {name}',
            checkpoint,
            *('tools/train.py', path, '--work-dir', str(out / name), '--resume', *data, *seed),
        )
        # The config of the adaptation fits predictions to the keypoints, of the source as well.
        for result, tested in TESTS[name].items():
            folder = out / result
            run(
                f'Test: {result}',
                folder / 'results.json',
                *('tools/test.py', str(ROOT / tested), str(checkpoint), *data),
                *('--out', str(folder), '--work-dir', str(folder / 'test')),
                *('--show-dir', str(folder / 'pictures')),
            )
        start_from = [f'load_from={checkpoint}']
    run(
        'Training curves',
        out / 'adapted' / 'adaptation.png',
        *('tools/analysis_tools/plot_adaptation.py', str(out / 'adapted')),
    )
    CONSOLE.print(compare({title: out / name / 'results.json' for name, title in TITLES.items()}))
    return sorted(out.rglob('*.png'))


@report_errors
def main() -> None:
    """Run both acts."""
    args = parse_args()
    out = Path(args.work_dir)
    seen: list[Path] = []
    CONSOLE.rule('First act: a real video')
    try:
        video = find_video(args.video)
    except GVHMRError as error:
        CONSOLE.print(f'Left out: {error}', soft_wrap=True, markup=False)
    else:
        adapt_options = ['--seed', str(args.seed)]
        if args.adapt_epochs is not None:
            adapt_options += ['--cfg-options', f'train_cfg.max_epochs={args.adapt_epochs}']
        seen = show_video(video, out / 'video' / video.stem, adapt_options=adapt_options)
    CONSOLE.rule('Second act: the main job on made-up data')
    pictures = show_packs(args, out)
    if seen:
        show_files('Look at the video, before and after:', seen)
    show_files('Pictures of the made-up data:', pictures)


if __name__ == '__main__':
    main()
