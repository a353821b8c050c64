"""Train a model from a config, as MMPose's tool of the same name does."""

import argparse
from pathlib import Path

from mmengine.runner import Runner

from gvhmr_da_mm.apis import check_files, limit_for_debugging, load_config
from gvhmr_da_mm.apis.command_line import add_common_arguments, report_errors, set_local_rank


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        help='go on from the latest checkpoint of the work dir, or from the one given',
    )
    parser.add_argument('--no-validate', action='store_true', help='do not evaluate in between')
    parser.add_argument(
        '--debug', action='store_true', help='two epochs of four batches, everything logged'
    )
    add_common_arguments(parser)
    return parser.parse_args()


@report_errors
def main() -> None:
    """Build the runner and train."""
    args = parse_args()
    set_local_rank(args)
    config = load_config(args.config, args.cfg_options, args.data_root)
    config.launcher = args.launcher
    config.work_dir = args.work_dir or config.get('work_dir') or _default_work_dir(args.config)
    if args.resume:
        config.resume = True
        config.load_from = None if args.resume == 'auto' else args.resume
    if args.no_validate:
        config.val_cfg = config.val_dataloader = config.val_evaluator = None
    if args.debug:
        limit_for_debugging(config)
    used = ['model', 'train_dataloader', 'val_dataloader', 'val_evaluator']
    check_files(config, *used)
    Runner.from_cfg(config).train()


def _default_work_dir(config: str) -> str:
    return str(Path('work_dirs') / Path(config).stem)


if __name__ == '__main__':
    main()
