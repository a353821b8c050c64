"""Simulated errors of a 2D pose detector, as in the published training."""

from typing import Optional

import torch
from torch import Tensor

from gvhmr_da_mm.core.checks import check_choice, check_shape
from gvhmr_da_mm.core.conventions import COCO_JOINT_NAMES, COMPAT_MODES, NEAR_DEPTH
from gvhmr_da_mm.core.layout import NUM_COCO
from gvhmr_da_mm.registry import TASK_UTILS

from .random_draw import RandomDraw

# One number for each of nose, eyes, ears, shoulders, elbows, wrists, hips, knees, ankles.
JITTER = (0.2, 0.1, 0.1, 0.3, 0.2, 0.1, 0.4, 0.2, 0.1)
BIAS = (0.4, 0.1, 0.1, 0.15, 0.25, 0.35, 0.1, 0.15, 0.25)
PEAK = (0.08, 0.08, 0.08, 0.15, 0.25, 0.4, 0.08, 0.3, 0.4)
PEAK_RARITY = (0.05, 0.05, 0.05, 0.1, 0.2, 0.3, 0.1, 0.2, 0.3)
JITTER_SCALE, BIAS_SCALE, PEAK_SCALE = 0.05, 0.1, 0.3
"""Metres per unit of the tables."""
PEAK_THRESHOLD = 0.005
"""A joint is an outlier where a uniform number times its ``PEAK_RARITY`` is below this."""

OCCLUSION_PARENTS = (
    (5, 6), (0,), (0,), (1,), (2,), (), (), (5,), (6,), (7,), (8,), (), (), (11,), (12,), (13,),
    (14,),
)  # fmt: skip
"""A joint is hidden where one of its parents is; every joint comes after its parents, except for
the nose, whose parents, the shoulders, have none."""
LEG_JOINTS = tuple(
    index
    for index, name in enumerate(COCO_JOINT_NAMES)
    if name.endswith(('_hip', '_knee', '_ankle'))
)
CONFUSED_PAIRS = tuple(
    (COCO_JOINT_NAMES.index(f'left_{name}'), COCO_JOINT_NAMES.index(f'right_{name}'))
    for name in ('wrist', 'ankle')
)


