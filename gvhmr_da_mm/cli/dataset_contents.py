"""Tables of what the datasets of a config hold."""

import argparse
import json
from dataclasses import asdict
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from ..apis import load_config
from ..config.datasets import config_datasets
from ..datasets.dataset_facts import DatasetFacts, measure_dataset

_BAR_WIDTH = 20


def report_contents(args: argparse.Namespace) -> int:
    """Read the datasets, print the tables and write the file.

    Args:
        args (Namespace): Of ``analyze_dataset.py contents``.

    Returns:
        int: Exit status: 0.
    """
    console = Console()
    config = load_config(args.config, args.cfg_options, args.data_root)
    facts = []
    for dataset in config_datasets(config, args.split, args.dataset, with_joints=False):
        dataset.full_init()
        progress = partial(track, description=dataset.dataset, console=console, transient=True)
        facts.append(
            measure_dataset(dataset, args.frames_per_clip, args.max_clips, progress=progress)
        )
    console.print(_table(facts))
    for fact in facts:
        console.print(_histogram(fact))
    if args.out:
        out = Path(args.out)
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps({fact.name: asdict(fact) for fact in facts}, indent=2) + '\n')
        console.print(f'Written: {out}', soft_wrap=True, markup=False)
    return 0


def _table(facts: list[DatasetFacts]) -> Table:
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


def _histogram(fact: DatasetFacts) -> Table:
    """Return the lengths of the clips of a dataset as bars."""
    table = Table(title=f'{fact.name}: frames of a clip', show_header=False, box=None)
    most = max(fact.length_histogram.values())
    filled = [index for index, count in enumerate(fact.length_histogram.values()) if count]
    for name, count in list(fact.length_histogram.items())[filled[0] : filled[-1] + 1]:
        table.add_row(name, '█' * -(-_BAR_WIDTH * count // most), str(count))
    return table
