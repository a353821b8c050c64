"""Dry run of a training, which writes nothing."""

import copy
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Optional

from mmengine.config import Config
from mmengine.runner import Runner
from rich.console import Console
from rich.table import Table
from torch import nn

from ..config.loading import switch_workers_off, walk
from ..core.errors import ConfigError
from ..engine.loops.dry_run_loop import DryRunLoop, TriedSource, peak_memory, stage
from ..engine.unwrap import unwrap_model

MAX_STATISTICS_CLIPS = 16
"""Most clips that the motion statistics are computed from; a training reads more."""
MIB = 2**20


@dataclass
class DryRunReport:
    """Result of a dry run.

    Args:
        sources (list[TriedSource]): The datasets.
        parameters (dict[str, tuple[int, int]]): Numbers of parameters of each part of the model,
            all and trainable.
        memory (int, optional): Peak main memory in bytes; None where the system does not report it.
        device (str): Device of the model.
    """

    sources: list[TriedSource]
    parameters: dict[str, tuple[int, int]]
    memory: Optional[int]
    device: str


def dry_run(config: Config) -> DryRunReport:
    """Run one batch of each dataset and one step of each domain, and print time and memory.

    Log, dumped config and all other files go to a temporary folder, which is deleted.

    Args:
        config (Config): The config of the run, ``load_from`` and ``resume`` included; not changed.

    Returns:
        DryRunReport: What was printed.

    Raises:
        ConfigError: If a launcher is used.
        DryRunError: If something fails that has no error of its own.
    """
    if config.get('launcher', 'none') != 'none':
        raise ConfigError(
            '`--dry-run` runs in one process: leave `--launcher` out; each of several GPUs needs '
            'the same time and memory'
        )
    config = copy.deepcopy(config)
    _prepare(config)
    with TemporaryDirectory(prefix='gvhmr_da_mm_dry_run_') as folder:
        config.work_dir = folder
        with stage('building the run'):
            runner = Runner.from_cfg(config)
            runner.train()
    model = unwrap_model(runner)
    report = DryRunReport(
        runner.train_loop.sources,
        _parameters(model),
        peak_memory(),
        str(next(model.parameters()).device),
    )
    show_report(report, Console())
    return report


def _prepare(config: Config) -> None:
    """Disable what writes files and what needs a long run."""
    config.train_cfg = dict(
        type=f'gvhmr_da_mm.{DryRunLoop.__name__}', max_epochs=config.train_cfg.get('max_epochs', 1)
    )
    config.log_level = 'WARNING'
    hooks = config.setdefault('default_hooks', {})
    hooks.update(checkpoint=None, logger=None)  # MMEngine adds them where they are missing.
    hooks.pop('training_state', None)
    if hooks.get('visualization'):
        hooks['visualization'].update(enable=False)
    if hooks.get('divergence_guard'):
        hooks['divergence_guard'].update(patience=1)
    if config.get('visualizer'):
        config.visualizer.update(vis_backends=[])
    if hooks.get('motion_statistics'):
        hook = hooks['motion_statistics']
        hook['num_clips'] = min(hook.get('num_clips', MAX_STATISTICS_CLIPS), MAX_STATISTICS_CLIPS)
    for part in walk(config.optim_wrapper):
        if 'accumulative_counts' in part:  # Each step should update.
            part['accumulative_counts'] = 1
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        if config.get(name):
            switch_workers_off(config[name])


def _parameters(model: nn.Module) -> dict[str, tuple[int, int]]:
    """Count the parameters of the model and of each part that has some."""
    parts = {name: _count(child) for name, child in model.named_children()}
    return {**{name: count for name, count in parts.items() if count[0]}, 'all': _count(model)}


def _count(module: nn.Module) -> tuple[int, int]:
    values = list(module.parameters())
    return sum(v.numel() for v in values), sum(v.numel() for v in values if v.requires_grad)


def show_report(report: DryRunReport, console: Console) -> None:
    """Print the tables."""
    console.print(_source_table(report))
    console.print(_shape_table(report))
    table = Table(title='parameters', title_justify='left')
    table.add_column('part')
    for title in ('all', 'trainable'):
        table.add_column(title, justify='right')
    for name, counts in report.parameters.items():
        table.add_row(name, *(f'{count:,}' for count in counts))
    console.print(table)
    console.print(
        '`model s`: forward and backward pass, or prediction; one step for each domain. '
        '`data s`: in one process.'
    )
    most = '' if report.memory is None else f'Main memory at most {report.memory / MIB:,.0f} MiB, '
    console.print(f'{most}device {report.device}.')
    console.print('Dry run passed. Nothing was written.')


def _source_table(report: DryRunReport) -> Table:
    table = Table(title='one batch of each dataset', title_justify='left')
    for title in ('split', 'domain', 'dataset'):
        table.add_column(title)
    with_gpu = any(one.memory is not None for one in report.sources)
    titles = ['clips', 'batch', 'data s', 'model s', 'update s', *(['GPU MiB'] if with_gpu else [])]
    for title in titles:
        table.add_column(title, justify='right')
    for one in report.sources:
        times = (one.data_seconds, one.model_seconds, one.update_seconds)
        row = [one.split, one.domain, one.name, f'{one.clips:,}', str(one.batch)]
        row += ['-' if seconds is None else f'{seconds:.3f}' for seconds in times]
        row += [] if one.memory is None else [f'{one.memory / MIB:,.0f}']
        table.add_row(*row)
    return table


def _shape_table(report: DryRunReport) -> Table:
    """Return the shapes of the first clip of each split and domain, without the batch."""
    columns: dict[str, dict[str, tuple]] = {}
    for one in report.sources:
        columns.setdefault(f'{one.split} {one.domain}', one.shapes)
    table = Table(title='inputs of one clip, float32 unless stated', title_justify='left')
    for title in ('input', *columns):
        table.add_column(title)
    for name in dict.fromkeys(name for shapes in columns.values() for name in shapes):
        found = [shapes.get(name) for shapes in columns.values()]
        table.add_row(name, *('-' if shape is None else _describe(*shape) for shape in found))
    return table


def _describe(shape: tuple, kind: str) -> str:
    return str(shape) if kind == 'float32' else f'{shape} {kind}'
