"""Mean and standard deviation of the motion vector on labelled clips, as a file and a table."""

import argparse
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from ..apis import load_config
from ..codecs import MotionCodec
from ..config.datasets import config_datasets
from ..core.errors import ConfigError
from ..core.layout import MOTION
from ..datasets import MultiSourceDataset
from ..datasets.motion_labels import choose_clips, motion_labels


def write_motion_statistics(args: argparse.Namespace) -> int:
    """Read the clips, compute, print and write.

    Args:
        args (Namespace): Of ``analyze_dataset.py motion``.

    Returns:
        int: Exit status: 0.

    Raises:
        ConfigError: If an option is impossible, or there is no labelled dataset.
    """
    console, out = Console(), Path(args.out)
    if out.suffix != '.npz':
        raise ConfigError(f'`--out` should end in .npz, got {args.out!r}')
    if args.num_clips < 0 or args.min_std <= 0:
        raise ConfigError(
            '`--num-clips` should be at least 0 and `--min-std` positive, got '
            f'{args.num_clips} and {args.min_std}'
        )
    config = load_config(args.config, args.cfg_options, args.data_root)
    datasets = config_datasets(config, ['train'], args.dataset)
    if args.dataset is None:
        datasets = [dataset for dataset in datasets if dataset.domain == 'synthetic']
    if not datasets:
        raise ConfigError(
            f'{args.config} has no training dataset of the domain `synthetic`; name a labelled one '
            'with `--dataset`'
        )
    dataset = MultiSourceDataset({dataset.dataset: dataset for dataset in datasets})
    indices = choose_clips(range(len(dataset)), args.num_clips or len(dataset), args.seed)
    codec = MotionCodec()
    labels = motion_labels(dataset, indices, args.seed)
    codec.fit(
        track(labels, 'Clips', total=len(indices), console=console, transient=True), args.min_std
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        out,
        mean=codec.mean.numpy(),
        std=codec.std.numpy(),
        datasets=np.array([part.dataset for part in datasets]),
        num_clips=len(indices),
        seed=args.seed,
    )
    console.print(_table(codec, args.min_std))
    names = ', '.join(part.dataset for part in datasets)
    text = f'{len(indices)} clips of {names}; written: {out}'
    console.print(text, soft_wrap=True, markup=False)
    return 0


def _table(codec: MotionCodec, min_std: float) -> Table:
    """Return a table of the parts of the motion vector."""
    table = Table(title='Statistics of the motion vector')
    for heading in ('Part', 'Channels', 'Mean', 'Deviation', 'At the minimum'):
        table.add_column(heading, justify='left' if heading == 'Part' else 'right')
    for name, part in MOTION._asdict().items():
        if isinstance(part, slice):
            mean, std = codec.mean[part], codec.std[part]
            table.add_row(
                name,
                str(len(mean)),
                f'{mean.min():.3f} to {mean.max():.3f}',
                f'{std.min():.4f} to {std.max():.4f}',
                str(int((std <= min_std).sum())),
            )
    return table
