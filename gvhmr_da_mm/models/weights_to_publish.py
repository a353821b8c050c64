"""Weights of a trained model as they are published."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..core.errors import CheckpointError, list_some
from .checkpoint_guard import QUEUE_PREFIX, STUDENT_PREFIX, TEACHER_PREFIX
from .checkpoint_upgrade import upgrade_state_dict
from .stored_config import NETWORK_PARTS

PARTS = tuple(f'{part}.' for part in NETWORK_PARTS)
CRITIC_PARTS = ('critic.discriminator.', 'critic.calibrator.')
"""What the adaptation needs beside the network."""
LEFT_OUT = (TEACHER_PREFIX, QUEUE_PREFIX)
"""The queue holds recordings, whose terms may allow weights trained on them, but no copies."""


def weights_to_publish(
    state_dict: Mapping[str, Tensor],
    model: Mapping[str, Any],
    source: str,
    true_motions: int = 0,
) -> dict[str, Tensor]:
    """Choose the weights of the network, and of the critic where there is one.

    The critic's queue is left out unless it is asked for: it holds recorded motion. Where the model
    is adapted with labelled clips, the first batches fill it again.

    Args:
        state_dict (Mapping[str, Tensor]): Weights of a checkpoint.
        model (dict): Config of the model. Of an adaptive one the network is published that
            predicts, as the student.
        source (str): The file, for messages.
        true_motions (int): Motions of the critic's queue to keep, evenly spread; adaptation without
            labelled clips needs some. Defaults to 0.

    Raises:
        CheckpointError: If the queue has fewer motions; if there are other weights, such as those
            of a body model, whose licence forbids to publish them; or values that are not finite.
    """
    weights = dict(state_dict)
    upgrade_state_dict(weights)
    if model.get('predict_on') == 'teacher':
        teacher = {n: v for n, v in weights.items() if n.startswith(TEACHER_PREFIX)}
        weights.update((STUDENT_PREFIX + n[len(TEACHER_PREFIX) :], v) for n, v in teacher.items())
    queue = _thinned_queue(weights, true_motions, source) if true_motions else {}
    weights = {n: v for n, v in weights.items() if not n.startswith(LEFT_OUT)}
    known = PARTS + tuple(STUDENT_PREFIX + part for part in PARTS) + CRITIC_PARTS
    unknown = [name for name in weights if not name.startswith(known)]
    if unknown:
        raise CheckpointError(
            f'{source} has tensors that are no part of a published model: {list_some(unknown)}. '
            f'Expected those of {", ".join(part[:-1] for part in PARTS + CRITIC_PARTS)}; a '
            'checkpoint of the original code is converted by '
            '`tools/model_converters/gvhmr_to_mm.py` first'
        )
    weights.update(queue)
    _check_finite(weights, source, '')
    return weights


def _thinned_queue(weights: Mapping[str, Tensor], count: int, source: str) -> dict[str, Tensor]:
    """Return the tensors of a queue of so many of the motions."""
    pushed = weights.get(f'{QUEUE_PREFIX}num_pushed')
    known = 0 if pushed is None else min(int(pushed), len(weights[f'{QUEUE_PREFIX}body_pose']))
    if count > known:
        raise CheckpointError(
            f'{source} should have {count} true motions in the queue of its discriminator to keep, '
            f'got {known}: keep fewer, or train a discriminator '
            '(docs/en/adaptation.md#without-source-data)'
        )
    chosen = torch.linspace(0, known - 1, count).round().long()
    rows = {name: weights[f'{QUEUE_PREFIX}{name}'][chosen] for name in ('body_pose', 'valid')}
    rows['num_pushed'] = torch.tensor(count)
    return {f'{QUEUE_PREFIX}{name}': value for name, value in rows.items()}


def to_half(weights: Mapping[str, Tensor], source: str) -> dict[str, np.ndarray]:
    """Return arrays with the matrices in half precision.

    Vectors (biases, statistics) are a hundredth of the weights, and some are too small for it.

    Raises:
        CheckpointError: If a value is too large for half precision.
    """
    halved = {
        name: value.half() if value.dtype == torch.float32 and value.ndim > 1 else value
        for name, value in weights.items()
    }
    _check_finite(halved, source, ' in half precision, whose largest number is 65504')
    return {name: value.detach().cpu().numpy() for name, value in halved.items()}


def _check_finite(weights: Mapping[str, Tensor], source: str, where: str) -> None:
    bad = [name for name, value in weights.items() if not value.isfinite().all()]
    if bad:
        raise CheckpointError(
            f'{source} has tensors with values that are not finite{where}: {list_some(bad)}. Train '
            'again from a checkpoint before they appeared'
        )
