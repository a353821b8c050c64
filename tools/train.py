"""Train a model from a config, as MMPose's tool of the same name does."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from gvhmr_da_mm.cli.command_line import add_common_arguments, report_errors, set_local_rank

if TYPE_CHECKING:
    from mmengine.config import Config


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        type=os.path.expanduser,
        help='resume from the latest checkpoint of the work dir, or from the given one',
    )
    parser.add_argument(
        '--no-validate', action='store_true', help='do not evaluate during training'
    )
    parser.add_argument(
        '--debug', action='store_true', help='two epochs of four batches, everything logged'
    )
    parser.add_argument(
        '--dry-run',
        action='store_true',
        help='run each dataset and one step of each domain, print time and memory, write nothing',
    )
    parser.add_argument(
        '--amp', action='store_true', help='train in half precision (fp16, needs a GPU)'
    )
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help='scale learning rates by the global batch size over `auto_scale_lr.base_batch_size`',
    )
    add_common_arguments(parser)
    return parser.parse_args()


@report_errors
def main() -> None:
    """Build the runner and train."""
    args = parse_args()
    # After the command line was read: PyTorch and MMEngine take seconds to import.
    from mmengine.runner import Runner

    from gvhmr_da_mm.apis import (
        check_checkpoint,
        check_files,
        check_training,
        dry_run,
        limit_for_debugging,
        load_config,
        scale_learning_rate,
        use_half_precision,
        use_stored_sizes,
    )
    from gvhmr_da_mm.cli.ranks import start_cpu_ranks

    set_local_rank(args)
    config = load_config(args.config, args.cfg_options, args.data_root)
    config.launcher = args.launcher
    start_cpu_ranks(config)
    work_dir = args.work_dir or config.get('work_dir') or f'work_dirs/{Path(args.config).stem}'
    config.work_dir = str(Path(work_dir).absolute())
    if args.resume:
        resume_from(config, args.resume)
    if args.no_validate:
        config.val_cfg = config.val_dataloader = config.val_evaluator = None
    if args.amp:
        use_half_precision(config)
    if args.auto_scale_lr:
        scale_learning_rate(config)
    check_training(config)
    if args.debug:
        limit_for_debugging(config)
    if config.get('load_from'):
        check_checkpoint(config.load_from)
        use_stored_sizes(config, config.load_from, args.cfg_options)
    used = ['model', 'train_dataloader', 'val_dataloader', 'val_evaluator']
    if args.dry_run:
        if args.no_validate:
            config.test_cfg = config.test_dataloader = config.test_evaluator = None
        check_files(config, *used, 'test_dataloader', 'test_evaluator')
        dry_run(config)
        return
    check_files(config, *used)
    Runner.from_cfg(config).train()


def resume_from(config: Config, checkpoint: str) -> None:
    """Resume from a checkpoint; with ``'auto'`` from the latest one, if there is any."""
    from gvhmr_da_mm.engine.checkpoint_files import find_last_checkpoint

    if checkpoint == 'auto':
        checkpoint = find_last_checkpoint(config.work_dir)
    # Without one this is the first start, which may begin from `load_from`.
    if checkpoint:
        config.resume, config.load_from = True, checkpoint


if __name__ == '__main__':
    main()
