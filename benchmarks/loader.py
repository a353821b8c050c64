"""Training items per worker: from packs of our own, or from the published files.

The plain way loads the feature file of each clip as a whole. Items are the same. One thread, as
workers have. ``loader_threedpw`` has sequences as long as those of 3DPW, ``loader_bedlam`` clips of
60 to 180 frames.
"""

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor

from gvhmr_da_mm.datasets import BEDLAMDataset, ThreeDPWDataset, pack_io
from gvhmr_da_mm.datasets.converters import PUBLISHED_CONVERTERS, run_conversion
from gvhmr_da_mm.datasets.motion_dataset import MotionDataset
from gvhmr_da_mm.datasets.samplers import ClipKey

from .case import Case, Pair, Settings, close
from .paths import ROOT

ITEMS = 64
"""Items per timing; a row's seconds are those of so many."""
LONG = 950
"""Frames of a sequence: 3DPW's 51,000 frames are of 60 videos, most of them of one person."""
PACKS = ROOT / 'work_dirs' / 'benchmarks' / 'packs'


def _read(dataset: MotionDataset) -> Tensor:
    keys = [ClipKey(number % len(dataset), number) for number in range(ITEMS)]
    return torch.stack([dataset[key]['inputs']['f_imgseq'].sum() for key in keys])


def _read_whole_files(dataset: MotionDataset) -> Tensor:
    load = torch.load

    def load_whole(*args: Any, **options: Any) -> Any:
        return load(*args, **{**options, 'mmap': False})

    with patch.object(pack_io.torch, 'load', load_whole):
        return _read(dataset)


def _windows(root: Path, pack: Path, name: str, kind: Callable, **options: Any) -> Pair:
    torch.set_num_threads(1)
    run_conversion(PUBLISHED_CONVERTERS[name](root), pack)
    ours, plain = (kind(str(root), pack=source, **options) for source in (pack, None))
    return Pair(partial(_read, ours), partial(_read_whole_files, plain), close(1e-2))


def _folder(settings: Settings) -> Path:
    """Return where what is made of a data root is kept: packs of two must not mix."""
    digest = hashlib.sha256(str(settings.data_root.resolve()).encode()).hexdigest()[:8]
    return PACKS / digest


def bedlam(settings: Settings) -> Pair:
    """Read random windows of short clips."""
    return _windows(settings.data_root, _folder(settings) / 'bedlam', 'bedlam', BEDLAMDataset)


def threedpw(settings: Settings) -> Pair:
    """Read random windows of long sequences."""
    root = _folder(settings) / 'long'
    if not root.exists():
        _repeat_frames(settings.data_root, root)
    return _windows(root, _folder(settings) / '3dpw', '3dpw', ThreeDPWDataset, split='train')


def _repeat_frames(root: Path, long_root: Path) -> None:
    """Copy the training split of 3DPW with the frames of each sequence repeated."""
    folder = Path('3DPW', 'hmr4d_support')
    labels = torch.load(root / folder / 'train_3dpw_gt_labels.pt', weights_only=True)
    frames = {name: len(fields['T_w2c']) for name, fields in labels.items()}

    def repeat(value: Any, count: int) -> Any:
        if isinstance(value, dict):
            return {key: repeat(part, count) for key, part in value.items()}
        if not isinstance(value, Tensor) or value.shape[:1] != (count,):
            return value
        return value.repeat(-(-LONG // count), *[1] * (value.ndim - 1))[:LONG].clone()

    part = long_root.with_name(f'.{long_root.name}.part')
    for path in (root / folder).rglob('*train*'):
        for file in [path] if path.is_file() else path.glob('*.pt'):
            content = torch.load(file, weights_only=True)
            if file == path:
                content = {name: repeat(value, frames[name]) for name, value in content.items()}
            else:
                content = repeat(content, frames[file.stem])
            target = part / file.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            torch.save(content, target)
    part.rename(long_root)


def cases() -> list[Case]:
    """Return the cases of this family."""
    only = dict(devices=('cpu',), default=('cpu',))
    return [
        Case('loader_bedlam', bedlam, **only),
        Case('loader_threedpw', threedpw, **only),
    ]
