"""Random boxes never cut the person off."""

import pytest
import torch

from gvhmr_da_mm.codecs import RandomBox
from gvhmr_da_mm.core.camera import box_from_points
from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.registry import TASK_UTILS


@pytest.mark.parametrize('per_frame', [False, True])
def test_size_and_shift_stay_in_range(per_frame):
    points = torch.rand(300, 4, 20, 2, dtype=torch.float64) * 200 + 500
    tight = box_from_points(points, enlarge=1.0)
    box = TASK_UTILS.build(dict(type='RandomBox', per_frame=per_frame))(points)
    scale = box[..., 2] / tight[..., 2]
    assert 1.05 <= scale.min() < 1.06 and 1.34 < scale.max() <= 1.35
    slack = (box[..., 2:] - tight[..., 2:]) / 2
    shift = (box[..., :2] - tight[..., :2]) / slack
    assert -0.8001 < shift.min() < -0.77 and 0.77 < shift.max() < 0.8001
    low, high = points.amin(-2), points.amax(-2)
    assert (box[..., :2] - box[..., 2:] / 2 < low).all()
    assert (box[..., :2] + box[..., 2:] / 2 > high).all()
    same = torch.isclose(scale, scale[:, :1]).all(dim=1)
    assert same.any() != per_frame


def test_generator_decides():
    points = torch.rand(2, 3, 5, 2)
    first, second = (RandomBox()(points, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first, second)


@pytest.mark.parametrize('config', [dict(scale=(0.9, 1.2)), dict(scale=(1.3, 1.1)), dict(shift=2)])
def test_boxes_that_cut_are_refused(config):
    with pytest.raises(ConfigError, match='should be'):
        RandomBox(**config)
