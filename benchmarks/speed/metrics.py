"""Metrics of one long sequence."""

from functools import partial

import torch
from torch import Tensor

from benchmarks.speed.case import Case, Pair, Settings, close
from gvhmr_da_mm.evaluation.functional import mpjpe, pa_mpjpe, w_mpjpe, wa_mpjpe

FRAMES, JOINTS, CHUNK = 2000, 24, 100


def _align(source: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Find the similarity of two sets of points (N, 3)."""
    x, y = source - source.mean(0), target - target.mean(0)
    u, s, vh = torch.linalg.svd(x.T @ y)
    sign = torch.ones(3)
    sign[2] = torch.det(u @ vh).sign()
    R = vh.T @ torch.diag(sign) @ u.T
    scale = (s * sign).sum() / x.square().sum()
    return scale, R, target.mean(0) - scale * R @ source.mean(0)


def plain(pred: Tensor, target: Tensor) -> tuple[Tensor, ...]:
    """Go from frame to frame, and from chunk to chunk."""
    errors: dict[str, list[Tensor]] = dict(plain=[], pa=[], w=[], wa=[])
    for one, other in zip(pred, target):
        errors['plain'].append((one - other).norm(dim=-1).mean())
        s, R, t = _align(one, other)
        errors['pa'].append((s * one @ R.T + t - other).norm(dim=-1).mean())
    for start in range(0, len(pred), CHUNK):
        one, other = pred[start : start + CHUNK], target[start : start + CHUNK]
        for name, frames in (('w', 2), ('wa', len(one))):
            s, R, t = _align(one[:frames].reshape(-1, 3), other[:frames].reshape(-1, 3))
            moved = torch.stack([s * joints @ R.T + t for joints in one])
            errors[name].append((moved - other).norm(dim=-1).mean(dim=-1))
    return (
        1e3 * torch.stack(errors['plain']),
        1e3 * torch.stack(errors['pa']),
        1e3 * torch.cat(errors['w']),
        1e3 * torch.cat(errors['wa']),
    )


def ours(pred: Tensor, target: Tensor) -> tuple[Tensor, ...]:
    """Take all frames at once."""
    return tuple(metric(pred, target) for metric in (mpjpe, pa_mpjpe, w_mpjpe, wa_mpjpe))


def joints(settings: Settings) -> Pair:
    """Score the joints of a sequence in the camera and in the world."""
    generator = torch.Generator().manual_seed(0)
    target = torch.randn(FRAMES, JOINTS, 3, generator=generator)
    pred = target + 0.05 * torch.randn(target.shape, generator=generator)
    return Pair(partial(ours, pred, target), partial(plain, pred, target), close(0.5))


def cases() -> list[Case]:
    """Return the cases of this family; metrics are computed on the CPU."""
    return [Case('metrics_2000', joints, devices=('cpu',), default=('cpu',))]
