"""Dropping conditions."""

import pytest
import torch

from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.models.layers import drop_conditions


@pytest.fixture
def conditions():
    return dict(obs=torch.ones(40, 50, 17, 3), f_cliffcam=torch.ones(40, 50, 3))


def test_frames_drop_whole_and_independently(conditions):
    kept = drop_conditions(conditions, p=0.1)
    masks = {name: value.flatten(2) == 0 for name, value in kept.items()}
    for mask in masks.values():
        assert torch.equal(mask.any(-1), mask.all(-1))
        # 2000 draws: the rate has a deviation of 0.0067.
        assert abs(mask[..., 0].float().mean() - 0.1) < 0.03
    both = (masks['obs'][..., 0] & masks['f_cliffcam'][..., 0]).float().mean()
    assert abs(both - 0.01) < 0.01
    assert all((value == 1).all() for value in conditions.values()), 'input was changed'


def test_only_in_training(conditions):
    for kept in (drop_conditions(conditions, 0.9, training=False), drop_conditions(conditions, 0)):
        assert all(kept[name] is value for name, value in conditions.items())
    kept = drop_conditions(conditions, 1.0)
    assert all((value == 0).all() for value in kept.values())


def test_nan_is_dropped_too():
    kept = drop_conditions(dict(feature=torch.full((2, 3, 4), torch.nan)), p=1.0)
    assert (kept['feature'] == 0).all()


def test_generator_decides(conditions):
    first, second = (
        drop_conditions(conditions, 0.5, generator=torch.Generator().manual_seed(seed))['obs']
        for seed in (1, 1)
    )
    assert torch.equal(first, second)


@pytest.mark.parametrize('p', [-0.1, 1.5])
def test_p_is_a_probability(conditions, p):
    with pytest.raises(ConfigError, match='p='):
        drop_conditions(conditions, p)
