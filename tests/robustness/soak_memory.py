"""Train for many tiny iterations and see whether memory, open files and tensors stay flat."""

import argparse
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from mmengine.config import Config  # noqa: E402
from mmengine.runner import Runner  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from gvhmr_da_mm.cli.command_line import report_errors  # noqa: E402
from gvhmr_da_mm.demo import generate_demo  # noqa: E402
from gvhmr_da_mm.evaluation.metrics.sequence_metric import SkippedSequenceWarning  # noqa: E402
from tests.robustness.memory_monitor import (  # noqa: E402
    Footprint,
    MemoryMonitor,
    after_warm_up,
    growth,
    rss_slope,
)
from tests.robustness.plot_memory import plot_memory  # noqa: E402
from tests.testing import isolated_registry, tiny_config  # noqa: E402

CONFIG = ROOT / 'configs' / 'da_tiny_bedlam_emdb_3dpw.py'
MIN_ITERS = 50
MAX_SLOPE = 1.0
EPOCH = 100
VAL_INTERVAL = 20
ROWS = 20
FRAMES = 8
# Every part of the adaptation takes part, as small as it can be.
OPTIONS = {
    'model.estimator.backbone.latent_dim': 8,
    'model.estimator.backbone.num_layers': 1,
    'model.estimator.backbone.num_heads': 1,
    'model.estimator.head.latent_dim': 8,
    'model.critic.discriminator.hidden_size': 8,
    'model.critic.discriminator.attention_size': 4,
    'model.pseudo_labeler.refiner.steps': 1,
    'model.critic.queue.size': 8,
    'model.critic.queue.max_len': FRAMES,
    'model.critic.calibrator.size': 16,
    'model.critic.calibrator.min_scores': 2,
    # Choose every label, so that none of their code is passed over.
    'default_hooks.confidence_threshold.start': 0.0,
    'default_hooks.confidence_threshold.end': 0.0,
    'log_level': 'ERROR',
}


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        '--iters', type=int, default=20000, help='iterations, 50 or more (default: 20000)'
    )
    parser.add_argument(
        '--out',
        default='work_dirs/soak_memory',
        help='folder of the run and its picture (default: work_dirs/soak_memory)',
    )
    parser.add_argument('--data-root', help='folder of all data; default: data are made up in OUT')
    args = parser.parse_args()
    if args.iters < MIN_ITERS:
        parser.error(f'`--iters` should be at least {MIN_ITERS}, got {args.iters}')
    return args


def soak_config(data_root: Path, work_dir: Path, iterations: int) -> Config:
    """Return the config of the run: validations, and a checkpoint every 100 iterations or less."""
    epoch = min(EPOCH, max(iterations // 10, 1))
    frames = {
        f'train_dataloader.dataset.datasets.{source}.{name}': value
        for source in ('bedlam', 'emdb', 'threedpw')
        for name, value in (('max_len', FRAMES), ('min_len', FRAMES // 2))
    }
    config = tiny_config(
        CONFIG,
        data_root,
        work_dir,
        epochs=-(-iterations // epoch),
        batches=epoch,
        batch_size=1,
        validate=True,
        options={**OPTIONS, **frames},
    )
    # The metrics read bodies once and keep them, so the first epoch is validated, too: not in the
    # midst of the measurements.
    config.train_cfg.update(val_interval=1, dynamic_intervals=[(3, VAL_INTERVAL)])
    config.default_hooks.logger.interval = 10
    config.default_hooks.collapse_guard.action = 'warn'
    return config


def print_table(footprints: Sequence[Footprint]) -> None:
    """Print about twenty of the measurements."""
    table = Table('iteration', 'memory (MB)', 'open files', 'tensors')
    step = max(len(footprints) // ROWS, 1)
    for one in footprints[step - 1 :: step]:
        table.add_row(str(one.iteration), f'{one.rss_mb:.1f}', str(one.files), str(one.tensors))
    Console().print(table)


def report(footprints: Sequence[Footprint], picture: Path) -> bool:
    """Print and draw what was measured, and tell whether it is flat."""
    print_table(footprints)
    settled = after_warm_up(footprints)
    slope, files, tensors = rss_slope(settled), growth(settled, 'files'), growth(settled, 'tensors')
    flat = slope < MAX_SLOPE and files <= 0 and tensors <= 0
    print(plot_memory(footprints, settled, slope, picture))
    verdict = 'ok' if flat else 'GROWING'
    counts = f'fds_growth={files} tensors_growth={tensors}'
    print(f'rss_slope_mb_per_1000={slope:.3f} {counts} {verdict}')
    return flat


@report_errors
def main() -> None:
    """Train, measure, and end with one line and an exit code."""
    args = parse_args()
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    if args.data_root is None:
        data_root = generate_demo(out / 'data', size='toy', preview=False)
    else:
        data_root = Path(args.data_root)
    # The made-up test sequences are too short for some metrics.
    warnings.simplefilter('ignore', SkippedSequenceWarning)
    monitor = MemoryMonitor(interval=max(args.iters // (10 * ROWS), 2))
    with isolated_registry():
        runner = Runner.from_cfg(soak_config(data_root, out, args.iters))
        runner.register_hook(monitor)
        try:
            runner.train()
        finally:  # A run that is stopped has seen something, too.
            if len(monitor.footprints) > ROWS:
                flat = report(monitor.footprints, out / 'memory.png')
    sys.exit(0 if flat else 1)


if __name__ == '__main__':
    main()
