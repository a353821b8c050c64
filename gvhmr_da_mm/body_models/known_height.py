"""Body shapes of a known height."""

import torch
from torch import Tensor

from ..core.checks import is_number
from ..core.conventions import MAX_PLAUSIBLE_BETA
from ..core.errors import ConfigError
from .linear_blend_body import LinearBlendBody

HEIGHT_RANGE = (0.5, 2.6)
"""Heights of people, m."""
MAX_ITERATIONS = 20
TOLERANCE = 1e-4
"""Largest error of the height, m."""


def check_height(height: float) -> None:
    """Check that a height is that of a person.

    Args:
        height (float): Metres.

    Raises:
        ConfigError: If it is not.
    """
    low, high = HEIGHT_RANGE
    if not (is_number(height) and low <= height <= high):
        raise ConfigError(f'`height` should be in metres, {low} to {high}, got {height!r}')


def body_height(body: LinearBlendBody, betas: Tensor) -> Tensor:
    """Return the height () of the mesh at rest, m.

    Args:
        body (LinearBlendBody): A body with its mesh.
        betas (Tensor): Shape (10,).
    """
    heights = _rest_vertices(body, betas[None])[0, :, 1]
    return heights.max() - heights.min()


def betas_of_height(body: LinearBlendBody, betas: Tensor, height: float) -> Tensor:
    """Return the shape (10,) of a height that is nearest to another shape.

    Args:
        body (LinearBlendBody): A body with its mesh.
        betas (Tensor): The other shape (10,).
        height (float): Height of the mesh at rest, m.

    Raises:
        ConfigError: If the height is not that of a person, or no plausible shape has it.
    """
    check_height(height)
    shapes = torch.cat((torch.zeros_like(betas)[None], torch.eye(len(betas)).to(betas)))
    rest = _rest_vertices(body, shapes)[..., 1]
    template, directions = rest[0], rest[1:] - rest[0]
    for _ in range(MAX_ITERATIONS):
        vertices = template + betas @ directions
        top, bottom = vertices.argmax(), vertices.argmin()
        missing = height - (vertices[top] - vertices[bottom])
        if missing.abs() < TOLERANCE:
            break
        slope = directions[:, top] - directions[:, bottom]
        betas = betas + missing * slope / slope.square().sum().clamp(min=1e-12)
    if missing.abs() >= TOLERANCE or betas.abs().max() > MAX_PLAUSIBLE_BETA:
        raise ConfigError(
            f'no plausible shape of this body is {height} m high: its mean is '
            f'{float(template.max() - template.min()):.2f} m; leave `height` out'
        )
    return betas


@torch.no_grad()
def _rest_vertices(body: LinearBlendBody, betas: Tensor) -> Tensor:
    """Return the vertices (B, V, 3) of shapes (B, 10) at rest."""
    zeros = betas.new_zeros(len(betas), 3)
    return body(betas.new_zeros(len(betas), 63), betas, zeros, zeros)
