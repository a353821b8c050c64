"""The window rule, checked frame by frame."""

import pytest
import torch

from gvhmr_da_mm.models.layers import KeyWindow
from gvhmr_da_mm.models.layers.key_window import BLOCK_SIZE


def _visible(frame, num_frames, max_len, length):
    """Return the keys that the specification lets a frame see."""
    low, high = 0, num_frames
    if num_frames > max_len:
        low = min(num_frames - max_len, max(0, frame - max_len // 2))
        high = max(max_len, min(num_frames, frame + max_len // 2))
    valid = [key for key in range(low, high) if key < length]
    return valid or list(range(low, high))


def _from_parts(window, batch):
    """Assemble the whole mask from the parts, as the attention does."""
    whole = torch.zeros(batch, window.num_frames, window.num_frames, dtype=torch.int)
    for part in window.parts:
        rows, keys = part.rows, part.keys
        size = (rows.stop - rows.start, keys.stop - keys.start)
        if not part.is_blocked:
            mask = torch.ones(()) if part.mask is None else part.mask[:, 0]
            whole[:, rows, keys] += mask.int().expand(batch, *size)
            continue
        blocks = size[0] // BLOCK_SIZE
        masks = part.mask[:, 0].unflatten(0, (-1, blocks if len(part.mask) > 1 else 1))
        masks = masks.int().expand(batch, blocks, -1, -1)
        for block in range(blocks):
            row, key = rows.start + block * BLOCK_SIZE, keys.start + block * BLOCK_SIZE
            whole[:, row : row + BLOCK_SIZE, key : key + masks.shape[-1]] += masks[:, block]
    return whole


@pytest.mark.parametrize('max_len', [2, 3, 8, 9])
@pytest.mark.parametrize('extra', [-1, 0, 1, 5])
@pytest.mark.parametrize('times', [1, 4])
def test_follows_the_specification(max_len, extra, times):
    num_frames = times * max_len + extra
    lengths = [num_frames, max(num_frames - 1, 1), max(num_frames // 2, 1), 1]
    window = KeyWindow.build(num_frames, max_len, torch.tensor(lengths))
    mask = window.mask().expand(-1, -1, num_frames, -1)
    for sample, length in enumerate(lengths):
        for frame in range(num_frames):
            keys = mask[sample, 0, frame].nonzero()[:, 0].tolist()
            assert keys == _visible(frame, num_frames, max_len, length)
            assert max(keys) < length or frame >= length, 'only padding may see padding'


@pytest.mark.parametrize('max_len', [2, 7, 64])
@pytest.mark.parametrize('extra', [1, BLOCK_SIZE, 2 * BLOCK_SIZE + 5])
@pytest.mark.parametrize('padded', [False, True])
def test_parts_make_up_the_whole(max_len, extra, padded):
    num_frames = max_len + extra
    lengths = [num_frames, num_frames - 1, num_frames // 2, 1, 0] if padded else [num_frames]
    window = KeyWindow.build(num_frames, max_len, torch.tensor(lengths) if padded else None)
    assembled = _from_parts(window, len(lengths))
    assert torch.equal(assembled, window.mask()[:, 0].int().expand_as(assembled))
    assert window.parts[0].rows.start == 0 and window.parts[-1].rows.stop == num_frames


def test_masks_do_not_grow_without_padding():
    sizes = [
        sum(0 if part.mask is None else part.mask.numel() for part in KeyWindow(L, 120).parts)
        for L in (120 + 2 * BLOCK_SIZE + 7, 120 + 200 * BLOCK_SIZE + 7)
    ]
    assert sizes[0] == sizes[1]
    window = KeyWindow(20000, 120, torch.tensor([15000]))
    assert sum(part.mask.numel() for part in window.parts) < 20000 * (120 + BLOCK_SIZE + 1)


def test_short_masks_have_one_row():
    (part,) = KeyWindow(30, 30, torch.tensor([30, 4, 0])).parts
    assert part.mask.shape == (3, 1, 1, 30)
    assert part.mask.sum(-1).flatten().tolist() == [30, 4, 1]


def test_nothing_to_hide_needs_no_mask():
    assert KeyWindow.build(8, 8) is None
    assert KeyWindow.build(9, 8) is not None
