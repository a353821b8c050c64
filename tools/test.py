"""Test a checkpoint on all test sets and print the results beside the published ones.

Test sets without labels are predicted, not scored.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from gvhmr_da_mm.cli.command_line import (
    add_common_arguments,
    check_output_folder,
    report_errors,
    set_local_rank,
)

if TYPE_CHECKING:
    from mmengine.config import Config


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument(
        '--out', type=os.path.expanduser, help='folder for results.json and results.csv'
    )
    parser.add_argument(
        '--dump',
        type=os.path.expanduser,
        help='folder for the predictions, one npz file per sequence; off by default',
    )
    parser.add_argument(
        '--show-dir',
        type=os.path.expanduser,
        help='folder for pictures of some predictions, off by default',
    )
    parser.add_argument(
        '--show', action='store_true', help='show pictures of some predictions in windows'
    )
    parser.add_argument(
        '--wait-time',
        type=float,
        default=1,
        help='seconds to show a window; 0 waits for a key (default: 1)',
    )
    add_common_arguments(parser)
    return parser.parse_args()


def add_dump(config: Config, folder: str) -> None:
    """Add the metric that writes predictions to the metrics of the config, one or a list."""
    metrics = config.test_evaluator
    metrics = [metrics] if isinstance(metrics, dict) else list(metrics)
    # By name: stock MMEngine cannot dump a config that contains a class.
    dump = dict(type='gvhmr_da_mm.DumpPredictions', out_dir=folder)
    config.test_evaluator = [*metrics, dump]


def add_pictures(config: Config, args: argparse.Namespace) -> None:
    """Turn on the hook that draws predictions, which the config may have disabled."""
    hook = config.default_hooks.get('visualization', dict(type='MotionVisualizationHook'))
    out_dir = str(Path(args.show_dir).absolute()) if args.show_dir else None
    options = dict(enable=True, out_dir=out_dir, show=args.show, wait_time=args.wait_time)
    config.default_hooks.visualization = dict(hook, **options)


@report_errors
def main() -> None:
    """Build the runner, test and print the table."""
    args = parse_args()
    # After the command line was read: PyTorch and MMEngine take seconds to import.
    from mmengine.runner import Runner

    from gvhmr_da_mm.apis import check_checkpoint, check_files, load_config, use_stored_sizes
    from gvhmr_da_mm.cli.ranks import start_cpu_ranks
    from gvhmr_da_mm.cli.save_results import save_results
    from gvhmr_da_mm.engine.safe_loading import safe_checkpoint_loading
    from gvhmr_da_mm.evaluation import check_dump_dir, read_index, write_index
    from gvhmr_da_mm.visualization import require_display

    set_local_rank(args)
    if args.show:
        require_display()
    for name in ('out', 'dump', 'show_dir', 'work_dir'):
        check_output_folder(f'--{name.replace("_", "-")}', getattr(args, name))
    check_checkpoint(args.checkpoint)
    config = load_config(args.config, args.cfg_options, args.data_root)
    use_stored_sizes(config, args.checkpoint, args.cfg_options)
    config.launcher = args.launcher
    start_cpu_ranks(config)
    config.load_from = None
    config.work_dir = args.work_dir or str(Path('work_dirs') / Path(args.config).stem)
    # Nothing of training is needed to test.
    config.train_cfg = config.train_dataloader = config.optim_wrapper = None
    config.val_cfg = config.val_dataloader = config.val_evaluator = None
    config.param_scheduler = None
    # MMEngine takes no test without an evaluator.
    config.test_evaluator = config.get('test_evaluator') or []
    if args.show or args.show_dir:
        add_pictures(config, args)
    if args.dump:
        check_dump_dir(args.dump)
        add_dump(config, args.dump)
    check_files(config, 'model', 'test_dataloader', 'test_evaluator')

    runner = Runner.from_cfg(config)
    with safe_checkpoint_loading():
        checkpoint = runner.load_checkpoint(args.checkpoint, map_location='cpu')
    trained_on = checkpoint.get('meta', {}).get('dataset_meta') or {}
    transductive = bool(trained_on.get('transductive', False))
    results = runner.test()
    if runner.rank == 0:
        if args.dump:
            # The index was written before these facts were known.
            facts = dict(config=args.config, checkpoint=args.checkpoint, transductive=transductive)
            write_index(args.dump, read_index(args.dump)[0], **facts)
            print(f'Predictions are in {args.dump}')
        if results:
            out = args.out or runner.log_dir
            save_results(results, runner.test_evaluator.metrics, out, transductive)
        else:
            kept = '' if args.dump else '; predictions are kept by --dump FOLDER'
            print(f'No scores: the test sequences have no labels for the metrics{kept}')


if __name__ == '__main__':
    main()
