"""One run in its own process: ``python -m benchmarks.adaptation.worker FOLDER``.

The folder holds ``config.py`` and ``run.json``; the result is written to ``result.json``.
"""

import json
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.runner import Runner

from benchmarks.adaptation.filter_quality import measure_filter
from benchmarks.adaptation.result_file import RESULT_FILE, RUN_FILE, write_result
from benchmarks.adaptation.run_config import RETEST_CFG, real_sources
from gvhmr_da_mm.core.errors import MissingFilesError
from gvhmr_da_mm.engine.unwrap import unwrap_model
from gvhmr_da_mm.evaluation.report import METRIC_LABELS
from gvhmr_da_mm.models.test_time import MotionRecovery
from gvhmr_da_mm.visualization.training_log import TrainingLog, find_logs, read_training_log


def work(folder: Path) -> dict[str, Any]:
    """Train and test the run of a folder.

    Args:
        folder (Path): With ``config.py`` and ``run.json``.

    Returns:
        dict[str, Any]: Metrics, kept ratio, quality of the filter, seconds.
    """
    run = json.loads((folder / RUN_FILE).read_text(encoding='utf-8'))
    config = Config.fromfile(str(folder / 'config.py'))
    start = time.perf_counter()
    runner = Runner.from_cfg(config)
    runner.train()
    result: dict[str, Any] = dict(train_seconds=time.perf_counter() - start)
    if config.get('test_cfg'):
        start = time.perf_counter()
        result['metrics'] = known_metrics(runner.test())
        unwrap_model(runner).student.recovery = MotionRecovery.from_cfg(config[RETEST_CFG])
        result['retest_metrics'] = known_metrics(runner.test())
        result['kept_ratio'] = kept_ratio(folder)
        result['test_seconds'] = time.perf_counter() - start
    if run.get('filter_clips'):
        start = time.perf_counter()
        sources = [dict(source) for source in real_sources(config)]
        result['filter'] = measure_filter(runner.model, sources, run['filter_clips'])
        result['filter_seconds'] = time.perf_counter() - start
    return {**run, **result}


def known_metrics(measured: dict[str, Any]) -> dict[str, Any]:
    """Return the metrics that the tables have a column for."""
    names = [name for name in measured if name.rpartition('/')[2] in METRIC_LABELS]
    return {name: measured[name] for name in names}


def kept_ratio(folder: Path) -> Any:
    """Return the mean share of clips with a pseudo-label; None if no label was made."""
    try:
        log: TrainingLog = read_training_log(find_logs(folder)[-1:])
    except MissingFilesError:
        return None
    if 'selection_rate' not in log.train:
        return None
    return float(np.mean(log.train['selection_rate'][1]))


def main(folder: Path) -> int:
    """Run, and write the result or the error."""
    try:
        write_result(folder / RESULT_FILE, dict(work(folder), status='finished'))
    except Exception as error:
        traceback.print_exc()
        run = json.loads((folder / RUN_FILE).read_text(encoding='utf-8'))
        message = f'{type(error).__name__}: {error}'
        write_result(folder / RESULT_FILE, dict(run, status='failed', error=message))
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main(Path(sys.argv[1])))
