import numpy as np
import pytest
import torch

from gvhmr_da_mm.compat.stand_ins import ToPILImage, reduce_mean


def test_one_channel_tensor_becomes_grey():
    picture = torch.tensor([[0.0, 1.0], [0.5, 0.25]])
    for tensor in (picture, picture[None]):
        image = ToPILImage()(tensor)
        assert image.mode == 'L'
        np.testing.assert_array_equal(np.asarray(image), [[0, 255], [127, 63]])


def test_three_channel_tensor_becomes_rgb():
    picture = torch.zeros(3, 2, 5)
    picture[0] = 1.0
    image = ToPILImage()(picture)
    assert image.mode == 'RGB'
    assert image.size == (5, 2)
    assert image.getpixel((0, 0)) == (255, 0, 0)


@pytest.mark.parametrize('dtype, mode', [(np.uint8, 'L'), (np.float32, 'F'), (np.float64, 'F')])
def test_array_keeps_its_values(dtype, mode):
    picture = np.arange(6).reshape(2, 3, 1).astype(dtype)
    image = ToPILImage()(picture)
    assert image.mode == mode
    np.testing.assert_array_equal(np.asarray(image), picture[..., 0])


@pytest.mark.parametrize('shape', [(5,), (2, 4, 4), (1, 3, 4, 4)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match='one or three channels'):
        ToPILImage()(torch.zeros(shape))


def test_reduce_mean_leaves_its_input_alone():
    tensor = torch.tensor([3.0])
    mean = reduce_mean(tensor)
    mean += 1
    assert tensor.item() == 3.0
