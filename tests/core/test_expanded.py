"""Tensors that repeat a part of themselves."""

import pytest
import torch

from gvhmr_da_mm.core.expanded import unexpanded


@pytest.mark.parametrize(
    ('part', 'whole'),
    [((1, 1, 1), (2, 3, 4)), ((2, 1, 4), (2, 3, 4)), ((2, 3), (2, 3)), ((1,), (0,))],
)
def test_the_part_expands_to_the_whole(part, whole):
    value = torch.rand(part).expand(whole) if part != whole else torch.rand(whole)
    found = unexpanded(value)
    assert found.numel() <= torch.Size(part).numel()
    assert torch.equal(found.expand(value.shape), value)
