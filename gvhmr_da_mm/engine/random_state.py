"""States of the global random number generators, in plain types."""

import random
from typing import Any

import numpy as np
import torch


def random_state() -> dict[str, Any]:
    """Return the states of PyTorch (CPU and the current GPU), NumPy and Python.

    Returns:
        dict[str, Any]: Tensors and plain values, which ``weights_only`` loading accepts.
    """
    name, keys, *position = np.random.get_state()
    version, words, gauss = random.getstate()
    state = dict(
        torch=torch.get_rng_state(),
        numpy=[name, torch.from_numpy(keys.astype(np.int64)), *position],
        python=[version, torch.tensor(words, dtype=torch.int64), gauss],
    )
    if torch.cuda.is_available():
        state['cuda'] = torch.cuda.get_rng_state()
    return state


def set_random_state(state: dict[str, Any]) -> None:
    """Set the states that :func:`random_state` returned; tensors may be on any device."""
    torch.set_rng_state(state['torch'].cpu())
    name, keys, *position = state['numpy']
    np.random.set_state((name, keys.cpu().numpy().astype(np.uint32), *position))
    version, words, gauss = state['python']
    random.setstate((version, tuple(words.tolist()), gauss))
    if 'cuda' in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state['cuda'].cpu())
