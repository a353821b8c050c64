"""Conversion of checkpoint files between the published format of GVHMR and ours."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from ..codecs.published_statistics import read_published_statistics
from ..core.errors import CheckpointError, ConfigError
from ..fileio.atomic_file import open_atomically
from ..models.checkpoint_comparison import TensorDifference
from ..models.checkpoint_conversion import (
    compare_with_network,
    export_published,
    import_published,
)
from ..models.checkpoint_keys import (
    PUBLISHED_PREFIX,
    count_blocks,
    infer_network_config,
    published_names,
)
from ..models.checkpoint_reading import read_checkpoint
from ..registry.arguments import checks_flags

PathLike = Union[str, Path]
_BLOCK = re.compile(r'(?<=blocks\.)\d+')


@checks_flags
def convert_checkpoint(
    source: PathLike,
    target: PathLike,
    statistics: Optional[PathLike] = None,
    repository: Optional[PathLike] = None,
    reverse: bool = False,
    console: Optional[Console] = None,
) -> Path:
    """Convert a checkpoint file and print how its tensors correspond.

    Args:
        source (str | Path): A published checkpoint; one of ours with ``reverse``.
        target (str | Path): The file to write, which must not exist.
        statistics (str | Path, optional): A ``.npz`` or ``.json`` file with ``mean`` and ``std``
            of the motion vector. With ``reverse`` the ``.npz`` file to write them to. Defaults to
            None; with ``reverse`` to the target with the ending ``.statistics.npz``.
        repository (str | Path, optional): A GVHMR checkout to read the statistics from instead.
        reverse (bool): From ours to published. Defaults to False.
        console (Console, optional): Where the table is printed. Defaults to standard output.

    Returns:
        Path: The target.

    Raises:
        CheckpointError: If the source has the wrong format; the table shows what differs.
        ConfigError: If the statistics are not given, or a file to be written exists.
        DataError, MissingFilesError: If a file is absent or unusable.
    """
    console, target = console or Console(), Path(target)
    _check_free(target)
    checkpoint = read_checkpoint(source)
    if reverse:
        if repository is not None:
            raise ConfigError('`--gvhmr-repo` is not used with `--reverse`: leave one of them out')
        published, kept = export_published(checkpoint.content, checkpoint.state_dict)
        _print_differences(console, compare_with_network(published['state_dict']))
        if kept is not None:
            path = Path(statistics or target.with_suffix('.statistics.npz'))
            _check_free(path)
            arrays = {name: value.numpy() for name, value in kept.items()}
            _write(path, lambda file: np.savez(file, **arrays))
            console.print(f'Statistics: {path}', soft_wrap=True, markup=False)
        _write(target, lambda file: torch.save(published, file))
    else:
        rows = compare_with_network(checkpoint.state_dict)
        _print_differences(console, rows)
        if all(row.fits for row in rows):
            statistics = _statistics_of(statistics, repository)
        ours = import_published(checkpoint.content, checkpoint.state_dict, statistics)
        sizes = infer_network_config(ours['state_dict'])
        _write(target, lambda file: torch.save(ours, file))
        listed = ', '.join(f'{name}={value:g}' for name, value in sizes.items())
        console.print(f'Backbone: {listed}; the number of heads is not stored (8 as published)')
    if checkpoint.stored_only:
        console.print(f'Not read, as they are not tensors: {", ".join(checkpoint.stored_only)}')
    console.print(f'Written: {target}', soft_wrap=True, markup=False)
    return target


def difference_table(rows: Sequence[TensorDifference]) -> Table:
    """Return a table of the modules that fit, and of each tensor that does not."""
    table = Table(title=f'Published checkpoint ({PUBLISHED_PREFIX}...) and network')
    for heading in ('Published', 'Here', 'Tensors', 'Shape'):
        table.add_column(heading, overflow='fold')
    groups: dict[tuple[str, str], list[TensorDifference]] = {}
    ours_of = published_names(count_blocks([row.name for row in rows]))
    for row in rows:
        if row.fits:
            names = (_BLOCK.sub('*', _module(name)) for name in (row.name, ours_of[row.name]))
            groups.setdefault(tuple(names), []).append(row)
    for (theirs, ours), members in groups.items():
        shapes = dict.fromkeys(str(list(row.found)) for row in members)
        short = theirs[len(PUBLISHED_PREFIX) :]
        table.add_row(short, ours, str(len(members)), ' '.join(shapes))
    for row in rows:
        if not row.fits:
            table.add_row(row.name, ours_of.get(row.name, '–'), '1', _verdict(row), style='red')
    return table


def _module(name: str) -> str:
    """Return the name without its last part where that is a weight or a bias."""
    head, _, last = name.rpartition('.')
    return head if last in ('weight', 'bias') else name


def _verdict(row: TensorDifference) -> str:
    if row.found is None:
        return f'missing, expected {list(row.expected)}'
    if row.expected is None:
        return f'{list(row.found)}, expected no such tensor'
    return f'{list(row.found)}, expected {list(row.expected)}'


def _print_differences(console: Console, rows: Sequence[TensorDifference]) -> None:
    console.print(difference_table(rows), markup=False)
    fitting = sum(row.fits for row in rows)
    console.print(f'{fitting} of {len(rows)} tensors fit')


def _statistics_of(path: Optional[PathLike], repository: Optional[PathLike]) -> Any:
    if (path is None) == (repository is None):
        given = 'both' if path is not None else 'neither'
        raise ConfigError(
            'a published checkpoint has no statistics of the motion vector, without which its '
            f'weights cannot be used: give one of `--stats FILE.npz` (`mean` and `std`, 151 '
            f'numbers each) and `--gvhmr-repo DIR` (a checkout of GVHMR), got {given}'
        )
    return path if path is not None else read_published_statistics(repository)


def _check_free(path: Path) -> None:
    if path.exists():
        raise ConfigError(f'{path} exists already; nothing was changed. Name another file')


def _write(path: Path, write: Callable[[Any], None]) -> None:
    """Write a file atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with open_atomically(path) as file:
            write(file)
    except (OSError, RuntimeError) as error:
        raise CheckpointError(f'{path} could not be written: {error}') from error
