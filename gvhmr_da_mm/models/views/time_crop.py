"""A part of the clip."""

from typing import Any, Optional

import torch
from torch import Tensor

from ...core.errors import ConfigError
from ...registry import TRANSFORMS
from ...structures.motion import MotionPrediction
from .base_view import BaseView
from .functional import Inputs, clip_size, rand, require

CLIP_KEYS = ('img_wh', 'has_kp2d', 'has_imgfeat', 'has_flip_imgfeat')
"""Inputs without a frame dimension."""


@TRANSFORMS.register_module()
class TimeCrop(BaseView):
    """Show a random window of each clip, moved to the front and padded like any short clip.

    The inverse moves it back. Frames outside the window hold the nearest predicted frame and are
    not valid. Neither is the last frame of a window that ends before its clip: the step to the
    next frame, which its velocity describes, was not shown.

    Args:
        min_ratio (float): Shortest window as a share of the valid frames. Defaults to 0.6.
        min_frames (int): Shortest window in frames; shorter clips stay whole. Defaults to 20.

    Raises:
        ConfigError: If ``min_ratio`` is not in (0, 1] or ``min_frames`` below 2.
    """

    def __init__(self, min_ratio: float = 0.6, min_frames: int = 20) -> None:
        if not 0 < min_ratio <= 1:
            raise ConfigError(f'`min_ratio` should be in (0, 1], got {min_ratio}')
        if min_frames < 2:
            raise ConfigError(f'`min_frames` should be at least 2, got {min_frames}')
        self.min_ratio = float(min_ratio)
        self.min_frames = min_frames

    def apply(
        self, inputs: Inputs, generator: Optional[torch.Generator] = None
    ) -> tuple[Inputs, dict[str, Any]]:
        """Cut a batch; the state holds ``start``, ``frames`` and ``inner`` (B,) of each window."""
        batch, length = clip_size(inputs)
        require(inputs, ('valid', 'cam_angvel'), 'TimeCrop')
        total = inputs['valid'].sum(dim=1)
        draw = rand((2, batch), inputs['kp2d'], generator)
        shortest = (total * self.min_ratio).ceil().long().clamp(min=self.min_frames)
        shortest = torch.minimum(shortest, total)
        frames = torch.minimum(shortest + (draw[0] * (total - shortest + 1)).long(), total)
        start = torch.minimum((draw[1] * (total - frames + 1)).long(), total - frames)

        frame = torch.arange(length, device=total.device)
        source = start[:, None] + torch.minimum(frame, (frames - 1).clamp(min=0)[:, None])
        cropped = {
            key: value
            if key in CLIP_KEYS or value.shape[:2] != (batch, length)
            else _take(value, source)
            for key, value in inputs.items()
        }
        cropped['valid'] = frame < frames[:, None]
        # The camera's last step is repeated, as if the clip had been shot that short.
        inner = start + frames < total
        step = torch.minimum(source, (start + frames - 1 - inner.long()).clamp(min=0)[:, None])
        cropped['cam_angvel'] = _take(inputs['cam_angvel'], step)
        return cropped, dict(start=start, frames=frames, inner=inner)

    def invert(
        self,
        prediction: MotionPrediction,
        state: dict[str, Any],
        inputs: Inputs,
        root_offset: Optional[Tensor] = None,
    ) -> MotionPrediction:
        """Move a prediction back to where its window was."""
        valid, start, frames = inputs['valid'], state['start'][:, None], state['frames'][:, None]
        frame = torch.arange(valid.shape[1], device=valid.device)
        source = torch.minimum((frame - start).clamp(min=0), (frames - 1).clamp(min=0))
        shown = (frame >= start) & (frame < start + frames - state['inner'].long()[:, None])
        clip = torch.arange(valid.shape[0], device=valid.device)[:, None]
        moved = prediction.replace(x=None)[clip, source]
        return moved.replace(valid=shown & valid).for_box(inputs['bbx_xys'], inputs['K_fullimg'])


def _take(value: Tensor, frames: Tensor) -> Tensor:
    """Pick frames (B, L) of a tensor (B, L, ...)."""
    clip = torch.arange(value.shape[0], device=value.device)[:, None]
    return value[clip, frames]