@TASK_UTILS.register_module()
class KeypointNoise:
    """Jitter, bias, outliers, occlusions and left-right confusion of COCO-17 joints.

    Note:
        Shape letters: B batch, L frames.

    Args:
        occlusion_prob (float): Probability per joint and frame of being hidden. Defaults to 0.03.
        leg_occlusion_prob (float): Probability per clip that both legs are hidden for a span of
            valid frames. Defaults to 0.03.
        leg_occlusion_frames (tuple[int, int]): Shortest and longest such span, inclusive; it fills
            shorter clips. Defaults to (30, 90).
        confusion_prob (float): Probability per frame of each of: wrists swapped, ankles swapped,
            one wrist at the other's place, one ankle at the other's place. Defaults to 0.001.
        near (float): Joints nearer than this (m) are invisible. Defaults to 0.3.
        compat (str): ``'published'`` repeats two errors of the published code: all outliers of a
            batch lie in one direction, and left-right confusion has no effect. Defaults to
            ``'correct'``.

    Raises:
        ConfigError: If ``compat`` is not one of the two modes.

    Source: GVHMR, Sec. 4.1, after WHAM (Shin et al., CVPR 2024).
    """

    within_image = False
    """Whether joints outside the image are invisible; the published noise shows them."""

    def __init__(
        self,
        occlusion_prob: float = 0.03,
        leg_occlusion_prob: float = 0.03,
        leg_occlusion_frames: tuple[int, int] = (30, 90),
        confusion_prob: float = 0.001,
        near: float = NEAR_DEPTH,
        compat: str = 'correct',
    ) -> None:
        check_choice(compat, COMPAT_MODES, 'compat')
        self.occlusion_prob = occlusion_prob
        self.leg_occlusion_prob = leg_occlusion_prob
        self.leg_occlusion_frames = leg_occlusion_frames
        self.confusion_prob = confusion_prob
        self.near = near
        self.compat = compat

    def __call__(
        self, joints: Tensor, valid: Tensor, generator: Optional[torch.Generator] = None
    ) -> tuple[Tensor, Tensor]:
        """Simulate a detector.

        Args:
            joints (Tensor): True COCO joints (B, L, 17, 3) in the camera, metres.
            valid (Tensor): Valid frames (B, L), boolean; they come before the padding.
            generator (torch.Generator, optional): Source of randomness, on the device of the
                joints. Defaults to the global one.

        Returns:
            tuple[Tensor, Tensor]: New joints (B, L, 17, 3), zero in invalid frames, and whether
            each is visible (B, L, 17), boolean.

        Raises:
            ShapeError: If an input does not have the documented shape.
        """
        sizes = check_shape(joints, f'B L {NUM_COCO} 3', 'joints')
        check_shape(valid, 'B L', 'valid', **sizes)
        draw = RandomDraw(joints, generator)
        noisy = joints + self._displacement(joints, draw)
        visible = self._visibility(valid, draw)
        if self.compat == 'correct':
            source = self._confusion(sizes['B'], sizes['L'], draw)
            noisy = noisy.gather(2, source[..., None].expand_as(noisy))
            visible = visible.gather(2, source)
        visible = visible & (noisy[..., 2] > self.near) & valid[..., None]
        return noisy.masked_fill(~valid[..., None, None], 0.0), visible

    def _displacement(self, joints: Tensor, draw: RandomDraw) -> Tensor:
        """Return the error of each joint (B, L, 17, 3) in metres."""
        B, L = joints.shape[:2]
        jitter = JITTER_SCALE * draw.table(JITTER) * draw.normal(B, L, NUM_COCO, 3)
        bias = BIAS_SCALE * draw.table(BIAS) * draw.normal(B, 1, NUM_COCO, 3)
        if self.compat == 'published':
            direction = draw.normal(3)
        else:
            direction = draw.normal(B, L, NUM_COCO, 3)
        is_peak = draw.uniform(B, L, NUM_COCO, 1) * draw.table(PEAK_RARITY) < PEAK_THRESHOLD
        return jitter + bias + is_peak * (PEAK_SCALE * draw.table(PEAK) * direction)

    def _visibility(self, valid: Tensor, draw: RandomDraw) -> Tensor:
        """Draw which joints (B, L, 17) are visible."""
        B, L = valid.shape
        visible = list((draw.uniform(B, L, NUM_COCO) >= self.occlusion_prob).unbind(-1))
        for joint, parents in enumerate(OCCLUSION_PARENTS):
            for parent in parents:
                visible[joint] = visible[joint] & visible[parent]

        hidden = draw.span(valid, self.leg_occlusion_frames, self.leg_occlusion_prob)
        for joint in LEG_JOINTS:
            visible[joint] = visible[joint] & ~hidden
        return torch.stack(visible, dim=-1)

    def _confusion(self, B: int, L: int, draw: RandomDraw) -> Tensor:
        """Return the joint (B, L, 17) whose detection each joint gets, itself unless confused."""
        source = [torch.full((B, L), joint, device=draw.device) for joint in range(NUM_COCO)]
        for left, right in CONFUSED_PAIRS:
            swap = draw.uniform(B, L) < self.confusion_prob
            taken = draw.uniform(B, L) < self.confusion_prob
            is_left = draw.uniform(B, L) < 0.5
            new_left = torch.where(swap, source[right], source[left])
            new_right = torch.where(swap, source[left], source[right])
            source[left] = torch.where(taken & is_left, new_right, new_left)
            source[right] = torch.where(taken & ~is_left, new_left, new_right)
        return torch.stack(source, dim=-1)
