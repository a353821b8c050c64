"""Filmed clips per worker: recorded motion that becomes a labelled clip when it is loaded.

The recordings are the labels of BEDLAM, whose pack has the form of that of AMASS. One thread, as
workers have; there is no plain way to compare with.
"""

from functools import partial

import torch
from torch import Tensor

from benchmarks.speed.case import Case, Pair, Settings
from gvhmr_da_mm.datasets import AMASSDataset
from gvhmr_da_mm.datasets.samplers import ClipKey

CLIPS = 300
"""Clips per timing; a worker should make so many in a second."""
RECORDINGS = 'BEDLAM/hmr4d_support/smplpose_v2.pth'


def _film(dataset: AMASSDataset) -> Tensor:
    keys = [ClipKey(number % len(dataset), number) for number in range(CLIPS)]
    return torch.stack([dataset[key]['inputs']['bbx_xys'].sum() for key in keys])


def clips(settings: Settings) -> Pair:
    """Read windows of recordings and film them."""
    torch.set_num_threads(1)
    dataset = AMASSDataset(settings.data_root, motions=RECORDINGS, up='y', min_len=120)
    return Pair(partial(_film, dataset))


def cases() -> list[Case]:
    """Return the cases of this family."""
    return [Case('loader_amass', clips, devices=('cpu',), default=('cpu',))]
