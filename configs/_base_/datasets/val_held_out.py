"""Validation on one training video in four of EMDB and 3DPW, to choose settings by.

A config that uses it trains on the others: ``subset='fit'`` of the training datasets. Packs of
training videos have no mirrored features, so its model does without the flip test.
"""

from mmengine.config import read_base
from mmengine.runner import ValLoop

from gvhmr_da_mm.datasets import EMDBDataset, MultiSourceDataset, ThreeDPWDataset
from gvhmr_da_mm.evaluation import CameraSpaceMetric, WorldSpaceMetric

with read_base():
    from .test_emdb_3dpw import test_dataloader as _test_dataloader

_held_out = dict(data_root=None, split='train', subset='val')
_emdb = dict(name='val_emdb', dataset='emdb_train', published={})
_threedpw = dict(base='3dpw', name='val_3dpw', dataset='3dpw_train', published={})

val_dataloader = dict(
    _test_dataloader,
    dataset=dict(
        type=MultiSourceDataset,
        datasets=dict(
            emdb=dict(type=EMDBDataset, **_held_out),
            threedpw=dict(type=ThreeDPWDataset, **_held_out),
        ),
    ),
)
val_evaluator = [
    dict(type=CameraSpaceMetric, protocol=dict(base='emdb1', **_emdb), data_root=None),
    dict(type=WorldSpaceMetric, protocol=dict(base='emdb2', **_emdb), data_root=None),
    dict(type=CameraSpaceMetric, protocol=_threedpw, data_root=None),
]
val_cfg = dict(type=ValLoop)
