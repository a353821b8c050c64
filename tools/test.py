"""Test a checkpoint on all test sets and print the results beside the published ones."""

import argparse
from pathlib import Path

from mmengine.runner import Runner
from rich.console import Console

from gvhmr_da_mm.apis import check_checkpoint, check_files, load_config
from gvhmr_da_mm.apis.command_line import add_common_arguments, report_errors, set_local_rank
from gvhmr_da_mm.evaluation import format_table, write_csv, write_json


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--out', help='folder for results.json and results.csv')
    parser.add_argument(
        '--show-dir', help='folder for pictures of some predictions, off by default'
    )
    add_common_arguments(parser)
    return parser.parse_args()


@report_errors
def main() -> None:
    """Build the runner, test and print the table."""
    args = parse_args()
    set_local_rank(args)
    check_checkpoint(args.checkpoint)
    config = load_config(args.config, args.cfg_options, args.data_root)
    config.launcher = args.launcher
    config.load_from = None
    config.work_dir = args.work_dir or str(Path('work_dirs') / Path(args.config).stem)
    # Nothing of training is needed to test.
    config.train_cfg = config.train_dataloader = config.optim_wrapper = None
    config.val_cfg = config.val_dataloader = config.val_evaluator = None
    config.param_scheduler = None
    config.custom_hooks = []
    if args.show_dir:
        out_dir = str(Path(args.show_dir).absolute())
        config.default_hooks.visualization.update(enable=True, out_dir=out_dir)
    check_files(config, 'model', 'test_dataloader', 'test_evaluator')

    runner = Runner.from_cfg(config)
    checkpoint = runner.load_checkpoint(args.checkpoint, map_location='cpu')
    trained_on = checkpoint.get('meta', {}).get('dataset_meta') or {}
    transductive = bool(trained_on.get('transductive', False))
    results = runner.test()
    if runner.rank == 0:
        Console().print(format_table(results, transductive=transductive))
        out = Path(args.out or runner.log_dir)
        out.mkdir(parents=True, exist_ok=True)
        per_sequence = {
            metric.prefix: metric.per_sequence
            for metric in runner.test_evaluator.metrics
            if hasattr(metric, 'per_sequence')
        }
        write_json(out / 'results.json', results, per_sequence, transductive=transductive)
        write_csv(out / 'results.csv', results)
        print(f'Results are in {out}')


if __name__ == '__main__':
    main()
