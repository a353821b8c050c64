"""GVHMR trained on labelled AMASS and BEDLAM, adapted to EMDB and 3DPW without labels.

No label of a real clip is read here. A source model of `gvhmr_mixed.py` has seen labels of 3DPW,
unless it was trained with `train_dataloader.dataset.datasets.threedpw=None`.
"""

from mmengine.config import read_base

from gvhmr_da_mm.datasets import AMASSDataset

with read_base():
    from .da_bedlam_emdb_3dpw import *

train_dataloader.dataset.datasets.update(amass=dict(type=AMASSDataset, data_root=None))
