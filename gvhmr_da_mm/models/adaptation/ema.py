"""Exponential moving average of a model's weights (Tarvainen and Valpola, NeurIPS 2017)."""

import torch
from torch import nn


@torch.no_grad()
def update_ema(
    teacher: nn.Module, student: nn.Module, momentum: float, skip_buffers: bool = True
) -> None:
    """Move the teacher's weights towards the student's, in place.

    Args:
        teacher (nn.Module): A module with the student's parameter names.
        student (nn.Module): The module in training.
        momentum (float): Share of the student: ``teacher += momentum * (student - teacher)``.
        skip_buffers (bool): Leave the teacher's buffers alone instead of copying the student's.
            Defaults to True.
    """
    weights = dict(student.named_parameters())
    for name, weight in teacher.named_parameters():
        weight.lerp_(weights[name].to(weight), momentum)
    if skip_buffers:
        return
    buffers = dict(student.named_buffers())
    for name, buffer in teacher.named_buffers():
        buffer.copy_(buffers[name])
