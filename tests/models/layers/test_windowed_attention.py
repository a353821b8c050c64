"""The fast attention equals the plain one."""

import sys

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gvhmr_da_mm.models.layers import KeyWindow, windowed_attention
from gvhmr_da_mm.models.layers.key_window import BLOCK_SIZE

module = sys.modules[windowed_attention.__module__]


def _plain(query, key, value, window):
    """Compute the softmax over all keys, those that are not visible left out."""
    logits = query @ key.mT / query.shape[-1] ** 0.5
    if window is not None:
        logits = logits.masked_fill(~window.mask(), -torch.inf)
    return logits.softmax(dim=-1) @ value


def _heads(batch, frames, dtype=torch.float64, heads=2, dim=4):
    """Return query, key and value in the layout of the layer: (B, H, L, D), D contiguous."""
    return [
        torch.randn(batch, frames, heads, dim, dtype=dtype).transpose(1, 2).requires_grad_()
        for _ in range(3)
    ]


@settings(max_examples=25, deadline=None)
@given(
    frames=st.integers(1, 4 * BLOCK_SIZE),
    max_len=st.integers(2, 2 * BLOCK_SIZE),
    shares=st.lists(st.floats(0, 1), min_size=1, max_size=3),
    padded=st.booleans(),
)
@example(frames=2 * BLOCK_SIZE + 10, max_len=10, shares=[1.0, 0.0], padded=True)
@example(frames=2 * BLOCK_SIZE + 11, max_len=11, shares=[1.0], padded=False)
@example(frames=3 * BLOCK_SIZE + 9, max_len=10, shares=[0.5, 0.01], padded=True)
@example(frames=11, max_len=10, shares=[0.1, 1.0], padded=True)
def test_equals_dense_attention(frames, max_len, shares, padded):
    length = torch.tensor([round(share * frames) for share in shares]) if padded else None
    window = KeyWindow.build(frames, max_len, length)
    inputs = _heads(len(shares), frames)
    fast, plain = windowed_attention(*inputs, window), _plain(*inputs, window)
    torch.testing.assert_close(fast, plain)
    assert fast.isfinite().all()
    seed = torch.randn_like(plain)
    for ours, theirs in zip(
        torch.autograd.grad(fast, inputs, seed), torch.autograd.grad(plain, inputs, seed)
    ):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize(
    'dtype, tolerance', [(torch.float32, 1e-5), (torch.bfloat16, 4e-2), (torch.float16, 4e-3)]
)
@pytest.mark.parametrize('length', [None, torch.tensor([200, 90])])
def test_other_precisions(dtype, tolerance, length):
    window = KeyWindow.build(200, 24, length)
    inputs = [x.detach() for x in _heads(2, 200, dtype)]
    fast = windowed_attention(*inputs, window)
    assert fast.dtype == dtype
    plain = _plain(*(x.double() for x in inputs), window)
    torch.testing.assert_close(fast.double(), plain, atol=tolerance, rtol=tolerance)


def test_padding_is_never_read():
    frames, lengths = 3 * BLOCK_SIZE, torch.tensor([3 * BLOCK_SIZE - 1, 70, 3])
    window = KeyWindow.build(frames, 20, lengths)
    inputs = [x.detach() for x in _heads(3, frames)]
    garbage = torch.arange(frames) >= lengths[:, None]
    changed = [x.masked_fill(garbage[:, None, :, None], 1e4) for x in inputs]
    fast, other = windowed_attention(*inputs, window), windowed_attention(*changed, window)
    rows = ~garbage[:, None].expand(3, 2, frames)
    torch.testing.assert_close(fast[rows], other[rows])
    assert other.isfinite().all()


def test_dropout_hits_weights_alone():
    window = KeyWindow.build(2 * BLOCK_SIZE + 30, 20)
    query, key, _ = (x.detach() for x in _heads(1, 2 * BLOCK_SIZE + 30))
    value = torch.ones_like(key)
    kept = windowed_attention(query, key, value, window, dropout_p=0.5)
    # The weights of a row sum to 1; half of them are lost and the others count twice.
    assert kept.std() > 0.05
    assert abs(kept.mean() - 1) < 0.1


@pytest.mark.parametrize(
    ('length', 'sizes'), [(None, [2, 2, 1]), (torch.tensor([4 * BLOCK_SIZE, 300]), [5])]
)
def test_many_blocks_are_computed_in_turn(length, sizes, monkeypatch):
    frames = 6 * BLOCK_SIZE + 10
    heads, window = _heads(2, frames), KeyWindow(frames, 20, length)
    once = windowed_attention(*heads, window)
    monkeypatch.setattr(module, 'MAX_BLOCKS', 2)
    found, attend = [], module._attend_blocks

    def note(query, *args):
        found.append(query.shape[2] // BLOCK_SIZE)
        return attend(query, *args)

    monkeypatch.setattr(module, '_attend_blocks', note)
    torch.testing.assert_close(windowed_attention(*heads, window), once)
    assert found == sizes
