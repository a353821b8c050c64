"""Compute mean and deviation of the motion vector on the labelled clips of a config.

The file is accepted by `motion_codec.statistics` of a config and by the checkpoint converter.
"""

import argparse
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from gvhmr_da_mm.apis import load_config
from gvhmr_da_mm.cli.command_line import add_dataset_arguments, report_errors
from gvhmr_da_mm.codecs import MotionCodec
from gvhmr_da_mm.config.datasets import config_datasets
from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.core.layout import MOTION
from gvhmr_da_mm.datasets import MultiSourceDataset
from gvhmr_da_mm.datasets.motion_labels import choose_clips, motion_labels


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_dataset_arguments(parser)
    parser.add_argument('--out', required=True, metavar='FILE.npz', help='the file to write')
    parser.add_argument(
        '--num-clips',
        type=int,
        default=0,
        help='read at most so many, drawn at random; 0 reads all',
    )
    parser.add_argument('--seed', type=int, default=0, help='draws clips and windows')
    parser.add_argument(
        '--min-std', type=float, default=1e-3, help='smallest deviation of a channel'
    )
    return parser.parse_args()


def overview(codec: MotionCodec, min_std: float) -> Table:
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


@report_errors
def main() -> None:
    """Read the clips, compute and write."""
    args = parse_args()
    out = Path(args.out)
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
    dataset = MultiSourceDataset(datasets)
    indices = choose_clips(range(len(dataset)), args.num_clips or len(dataset), args.seed)
    codec = MotionCodec()
    console = Console()
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
    console.print(overview(codec, args.min_std))
    names = ', '.join(part.dataset for part in datasets)
    console.print(f'{len(indices)} clips of {names}; written: {out}', soft_wrap=True)


if __name__ == '__main__':
    main()
