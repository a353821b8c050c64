"""Tensors that repeat a part of themselves."""

import pytest
import torch

from gvhmr_da_mm.core.expanded import join_batches, unexpanded


@pytest.mark.parametrize(
    ('part', 'whole'),
    [((1, 1, 1), (2, 3, 4)), ((2, 1, 4), (2, 3, 4)), ((2, 3), (2, 3)), ((1,), (0,))],
)
def test_the_part_expands_to_the_whole(part, whole):
    value = torch.rand(part).expand(whole) if part != whole else torch.rand(whole)
    found = unexpanded(value)
    assert found.numel() <= torch.Size(part).numel()
    assert torch.equal(found.expand(value.shape), value)


@pytest.mark.parametrize(
    ('first', 'second', 'size'),
    [
        ((1, 1, 1), (2, 1, 1), 3),
        ((2, 3, 4), (2, 3, 4), 48),
        ((1, 3, 1), (1, 1, 4), 24),
    ],
)
def test_joined_batches_repeat_what_both_repeat(first, second, size):
    whole = [torch.rand(part).expand(part[0], 3, 4) for part in (first, second)]
    found = join_batches(*whole)
    assert torch.equal(found, torch.cat(whole))
    assert found.untyped_storage().nbytes() == 4 * size


def test_a_repeated_batch_is_joined_as_a_whole():
    whole = [torch.rand(1, 1).expand(2, 3) for _ in range(2)]
    assert torch.equal(join_batches(*whole), torch.cat(whole))
