"""Training items per worker: from packs of our own, or from the published files.

The plain way loads the feature file of each clip as a whole. Items are the same.
"""

from collections.abc import Callable
from functools import partial
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


def windows(settings: Settings, name: str, kind: Callable, **options: Any) -> Pair:
    """Read random windows of a dataset."""
    converter = PUBLISHED_CONVERTERS[name](settings.data_root)
    run_conversion(converter, PACKS / name)
    root = str(settings.data_root)
    ours, plain = (kind(root, pack=pack, **options) for pack in (PACKS / name, None))
    return Pair(partial(_read, ours), partial(_read_whole_files, plain), close(1e-2))


def cases() -> list[Case]:
    """Return the cases of this family."""
    only = dict(devices=('cpu',), default=('cpu',))
    threedpw = partial(windows, name='3dpw', kind=ThreeDPWDataset, split='train')
    return [
        Case('loader_bedlam', partial(windows, name='bedlam', kind=BEDLAMDataset), **only),
        Case('loader_threedpw', threedpw, **only),
    ]
