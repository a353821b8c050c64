"""Weights of a trained model as they are published."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..core.errors import CheckpointError, list_some
from .checkpoint_guard import QUEUE_PREFIX, STUDENT_PREFIX, TEACHER_PREFIX
from .checkpoint_upgrade import upgrade_state_dict

PARTS = ('backbone.', 'head.', 'motion_codec.')
CRITIC_PARTS = ('critic.discriminator.', 'critic.calibrator.')
"""What the adaptation needs beside the network."""
LEFT_OUT = (TEACHER_PREFIX, QUEUE_PREFIX)
"""The queue holds recordings, whose terms may allow weights trained on them, but no copies."""


def weights_to_publish(
    state_dict: Mapping[str, Tensor], model: Mapping[str, Any], source: str
) -> dict[str, Tensor]:
    """Choose the weights of the network, and of the critic where there is one.

    The critic's queue is left out: it holds recorded motion, and the first batches fill it again.

    Args:
        state_dict (Mapping[str, Tensor]): Weights of a checkpoint.
        model (dict): Config of the model. Of an adaptive one the network is published that
            predicts, as the student.
        source (str): The file, for messages.

    Raises:
        CheckpointError: If there are other weights, such as those of a body model, whose licence
            forbids to publish them; or values that are not finite.
    """
    weights = dict(state_dict)
    upgrade_state_dict(weights)
    if model.get('predict_on') == 'teacher':
        teacher = {n: v for n, v in weights.items() if n.startswith(TEACHER_PREFIX)}
        weights.update((STUDENT_PREFIX + n[len(TEACHER_PREFIX) :], v) for n, v in teacher.items())
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
    _check_finite(weights, source, '')
    return weights


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
