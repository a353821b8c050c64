"""Measure the memory of the fit to keypoints for a clip and for one four times as long.

    python benchmarks/fit_memory.py [--frames N] [--data-root DIR]

The fit goes window by window: its memory should hardly depend on the length, but for the result.
Beside it stands the fit in one piece.
"""

import argparse
import sys
from dataclasses import fields
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.speed.case import Case, Pair, Settings  # noqa: E402
from benchmarks.speed.fit import scene_to_fit  # noqa: E402
from benchmarks.speed.measure import MIB, peak_memory  # noqa: E402
from gvhmr_da_mm.apis.body_root import find_body_root  # noqa: E402
from gvhmr_da_mm.cli.command_line import report_errors  # noqa: E402
from gvhmr_da_mm.models import KeypointRefiner, ReprojectionLoss  # noqa: E402

TIMES = 4
"""How much longer the second clip is."""
STEPS = 3
"""Iterations, on whose number the memory does not depend."""


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument(
        '--frames', type=int, default=4500, help='of the shorter clip, default: %(default)s'
    )
    parser.add_argument('--data-root', type=Path, metavar='DIR', help='folder of the bodies')
    return parser.parse_args()


def fit(settings: Settings, frames: int, window: int) -> Pair:
    """Fit a video and its mirror image."""
    prediction, inputs, model = scene_to_fit(settings, frames)
    refiner = KeypointRefiner(steps=STEPS, window=window)
    return Pair(partial(refiner, prediction, inputs, ReprojectionLoss(), model, across_ranks=False))


def peaks(settings: Settings, frames: int, window: int) -> tuple[float, float]:
    """Return the peaks of clips of ``frames`` and of four times as many, MiB."""
    lengths = (frames, TIMES * frames)
    cases = [
        Case(f'fit_{length}', partial(fit, frames=length, window=window)) for length in lengths
    ]
    return tuple(peak_memory(case, settings) for case in cases)


def result_size(settings: Settings, frames: int) -> float:
    """Return the size of the result of clips of ``frames``, MiB."""
    prediction, *_ = scene_to_fit(settings, 1)
    values = (getattr(prediction, field.name) for field in fields(prediction))
    return frames * sum(value.nbytes for value in values if value is not None) / MIB


@report_errors
def main() -> None:
    """Run from the command line."""
    args = parse_args()
    settings = Settings(find_body_root(args.data_root))
    lengths = (args.frames, TIMES * args.frames)
    ways = {'windows': KeypointRefiner().window, 'one piece': lengths[1]}
    found = {name: peaks(settings, args.frames, window) for name, window in ways.items()}
    # Here at last: a process that has computed cannot be forked safely.
    results = [result_size(settings, length) for length in lengths]
    for name, whole in found.items():
        first, second = (peak - result for peak, result in zip(whole, results))
        print(
            f'{name}: {whole[0]:.0f} MiB for {lengths[0]} frames, {whole[1]:.0f} MiB for '
            f'{lengths[1]}; without the result {first:.0f} and {second:.0f} MiB, '
            f'{second / first:.2f} times as much'
        )


if __name__ == '__main__':
    main()
