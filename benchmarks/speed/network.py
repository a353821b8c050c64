"""Inference with the network, from its inputs to decoded motion."""

from collections.abc import Callable
from functools import partial
from typing import Optional

import torch
from torch import Tensor

from benchmarks.speed.case import Case, Pair, Settings, close
from benchmarks.speed.models import full_model, inputs_of
from gvhmr_da_mm.models.layers import KeyWindow, RotaryAttention, RotaryTable
from gvhmr_da_mm.registry import MODELS

LENGTHS = (120, 500, 1000, 2000, 4000, 16000)


def plain_mask(window: KeyWindow) -> Tensor:
    """Build the dense mask (B, 1, L, L) row by row."""
    frames, half, max_len = window.num_frames, window.max_len // 2, window.max_len
    mask = torch.zeros(frames, frames, dtype=torch.bool)
    for row in range(frames):
        low, high = 0, frames
        if frames > max_len:
            low = min(frames - max_len, max(0, row - half))
            high = max(max_len, min(frames, row + half))
        mask[row, low:high] = True
    mask = mask.to(window.device)[None, None]
    if window.end is None:
        return mask
    visible = torch.arange(frames, device=mask.device) < window.end
    return mask & visible


@MODELS.register_module()
class PlainAttention(RotaryAttention):
    """Softmax over all pairs of frames, what is not visible set to minus infinity."""

    def forward(self, x: Tensor, rotary: RotaryTable, window: Optional[KeyWindow] = None) -> Tensor:
        """Attend."""
        query, key, value = (
            layer(x).unflatten(-1, (self.num_heads, -1)).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        query, key = plain_rotate(query, rotary), plain_rotate(key, rotary)
        logits = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
        if window is not None:
            if not hasattr(window, 'plain'):  # Once for all layers.
                window.plain = plain_mask(window)
            logits = logits.masked_fill(~window.plain, -torch.inf)
        weights = torch.dropout(logits.softmax(dim=-1), self.weight_dropout, self.training)
        return self.drop(self.proj((weights @ value).transpose(1, 2).flatten(-2)))


def plain_rotate(x: Tensor, rotary: RotaryTable) -> Tensor:
    """Turn channel pairs by repeated tables and a copy with swapped pairs."""
    cos, sin = (table.repeat_interleave(2, dim=-1) for table in (rotary.cos, rotary.sin))
    swapped = torch.stack((-x[..., 1::2], x[..., 0::2]), dim=-1).flatten(-2)
    return x * cos + swapped * sin


def inference(settings: Settings, frames: int) -> Pair:
    """Predict one video."""
    inputs = inputs_of(1, frames, settings)
    ours = full_model('gvhmr_bedlam.py', settings).eval()
    plain = full_model(
        'gvhmr_bedlam.py', settings, backbone=dict(attention=dict(type='PlainAttention'))
    ).eval()
    return Pair(partial(_predict, ours, inputs), partial(_predict, plain, inputs), close(1e-3))


@torch.inference_mode()
def _predict(model: Callable, inputs: dict[str, Tensor]) -> tuple[Tensor, ...]:
    prediction = model.infer(inputs)
    return prediction.body_pose_R, prediction.R_gv, prediction.transl_c


def cases() -> list[Case]:
    """Return the cases of this family."""
    return [Case(f'inference_{L}', partial(inference, frames=L)) for L in LENGTHS]
