"""Tables and files of results beside the published numbers."""

import csv
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Optional, Union

from rich.table import Table

from .protocols import COVERAGE, MATCHED_PREFIX, PROTOCOLS

METRIC_LABELS: dict[str, tuple[str, str]] = {
    'pa_mpjpe': ('PA-MPJPE', 'mm'),
    'mpjpe': ('MPJPE', 'mm'),
    'pve': ('PVE', 'mm'),
    'accel': ('Accel', 'm/s²'),
    'wa_mpjpe': ('WA-MPJPE', 'mm'),
    'w_mpjpe': ('W-MPJPE', 'mm'),
    'rte': ('RTE', '%'),
    'jitter': ('Jitter', '10 m/s³'),
    'fs': ('Foot sliding', 'mm'),
    'reprojection_px': ('Reprojection', 'px'),
    'reprojection_box': ('Reprojection in the box', '%'),
    COVERAGE: ('Coverage', '%'),
}
"""Label and unit of each metric. All but the coverage are errors: smaller is better."""


def metric_label(metric: str) -> Optional[tuple[str, str]]:
    """Return label and unit of a metric, and of those of matched frames; None if it is unknown.

    Args:
        metric (str): Key of the metric, without protocol.
    """
    label = METRIC_LABELS.get(metric.removeprefix(MATCHED_PREFIX))
    if label is None or not metric.startswith(MATCHED_PREFIX):
        return label
    return f'{label[0]} of matched frames', label[1]


@dataclass(frozen=True)
class ReportRow:
    """One result beside the published one; None where there is no number."""

    protocol: str
    metric: str
    unit: str
    ours: Optional[float]
    published: Optional[float]
    difference: Optional[float]


def report_rows(results: Mapping[str, float]) -> list[ReportRow]:
    """Pair each result with the published number of its protocol.

    Args:
        results (Mapping[str, float]): Results named ``protocol/metric``, as metrics return them.
            Entries without a :func:`metric_label` are left out.

    Returns:
        list[ReportRow]: The rows, in the order of the results.
    """
    rows = []
    for key, value in results.items():
        prefix, _, metric = key.rpartition('/')
        label = metric_label(metric)
        if label is None:
            continue
        coverage = results.get(f'{prefix}/{COVERAGE}')
        if metric.startswith(MATCHED_PREFIX) and coverage is not None:
            # An error says nothing about people that were lost, so that they are named beside it.
            label = (f'{label[0]}, coverage {coverage:.1f} %', label[1])
        ours = _number(value)
        published = PROTOCOLS[prefix].published.get(metric) if prefix in PROTOCOLS else None
        difference = None if ours is None or published is None else ours - published
        rows.append(ReportRow(prefix, *label, ours, published, difference))
    return rows


def format_table(results: Mapping[str, float], transductive: bool = False) -> Table:
    """Return a table of our results, the published ones and their difference.

    Args:
        results (Mapping[str, float]): Results named ``protocol/metric``.
        transductive (bool): Whether inputs of test clips were training data. Defaults to False.

    Returns:
        rich.table.Table: To be printed with ``rich.print``.
    """
    table = Table(title='Smaller is better, except coverage')
    if transductive:
        table.caption = 'transductive: adapted on the inputs of test clips, without their labels'
    for heading in ('Protocol', 'Metric', 'Unit'):
        table.add_column(heading)
    for heading in ('Ours', 'Published', 'Difference'):
        table.add_column(heading, justify='right')
    previous = None
    for row in report_rows(results):
        if previous not in (None, row.protocol):
            table.add_section()
        colour = '' if row.difference is None else 'green' if row.difference < 0 else 'red'
        table.add_row(
            '' if row.protocol == previous else row.protocol,
            row.metric,
            row.unit,
            _text(row.ours, '.2f'),
            _text(row.published, '.1f'),
            f'[{colour}]{_text(row.difference, "+.2f")}[/]' if colour else '–',
        )
        previous = row.protocol
    return table


def write_json(
    path: Union[str, Path],
    results: Mapping[str, float],
    per_sequence: Optional[Mapping[str, Any]] = None,
    transductive: bool = False,
    facts: Optional[Mapping[str, Any]] = None,
) -> None:
    """Write the results, the comparison and the per-sequence results; NaN becomes null.

    Args:
        path (str | Path): The file; its folder is created.
        results (Mapping[str, float]): Results named ``protocol/metric``.
        per_sequence (Mapping, optional): ``per_sequence`` of each metric, by protocol. Defaults to
            None.
        transductive (bool): Whether inputs of test clips were training data. Defaults to False.
        facts (Mapping, optional): ``protocol_facts`` of each metric, by protocol. Defaults to None.
    """
    content = {
        'transductive': transductive,
        'protocols': dict(facts or {}),
        'results': dict(results),
        'comparison': [asdict(row) for row in report_rows(results)],
        'per_sequence': dict(per_sequence or {}),
    }
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(json_values(content), indent=2, allow_nan=False, ensure_ascii=False)
    path.write_text(text + '\n', encoding='utf-8')


def write_csv(path: Union[str, Path], results: Mapping[str, float]) -> None:
    """Write one line per result: protocol, metric, unit, ours, published, difference.

    Args:
        path (str | Path): The file; its folder is created.
        results (Mapping[str, float]): Results named ``protocol/metric``.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open('w', newline='', encoding='utf-8') as file:
        writer = csv.DictWriter(file, list(ReportRow.__dataclass_fields__))
        writer.writeheader()
        writer.writerows(asdict(row) for row in report_rows(results))


def _number(value: Any) -> Optional[float]:
    """Return a finite float, or None."""
    return float(value) if math.isfinite(value) else None


def _text(value: Optional[float], form: str) -> str:
    """Format a number; None becomes a dash."""
    return '–' if value is None else format(value, form)


def json_values(value: Any) -> Any:
    """Replace numbers that JSON cannot hold by None, at any depth."""
    if isinstance(value, Mapping):
        return {str(key): json_values(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_values(item) for item in value]
    if isinstance(value, (bool, int)):
        return value
    if isinstance(value, float) or hasattr(value, 'item'):
        return _number(value)
    return value
