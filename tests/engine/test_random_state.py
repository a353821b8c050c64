import random

import numpy as np
import pytest
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


@pytest.fixture
def gpu(monkeypatch):
    """Pretend that there is a GPU; return what its generator holds."""
    held = dict(state=torch.tensor([1, 2], dtype=torch.uint8))
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'get_rng_state', lambda: held['state'])
    monkeypatch.setattr(torch.cuda, 'set_rng_state', lambda state: held.update(state=state))
    return held


def test_numbers_of_a_gpu_repeat(gpu):
    state, first = random_state(), gpu['state']
    gpu['state'] = torch.tensor([3, 4], dtype=torch.uint8)
    set_random_state(state)
    assert torch.equal(gpu['state'], first)


def test_a_state_with_that_of_a_gpu_can_be_set_without_one(gpu, monkeypatch):
    state = random_state()
    drawn = numbers()
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    monkeypatch.setattr(torch.cuda, 'set_rng_state', lambda state: pytest.fail('there is no GPU'))
    set_random_state(state)
    assert numbers() == drawn
