"""Summary of an evaluation: its file and its table."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Union

from rich.box import SIMPLE_HEAD
from rich.table import Table

from ...evaluation.report import METRIC_LABELS, json_values
from ...fileio.atomic_file import write_atomically

LABELS = {**METRIC_LABELS, 'gravity_deg': ('Gravity', 'degrees')}


def write_summary(path: Union[str, Path], summary: Mapping[str, Any]) -> None:
    """Write the numbers as JSON; those that are not defined become null.

    Args:
        path (str | Path): The file; its folder is created.
        summary (Mapping): Results by name, nested.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(json_values(summary), indent=2, allow_nan=False, ensure_ascii=False)
    write_atomically(path, text + '\n')


def mean_of_views(calibrated: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the means over the cameras of :func:`.evaluate_calibrated`, by the same names."""
    views = list(calibrated.values())
    mean: dict[str, Any] = {}
    for name in dict.fromkeys(name for view in views for name in view):
        there = [view[name] for view in views if name in view]
        if isinstance(there[0], Mapping):
            mean[name] = mean_of_views(dict(enumerate(there)))
        else:
            mean[name] = sum(there) / len(there)
    return mean


def summary_tables(summary: Mapping[str, Any]) -> list[Table]:
    """Return a table of each evaluation, with one line for each method and view.

    Args:
        summary (Mapping): ``mocap`` of :func:`.evaluate_mocap`, ``calibrated`` of
            :func:`.evaluate_calibrated`, or both.
    """
    tables = []
    if 'calibrated' in summary:
        views = {**summary['calibrated'], 'mean': mean_of_views(summary['calibrated'])}
        lines = {}
        for view, result in views.items():
            for method, part in _parts(result):
                gravity = dict(gravity_deg=result['gravity_deg']) if method == 'ours' else {}
                lines[f'{view}, {method}'] = {**part, **gravity}
        tables.append(_table('Calibrated videos', lines))
    if 'mocap' in summary:
        tables.append(_table('Motion capture', dict(_parts(summary['mocap']))))
    return tables


def _parts(result: Mapping[str, Any]) -> list[tuple[str, Mapping[str, float]]]:
    """Return the methods of a result with their numbers."""
    return [(name, part) for name, part in result.items() if isinstance(part, Mapping)]


def _table(title: str, lines: Mapping[str, Mapping[str, float]]) -> Table:
    """Return a table of the metrics that some line has, narrow enough for 80 columns."""
    used = [name for name in LABELS if any(name in part for part in lines.values())]
    table = Table(title=title, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column('', no_wrap=True)
    for name in used:
        label, unit = LABELS[name]
        table.add_column(f'{label}\n{unit}', justify='right')
    for line, part in lines.items():
        numbers = (f'{part[name]:.1f}' if name in part else '–' for name in used)
        table.add_row(line, *numbers)
    return table
