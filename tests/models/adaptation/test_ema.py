from copy import deepcopy

import torch
from torch import nn

from gvhmr_da_mm.models.adaptation import update_ema


def test_moves_by_momentum():
    student = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    teacher = deepcopy(student).requires_grad_(False)
    start = teacher[0].weight.clone()
    with torch.no_grad():
        student[0].weight += 1
    student(torch.randn(8, 3))
    update_ema(teacher, student, 0.25)
    torch.testing.assert_close(teacher[0].weight, start + 0.25)
    assert not teacher[1].running_mean.any(), 'buffers are left alone'
    assert not teacher[0].weight.requires_grad
    update_ema(teacher, student, 1.0, skip_buffers=False)
    for name, value in student.state_dict().items():
        assert torch.equal(teacher.state_dict()[name], value), name
