"""Training clips per worker: from sequence packs, or from the published files.

The plain way loads the feature file of each clip as a whole. Clips are the same. One thread, as
workers have. ``loader_threedpw`` has sequences as long as those of 3DPW, the others have clips of
60 to 180 frames. ``loader_batches`` and ``loader_stacked_batches`` are what arrives in the training
process from one worker: the plain way sends clips as MMEngine's default does, or stacked.
"""

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from mmengine.dataset import pseudo_collate
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from benchmarks.speed.case import Case, Pair, Settings, close
from benchmarks.speed.paths import ROOT
from gvhmr_da_mm.datasets import BEDLAMDataset, ThreeDPWDataset, collate_clips, pack_io
from gvhmr_da_mm.datasets.motion_dataset import MotionDataset
from gvhmr_da_mm.datasets.samplers import ClipKey
from gvhmr_da_mm.datasets.sources import PUBLISHED_SOURCES
from gvhmr_da_mm.datasets.sources.write_pack import write_pack
from gvhmr_da_mm.models import MotionDataPreprocessor

ITEMS = 256
"""Clips per timing; a row's seconds are those of so many."""
BATCH = 32
LONG = 950
"""Frames of a sequence: 3DPW's 51,000 frames are of 60 videos, most of them of one person."""
PACKS = ROOT / 'work_dirs' / 'benchmarks' / 'packs'


def _keys(dataset: MotionDataset) -> list[ClipKey]:
    return [ClipKey(number % len(dataset), number) for number in range(ITEMS)]


def _read(dataset: Dataset, keys: list[ClipKey]) -> Tensor:
    return torch.stack([dataset[key]['inputs']['f_imgseq'].sum() for key in keys])


class _WholeFiles(Dataset):
    """A dataset that loads whole files, also in the worker that it is sent to."""

    def __init__(self, dataset: MotionDataset) -> None:
        self.dataset = dataset

    def __getitem__(self, key: ClipKey) -> dict:
        load = torch.load

        def load_whole(*args: Any, **options: Any) -> Any:
            return load(*args, **{**options, 'mmap': False})

        with patch.object(pack_io.torch, 'load', load_whole):
            return self.dataset[key]


def _receive(loader: DataLoader, preprocess: MotionDataPreprocessor) -> Tensor:
    sums = []
    for batch in loader:
        batch = preprocess(batch)
        sums.append(batch['inputs']['f_imgseq'].sum(dim=(1, 2)))
    return torch.cat(sums)


def _batches(settings: Settings, plain_collate: Callable) -> Pair:
    torch.set_num_threads(1)
    root, pack = settings.data_root, _folder(settings) / 'bedlam'
    write_pack(PUBLISHED_SOURCES['bedlam'].below(root), pack)
    ours, plain = (BEDLAMDataset(str(root), pack=source) for source in (pack, None))
    keys = _keys(ours)
    loaders = [
        DataLoader(
            dataset,
            batch_size=BATCH,
            sampler=keys,
            num_workers=1,
            persistent_workers=True,
            collate_fn=collate,
        )
        for dataset, collate in ((ours, collate_clips), (_WholeFiles(plain), plain_collate))
    ]
    receive = [partial(_receive, loader, MotionDataPreprocessor()) for loader in loaders]
    return Pair(*receive, close(1e-2))


def batches(settings: Settings) -> Pair:
    """Receive batches from a worker; the plain way sends them clip by clip."""
    return _batches(settings, pseudo_collate)


def stacked_batches(settings: Settings) -> Pair:
    """Receive batches from a worker; both ways stack them there."""
    return _batches(settings, collate_clips)


def _windows(root: Path, pack: Path, name: str, kind: Callable, **options: Any) -> Pair:
    torch.set_num_threads(1)
    write_pack(PUBLISHED_SOURCES[name].below(root), pack)
    ours, plain = (kind(str(root), pack=source, **options) for source in (pack, None))
    keys = _keys(ours)
    return Pair(partial(_read, ours, keys), partial(_read, _WholeFiles(plain), keys), close(1e-2))


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
        Case('loader_batches', batches, **only),
        Case('loader_stacked_batches', stacked_batches, **only),
    ]
