"""Prove that a change of the code leaves training as it is, to the last bit.

    python tests/robustness/same_training.py record before.pth --data-root DATA
    python tests/robustness/same_training.py record after.pth --data-root DATA --start before.pth
    python tests/robustness/same_training.py compare before.pth after.pth

``record`` trains the main job at its smallest for 30 iterations on the CPU and keeps the weights
before and after. Run it from two checkouts (``PYTHONPATH`` says which package is used); the second
one starts from the weights of the first. ``--rename OLD=NEW`` maps beginnings of weight names that
the change has renamed, for ``record --start`` and for ``compare``; an empty NEW drops them.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault('OMP_NUM_THREADS', '1')

import numpy as np  # noqa: E402
import torch  # noqa: E402
from mmengine.config import DictAction  # noqa: E402
from mmengine.hooks import Hook  # noqa: E402
from mmengine.runner import Runner  # noqa: E402

CONFIG = Path('configs/da_tiny_bedlam_emdb_3dpw.py')
ITERATIONS = 30
OPTIONS = {
    'train_cfg.max_epochs': 1,
    'train_dataloader.batch_sampler.batches_per_epoch': ITERATIONS,
    'train_dataloader.batch_size': 4,
    'val_cfg': None,
    'val_dataloader': None,
    'val_evaluator': None,
    'log_level': 'WARNING',
}
SEED = 0


class SeedHook(Hook):
    """Start all random numbers anew: building a model in another order draws others."""

    priority = 'VERY_LOW'

    def before_train(self, runner: Runner) -> None:
        """Seed, when everything is built and loaded."""
        torch.manual_seed(SEED)
        np.random.seed(SEED)


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest='command', required=True)
    record = commands.add_parser('record', help='train and keep the weights')
    record.add_argument('out', type=Path)
    record.add_argument('--data-root', required=True)
    record.add_argument('--config', type=Path, default=CONFIG)
    record.add_argument(
        '--start', type=Path, help='recorded file whose first weights to start from'
    )
    record.add_argument('--cfg-options', nargs='+', action=DictAction, default={})
    compare = commands.add_parser('compare', help='compare two recorded files')
    compare.add_argument('first', type=Path)
    compare.add_argument('second', type=Path)
    for command in (record, compare):
        command.add_argument('--rename', nargs='*', default=[], metavar='OLD=NEW')
    return parser.parse_args()


def renamed(weights: dict, renames: list[str]) -> dict:
    """Return the weights with new names."""
    pairs = [rename.split('=', 1) for rename in renames]
    result = {}
    for name, value in weights.items():
        old, new = next(((o, n) for o, n in pairs if name.startswith(o)), ('', None))
        if new is None:
            result[name] = value
        elif new:
            result[new + name[len(old) :]] = value
    return result


def record(args: argparse.Namespace) -> int:
    """Train and keep the weights before and after."""
    from gvhmr_da_mm.apis import load_config, set_data_root

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    with tempfile.TemporaryDirectory() as folder:
        config = load_config(args.config, {**OPTIONS, **args.cfg_options})
        set_data_root(config, args.data_root)
        config.work_dir = folder
        runner = Runner.from_cfg(config)
        runner.model.init_weights()
        if args.start:
            start = torch.load(args.start, weights_only=True)['start']
            runner.model.load_state_dict(renamed(start, args.rename), strict=True)
        runner.model.init_weights = lambda: None  # Runner.train would initialise anew.
        start = {name: value.clone() for name, value in runner.model.state_dict().items()}
        runner.register_hook(SeedHook())
        runner.train()
        end = {name: value.clone() for name, value in runner.model.state_dict().items()}
    torch.save(dict(start=start, end=end), args.out)
    moved = sum(not torch.equal(start[name], end[name]) for name in start)
    print(f'{args.out}: {len(end)} tensors, {moved} of them changed by training')
    return 0


def compare(args: argparse.Namespace) -> int:
    """Compare the last weights of two recorded files."""
    first, second = (torch.load(path, weights_only=True) for path in (args.first, args.second))
    differences = []
    for moment in ('start', 'end'):
        old, new = renamed(first[moment], args.rename), second[moment]
        for name in sorted(old.keys() ^ new.keys()):
            differences.append(f'{moment}: {name} is only in one of them')
        for name in sorted(old.keys() & new.keys()):
            if not torch.equal(old[name], new[name]):
                error = (old[name].double() - new[name].double()).abs().max().item()
                differences.append(f'{moment}: {name} differs by {error:.3g}')
    print('\n'.join(differences[:20]))
    print(f'tensors={len(second["end"])} differences={len(differences)}')
    return int(bool(differences))


def main() -> int:
    """Run a command."""
    args = parse_args()
    return record(args) if args.command == 'record' else compare(args)


if __name__ == '__main__':
    sys.exit(main())
