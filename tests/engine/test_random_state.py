import random

import numpy as np
import torch

from gvhmr_da_mm.engine.random_state import random_state, set_random_state


def numbers():
    # An odd count of Gaussian numbers leaves one over in NumPy and in Python.
    return (
        *torch.rand(3).tolist(),
        float(torch.randn(())),
        *np.random.rand(3),
        np.random.randn(),
        random.random(),
        random.gauss(0, 1),
    )


def test_numbers_repeat(tmp_path):
    numbers()
    torch.save(random_state(), tmp_path / 'state.pth')
    expected = numbers(), numbers()
    numbers()
    set_random_state(torch.load(tmp_path / 'state.pth', weights_only=True))
    assert (numbers(), numbers()) == expected


def test_reading_the_state_draws_nothing():
    state = random_state()
    random_state()
    drawn = numbers()
    set_random_state(state)
    assert numbers() == drawn
