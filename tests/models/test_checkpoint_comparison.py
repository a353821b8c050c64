"""Comparison of names and shapes of a checkpoint and a network."""

import pytest
import torch

from gvhmr_da_mm.core.errors import CheckpointError
from gvhmr_da_mm.models.checkpoint_comparison import compare, require_fit

NETWORK = dict(weight=torch.zeros(2, 3), bias=torch.zeros(2), scale=torch.zeros(()))


def test_the_same_tensors_fit():
    rows = compare({name: tuple(value.shape) for name, value in NETWORK.items()}, NETWORK)
    assert [row.name for row in rows] == list(NETWORK) and all(row.fits for row in rows)
    require_fit(rows, 'nothing')


def test_all_differences_are_listed_at_once():
    rows = compare(dict(more=torch.zeros(4), bias=torch.zeros(3), scale=torch.zeros(())), NETWORK)
    assert rows == [
        ('weight', (2, 3), None), ('bias', (2,), (3,)), ('scale', (), ()), ('more', None, (4,)),
    ]  # fmt: skip
    with pytest.raises(CheckpointError) as error:
        require_fit(rows, 'this is wrong', 'do that')
    assert str(error.value) == (
        'this is wrong:\n  1 unknown: more\n  1 missing: weight\n'
        '  1 of another shape: bias: expected (2,), got (3,)\ndo that'
    )


def test_a_long_list_is_cut():
    rows = compare({}, {f'layer.{index}': () for index in range(25)})
    with pytest.raises(CheckpointError, match=r'25 missing: layer\.0; .*layer\.9 and 15 more'):
        require_fit(rows, 'this is wrong')
