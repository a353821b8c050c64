"""Reading of the scalars that MMEngine logs: ``vis_data/scalars.json`` of a work folder."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Union

from ..core.errors import DataError, MissingFilesError

LOG_NAME = 'scalars.json'
Curve = tuple[list[float], list[float]]
"""Steps and values."""


@dataclass
class TrainingLog:
    """Logged curves by name.

    Attributes:
        train (dict[str, Curve]): Values over iterations.
        val (dict[str, Curve]): Metrics ``protocol/metric`` over epochs, or over iterations in
            an iteration-based loop.
        epochs (Curve): Iteration and epoch of each training record.
    """

    train: dict[str, Curve] = field(default_factory=dict)
    val: dict[str, Curve] = field(default_factory=dict)
    epochs: Curve = field(default_factory=lambda: ([], []))


def find_logs(work_dir: Union[str, Path]) -> list[Path]:
    """Return the log of each run in a work folder, oldest first.

    Args:
        work_dir (str | Path): The work folder, or the folder of one run in it.

    Raises:
        MissingFilesError: If there is no log.
    """
    work_dir = Path(work_dir)
    found = [work_dir / 'vis_data' / LOG_NAME, *sorted(work_dir.glob(f'*/vis_data/{LOG_NAME}'))]
    found = [path for path in found if path.is_file() and path.stat().st_size]
    if not found:
        raise MissingFilesError(
            f'there is no log of a run in {str(work_dir)!r}: expected '
            f'`<time>/vis_data/{LOG_NAME}`, which MMEngine writes while training with '
            '`LocalVisBackend` among the `vis_backends` of the visualizer'
        )
    return found


def read_training_log(paths: Sequence[Path]) -> TrainingLog:
    """Read the logs of runs that continue each other.

    A resumed run replaces the records from its first iteration on.

    Args:
        paths (Sequence[Path]): Logs, oldest first.

    Raises:
        DataError: If a line is not a JSON object (a truncated last line is skipped), or no log has
            a training record.
    """
    train: list[dict] = []
    val: list[dict] = []
    for path in paths:
        records = list(_records(path))
        new_train = [record for record in records if 'iter' in record]
        new_val = [record for record in records if 'iter' not in record and len(record) > 1]
        train = _continued(train, new_train)
        # A run resumed from an earlier epoch validates it again.
        val = _continued(val, new_val)
    if not train:
        raise DataError(
            f'no training iteration is logged in {", ".join(map(str, paths))}; is it the folder of '
            'a test run, or `LoggerHook.interval` larger than the number of iterations?'
        )
    log = TrainingLog(epochs=([r['step'] for r in train], [r.get('epoch', 0) for r in train]))
    for records, curves in ((train, log.train), (val, log.val)):
        for record in records:
            for name, value in record.items():
                if isinstance(value, (int, float)) and name not in ('iter', 'step', 'epoch'):
                    steps, values = curves.setdefault(name, ([], []))
                    steps.append(record['step'])
                    values.append(float(value))
    log.val = {name: curve for name, curve in log.val.items() if '/' in name}
    return log


def _records(path: Path) -> Iterator[dict]:
    lines = path.read_text(encoding='utf-8').splitlines()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            if number == len(lines):  # the run was killed while it wrote
                return
            raise DataError(f'{path}, line {number}: expected a JSON object, {error}') from error
        if not isinstance(record, dict) or 'step' not in record:
            raise DataError(f'{path}, line {number}: expected an object with `step`, got {line!r}')
        yield record


def _continued(earlier: list[dict], later: list[dict]) -> list[dict]:
    """Append a later run to the part of the earlier one that it does not repeat."""
    if not later:
        return earlier
    return [record for record in earlier if record['step'] < later[0]['step']] + later
