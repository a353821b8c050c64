"""Long sequences in chunks of frames."""

import pytest
import torch

from gvhmr_da_mm.models.layers import by_frames
from gvhmr_da_mm.models.layers.by_frames import CHUNK_FRAMES


@pytest.fixture
def product():
    """Return a function of each frame that notes the number of frames of each call."""

    def function(x, y):
        function.frames.append(x.shape[1])
        return x * y[..., None]

    function.frames = []
    return function


@torch.no_grad()
def test_chunks_have_the_result_of_the_whole(product):
    x = torch.rand(2, 2 * CHUNK_FRAMES + 7, 3)
    y = torch.rand(2, 1).expand(2, x.shape[1])
    assert torch.equal(by_frames(product, x, y), x * y[..., None])
    assert product.frames == [CHUNK_FRAMES, CHUNK_FRAMES, 7]
    by_frames(product, x[:, :CHUNK_FRAMES], y[:, :CHUNK_FRAMES])
    assert product.frames[3:] == [CHUNK_FRAMES]


def test_a_graph_is_that_of_the_whole(product):
    by_frames(product, torch.rand(1, 2 * CHUNK_FRAMES, 3), torch.rand(1, 2 * CHUNK_FRAMES))
    assert product.frames == [2 * CHUNK_FRAMES]
