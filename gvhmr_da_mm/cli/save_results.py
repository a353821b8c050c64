"""Output of the results of a test run or of a dump."""

from collections.abc import Iterable
from pathlib import Path
from typing import Optional, Union

from mmengine.evaluator import BaseMetric
from rich.console import Console

from ..evaluation import SequenceMetric, format_table, write_csv, write_json


def save_results(
    results: dict[str, float],
    metrics: Iterable[BaseMetric],
    out: Optional[Union[str, Path]],
    transductive: bool = False,
) -> None:
    """Print the table and the protocols, and write ``results.json`` and ``results.csv``.

    Args:
        results (dict[str, float]): Results named ``protocol/metric``.
        metrics (Iterable[BaseMetric]): The metrics that computed them.
        out (str | Path, optional): The folder; it is created. None: nothing is written.
        transductive (bool): Whether inputs of test clips were training data. Defaults to False.
    """
    metrics = list(metrics)
    scored = [metric for metric in metrics if isinstance(metric, SequenceMetric)]
    console = Console()
    console.print(format_table(results, transductive=transductive))
    for metric in scored:
        console.print(metric.describe(), style='dim', markup=False, highlight=False)
    if out is None:
        return
    # Metrics of unlabelled videos have results per sequence, too.
    per_sequence = {m.prefix: m.per_sequence for m in metrics if hasattr(m, 'per_sequence')}
    facts = {metric.prefix: metric.protocol_facts for metric in scored}
    out = Path(out)
    write_json(out / 'results.json', results, per_sequence, transductive=transductive, facts=facts)
    write_csv(out / 'results.csv', results)
    print(f'Results are in {out}')
