"""Report the contents of the datasets of a config, or compute motion vector statistics.

The file of `motion` is accepted by `motion_codec.statistics` of a config and by the checkpoint
converter.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from gvhmr_da_mm.cli.command_line import add_dataset_arguments, report_errors
from gvhmr_da_mm.config.splits import SPLITS
from gvhmr_da_mm.core.errors import ConfigError

if TYPE_CHECKING:
    from gvhmr_da_mm.codecs import MotionCodec
    from gvhmr_da_mm.datasets.dataset_facts import DatasetFacts

BAR_WIDTH = 20


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest='command', required=True)
    facts = commands.add_parser('datasets', help='clips, frames, lengths, cameras, boxes')
    add_dataset_arguments(facts)
    facts.add_argument(
        '--split', nargs='+', choices=SPLITS, default=['train', 'test'], help='which dataloaders'
    )
    facts.add_argument('--out', metavar='FILE.json', help='write the numbers to a file as well')
    facts.add_argument('--frames-per-clip', type=int, default=3, help='frames to read; 0 reads all')
    facts.add_argument('--max-clips', type=int, help='read frames of at most so many clips')
    facts.set_defaults(run=report_datasets)
    motion = commands.add_parser(
        'motion',
        help='mean and standard deviation of the motion vector on the labelled training clips',
    )
    add_dataset_arguments(motion)
    motion.add_argument('--out', required=True, metavar='FILE.npz', help='the file to write')
    motion.add_argument(
        '--num-clips',
        type=int,
        default=0,
        help='read at most so many, drawn at random; 0 reads all',
    )
    motion.add_argument('--seed', type=int, default=0, help='draws clips and windows')
    motion.add_argument(
        '--min-std', type=float, default=1e-3, help='smallest standard deviation of a channel'
    )
    motion.set_defaults(run=measure_motion)
    return parser.parse_args()


def dataset_table(facts: list[DatasetFacts]) -> Table:
    """Return a table with a column for each dataset."""
    table = Table(title='Datasets')
    table.add_column('', no_wrap=True)
    for fact in facts:
        table.add_column(f'{fact.name}\n{fact.domain}', justify='right', overflow='fold')

    def spread(values: list[float], digits: int) -> str:
        low, middle, high = (f'{value:.{digits}f}' for value in values)
        return f'{middle}\n{low}–{high}'

    rows = {
        'clips\nsequences': lambda f: f'{f.clips}\n{f.sequences}',
        'frames': lambda f: str(f.frames),
        'hours': lambda f: f'{f.hours:.2f}',
        'frames of a clip': lambda f: f'{f.length[1]}\n{f.length[0]}–{f.length[2]}',
        'focal / diagonal': lambda f: spread(f.focal, 2),
        'box side, px': lambda f: spread(f.box, 0),
        'box side / image': lambda f: spread(f.box_share, 2),
        'image sizes': lambda f: '\n'.join(f.image_sizes),
        'clips with labels': lambda f: str(f.with_labels),
        'with keypoints': lambda f: str(f.with_keypoints),
        'with features': lambda f: str(f.with_features),
        'static cameras': lambda f: str(f.static_cameras),
    }
    for name, cell in rows.items():
        table.add_row(name, *map(cell, facts))
    table.caption = 'median, below it 5 %–95 %, or shortest–longest clip'
    return table


def histogram(fact: DatasetFacts) -> Table:
    """Return the lengths of the clips of a dataset as bars."""
    table = Table(title=f'{fact.name}: frames of a clip', show_header=False, box=None)
    most = max(fact.length_histogram.values())
    filled = [index for index, count in enumerate(fact.length_histogram.values()) if count]
    for name, count in list(fact.length_histogram.items())[filled[0] : filled[-1] + 1]:
        table.add_row(name, '█' * -(-BAR_WIDTH * count // most), str(count))
    return table


def report_datasets(args: argparse.Namespace, console: Console) -> None:
    """Read the datasets, print the tables and write the file."""
    # After the command line was read: PyTorch and MMEngine take seconds to import.
    from gvhmr_da_mm.apis import load_config
    from gvhmr_da_mm.config.datasets import config_datasets
    from gvhmr_da_mm.datasets.dataset_facts import measure_dataset

    config = load_config(args.config, args.cfg_options, args.data_root)
    facts = []
    for dataset in config_datasets(config, args.split, args.dataset, with_joints=False):
        dataset.full_init()
        progress = partial(track, description=dataset.dataset, console=console, transient=True)
        facts.append(
            measure_dataset(dataset, args.frames_per_clip, args.max_clips, progress=progress)
        )
    console.print(dataset_table(facts))
    for fact in facts:
        console.print(histogram(fact))
    if args.out:
        out = Path(args.out)
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps({fact.name: asdict(fact) for fact in facts}, indent=2) + '\n')
        console.print(f'Written: {out}', soft_wrap=True, markup=False)


def motion_table(codec: MotionCodec, min_std: float) -> Table:
    """Return a table of the parts of the motion vector."""
    from gvhmr_da_mm.core.layout import MOTION

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


def measure_motion(args: argparse.Namespace, console: Console) -> None:
    """Read the clips, compute, print and write."""
    from gvhmr_da_mm.apis import load_config
    from gvhmr_da_mm.codecs import MotionCodec
    from gvhmr_da_mm.config.datasets import config_datasets
    from gvhmr_da_mm.datasets import MultiSourceDataset
    from gvhmr_da_mm.datasets.motion_labels import choose_clips, motion_labels

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
    console.print(motion_table(codec, args.min_std))
    names = ', '.join(part.dataset for part in datasets)
    text = f'{len(indices)} clips of {names}; written: {out}'
    console.print(text, soft_wrap=True, markup=False)


@report_errors
def main() -> None:
    """Run the command."""
    args = parse_args()
    args.run(args, Console())


if __name__ == '__main__':
    main()
