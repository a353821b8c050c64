"""Simulated errors of a 2D pose detector, with measured statistics."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Optional

import torch
import torch.nn.functional as F
from torch import Tensor

from gvhmr_da_mm.core.checks import check_shape
from gvhmr_da_mm.core.constants import constant, joint_index
from gvhmr_da_mm.core.conventions import COCO_FLIP_INDEX, FPS, NEAR_DEPTH
from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.core.layout import NUM_COCO
from gvhmr_da_mm.registry import TASK_UTILS
from gvhmr_da_mm.registry.arguments import check_arguments

from .keypoint_noise import LEG_JOINTS
from .random_draw import RandomDraw
from .self_occlusion import self_occlusion

JOINT_GROUPS = ('nose', 'eyes', 'ears', 'shoulders', 'elbows', 'wrists', 'hips', 'knees', 'ankles')
"""Groups of joints to which the numbers of a table belong."""
NUM_FIXED_JOINTS = 3
"""Nose and eyes, which keep their sides in a left-right swap."""
OCCLUSION_WINDOW = 5
"""Frames over which an occlusion is averaged, as detectors filter over time."""


@dataclass(frozen=True)
class DetectorConfidence:
    """Statistics of a detector's confidence, a logit.

    Args:
        mean (Sequence[float]): Mean logit. Defaults to the measured table.
        spread (Sequence[float]): Standard deviation of the logit. Defaults to the measured table.
        frames (float): Frames in which its correlation falls to 1 / e. Defaults to 30.
        hidden (float): Added to the logit of hidden joints. Defaults to -2.6.
        error (float): Added to the logit per metre of error. Defaults to -0.6.
    """

    mean: Sequence[float] = (6.8, 6.8, 6.8, 6.9, 3.9, 3.1, 6.9, 3.5, 3.2)
    spread: Sequence[float] = (0.3, 0.2, 0.3, 0.1, 1.8, 1.2, 0.1, 1.3, 1.1)
    frames: float = 30.0
    hidden: float = -2.6
    error: float = -0.6


@dataclass(frozen=True)
class SideSwaps:
    """Statistics of left-right swaps.

    Args:
        rate (float): Swaps per second. Defaults to 0.15.
        frames (float): Mean length of a swap in frames. Defaults to 16.
        legs_prob (float): Probability that a swap is of the legs alone. Defaults to 0.4.
    """

    rate: float = 0.15
    frames: float = 16.0
    legs_prob: float = 0.4


@TASK_UTILS.register_module()
class DetectorNoise:
    """Correlated errors, occlusions and left-right swaps of COCO-17 joints, and their confidence.

    The defaults were measured on MediaPipe (BlazePose full, its own filter on) at 30 frames per
    second, against joints triangulated from the other views of four calibrated cameras
    (``benchmarks/detector_noise.py`` measures them; docs/en/data.md has the numbers). Errors are
    in metres at the depth of the joint, in the image plane. Joints hidden by the person's own body
    (:func:`.self_occlusion`) have larger errors and a lower confidence.

    Note:
        Shape letters: B batch, L frames. Tables have one number for each of nose, eyes, ears,
        shoulders, elbows, wrists, hips, knees and ankles.

    Args:
        error (Sequence[float]): Standard deviation (m) of errors that vary over time. Defaults to
            the measured table.
        bias (Sequence[float]): Standard deviation (m) of errors that are constant over a clip.
            Defaults to the measured table.
        error_frames (float): Frames in which the correlation of errors falls to 1 / e. Defaults
            to 3.
        hidden_error (float): Factor on the varying errors of hidden joints. Defaults to 2.4.
        confidence (dict, optional): Fields of :class:`DetectorConfidence` that differ from its
            defaults. Defaults to None.
        swaps (dict, optional): Fields of :class:`SideSwaps` that differ from its defaults. Defaults
            to None.
        cover_prob (float): Probability per clip that the legs are occluded for a span of frames;
            not measured. Defaults to 0.05.
        cover_frames (tuple[int, int]): Shortest and longest such span. Defaults to (30, 90).
        near (float): Joints nearer than this (m) have confidence 0. Defaults to 0.3.
        compat (str): Accepted because :class:`GVHMR` passes it to its noise; without effect.
            Defaults to ``'correct'``.

    Raises:
        ConfigError: If a table does not have nine numbers, or a field is unknown.
    """

    within_image = True
    """Joints outside the image are invisible."""

    def __init__(
        self,
        error: Sequence[float] = (0.022, 0.021, 0.022, 0.017, 0.026, 0.030, 0.017, 0.024, 0.021),
        bias: Sequence[float] = (0.028, 0.025, 0.024, 0.025, 0.034, 0.024, 0.033, 0.026, 0.028),
        error_frames: float = 3.0,
        hidden_error: float = 2.4,
        confidence: Optional[dict[str, Any]] = None,
        swaps: Optional[dict[str, Any]] = None,
        cover_prob: float = 0.05,
        cover_frames: tuple[int, int] = (30, 90),
        near: float = NEAR_DEPTH,
        compat: str = 'correct',
    ) -> None:
        check_arguments(DetectorConfidence, confidence or {}, 'confidence')
        check_arguments(SideSwaps, swaps or {}, 'swaps')
        self.confidence = DetectorConfidence(**(confidence or {}))
        self.swaps = SideSwaps(**(swaps or {}))
        tables = {
            'error': error,
            'bias': bias,
            'confidence.mean': self.confidence.mean,
            'confidence.spread': self.confidence.spread,
        }
        for name, table in tables.items():
            if len(table) != len(JOINT_GROUPS):
                raise ConfigError(
                    f'`{name}` should have {len(JOINT_GROUPS)} numbers, one for each of '
                    f'{", ".join(JOINT_GROUPS)}, got {len(table)}'
                )
        self.error, self.bias = tuple(error), tuple(bias)
        self.error_frames, self.hidden_error = error_frames, hidden_error
        self.cover_prob, self.cover_frames = cover_prob, cover_frames
        self.near = near
        self.compat = compat

    def __call__(
        self, joints: Tensor, valid: Tensor, generator: Optional[torch.Generator] = None
    ) -> tuple[Tensor, Tensor]:
        """Simulate a detector; arguments and errors as :class:`KeypointNoise`.

        Returns:
            tuple[Tensor, Tensor]: New joints (B, L, 17, 3), zero in invalid frames, and the
            confidence of each (B, L, 17), 0 to 1.
        """
        sizes = check_shape(joints, f'B L {NUM_COCO} 3', 'joints')
        check_shape(valid, 'B L', 'valid', **sizes)
        B, L = sizes['B'], sizes['L']
        draw = RandomDraw(joints, generator)
        hidden = self._hidden(joints, valid, draw)

        varying = draw.correlated(L, self.error_frames, B, NUM_COCO, 2).permute(0, 3, 1, 2)
        varying = draw.table(self.error) * varying
        constant = draw.table(self.bias) * draw.normal(B, 1, NUM_COCO, 2)
        varying = varying * (1 + (self.hidden_error - 1) * hidden[..., None])
        noisy = torch.cat((joints[..., :2] + constant + varying, joints[..., 2:]), dim=-1)

        doubt = draw.correlated(L, self.confidence.frames, B, NUM_COCO).transpose(1, 2)
        logit = (
            draw.table(self.confidence.mean)[:, 0]
            + draw.table(self.confidence.spread)[:, 0] * doubt
        )
        logit = logit + self.confidence.hidden * hidden
        logit = logit + self.confidence.error * varying.norm(dim=-1)
        confidence = logit.sigmoid() * (joints[..., 2] > self.near) * valid[..., None]

        source = self._swap_sides(B, L, draw)
        noisy = noisy.gather(2, source[..., None].expand_as(noisy))
        confidence = confidence.gather(2, source)
        return noisy.masked_fill(~valid[..., None, None], 0.0), confidence

    def _hidden(self, joints: Tensor, valid: Tensor, draw: RandomDraw) -> Tensor:
        """Return the degree to which joints (B, L, 17) are hidden, 0 to 1."""
        hidden = self_occlusion(joints, self.near)
        covered = draw.span(valid, self.cover_frames, self.cover_prob)
        legs = tuple(joint in LEG_JOINTS for joint in range(NUM_COCO))
        legs = constant(legs, joints, torch.bool)
        hidden = (hidden | (covered[..., None] & legs)).to(joints)
        rows = hidden.transpose(1, 2)
        return F.avg_pool1d(
            F.pad(rows, (OCCLUSION_WINDOW // 2, OCCLUSION_WINDOW // 2), mode='replicate'),
            OCCLUSION_WINDOW,
            stride=1,
        ).transpose(1, 2)

    def _swap_sides(self, B: int, L: int, draw: RandomDraw) -> Tensor:
        """Return the joint (B, L, 17) whose detection each joint gets, itself without a swap."""
        rate = self.swaps.rate / FPS
        begins = draw.uniform(B, L) < rate
        # A clip may begin in the middle of a swap.
        begins[:, :1] |= draw.uniform(B, 1) < rate * self.swaps.frames
        length = -self.swaps.frames * (1 - draw.uniform(B, L)).log()
        frame = torch.arange(L, device=begins.device)
        until = torch.where(begins, frame + length, -1.0).cummax(dim=1).values
        swapped = frame < until
        legs_alone = draw.uniform(B, 1) < self.swaps.legs_prob
        joint = torch.arange(NUM_COCO, device=begins.device)
        other = joint_index(COCO_FLIP_INDEX, begins)
        moves = torch.where(legs_alone, joint >= min(LEG_JOINTS), joint >= NUM_FIXED_JOINTS)
        return torch.where(swapped[..., None] & moves[:, None], other, joint)
