"""Comparing what two runs leave behind, bit by bit."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Union

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

from tests.testing.tiny_run import last_checkpoint

PathLike = Union[str, Path]
CLOCK = ('time', 'data_time', 'eta', 'memory')
"""Log values that differ between any two runs."""
PLACE = ('cfg', 'experiment_name', 'eta', 'iter', 'last_ckpt', 'keep_ckpt_ids')
"""What MMEngine remembers of where, when and how often a run saved; `meta` has the iteration."""


def final_state(work_dir: PathLike) -> dict[str, Any]:
    """Return everything a run ended with, but for the clock, as bytes and plain values.

    Args:
        work_dir (str | Path): The folder of the run.

    Returns:
        dict[str, Any]: Weights, optimisers, schedules, random numbers, hooks and histories of logs
        by dotted name.
    """
    content = torch.load(last_checkpoint(work_dir), map_location='cpu', weights_only=False)
    hub, meta = content.pop('message_hub'), content.pop('meta')
    content['meta'] = {name: meta[name] for name in ('epoch', 'iter', 'seed')}
    content['log'] = {
        name: buffer
        for name, buffer in hub['log_scalars'].items()
        if name.rpartition('/')[2] not in CLOCK
    }
    content['info'] = {n: v for n, v in hub['runtime_info'].items() if n not in PLACE}
    return dict(_flat(content, ''))


def logged_values(work_dir: PathLike) -> dict[tuple, set[str]]:
    """Return what all parts of a run wrote to ``scalars.json``.

    An iteration that was trained twice, as the first time was not saved, has two entries.

    Args:
        work_dir (str | Path): The folder of the run.

    Returns:
        dict[tuple, set[str]]: The different entries of each step of training and of validation.
    """
    values: dict[tuple, set[str]] = {}
    for path in sorted(Path(work_dir).glob('*/vis_data/scalars.json')):
        for line in path.read_text().splitlines():
            try:
                entry = json.loads(line)
            except json.JSONDecodeError:
                continue  # Killed while it was written; the step is trained again.
            entry = {name: value for name, value in entry.items() if name not in CLOCK}
            kind = 'train' if 'iter' in entry else 'val'
            text = json.dumps(entry, sort_keys=True)
            values.setdefault((kind, entry['step']), set()).add(text)
    return values


def differences(one: Mapping, other: Mapping) -> list[str]:
    """Return the names of what two results of the functions above do not share."""
    names = sorted({*one, *other}, key=str)
    absent = object()
    return [str(name) for name in names if one.get(name, absent) != other.get(name, absent)]


def _flat(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield the leaves of nested containers."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _flat(item, f'{name}.{key}' if name else str(key))
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _flat(item, f'{name}.{index}')
        yield f'{name}.length', len(value)
    else:
        yield name, _leaf(value)


def _leaf(value: Any) -> Any:
    if isinstance(value, HistoryBuffer):
        return tuple(array.tobytes() for array in value.data)
    if isinstance(value, torch.Tensor):
        return (str(value.dtype), tuple(value.shape), value.contiguous().numpy().tobytes())
    if isinstance(value, np.ndarray):
        return (str(value.dtype), value.shape, value.tobytes())
    # By their digits, as NaN differs from itself.
    return repr(value)
