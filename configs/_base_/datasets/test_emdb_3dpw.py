"""EMDB-1, EMDB-2 and 3DPW test sequences in one test loop, each with its own protocol."""

from mmengine.dataset import DefaultSampler
from mmengine.runner import TestLoop, ValLoop

from gvhmr_da_mm.datasets import EMDBDataset, MultiSourceDataset, ThreeDPWDataset
from gvhmr_da_mm.evaluation import CameraSpaceMetric, WorldSpaceMetric

test_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=False,
    drop_last=False,
    sampler=dict(type=DefaultSampler, shuffle=False, round_up=False),
    dataset=dict(
        type=MultiSourceDataset,
        datasets=dict(
            # `flip_test` loads the mirrored inputs that the flip test of the model needs.
            emdb1=dict(type=EMDBDataset, data_root=None, split='emdb1', flip_test=True),
            emdb2=dict(type=EMDBDataset, data_root=None, split='emdb2', flip_test=True),
            threedpw=dict(type=ThreeDPWDataset, data_root=None, split='test', flip_test=True),
        ),
    ),
)
test_evaluator = [
    dict(type=CameraSpaceMetric, dataset='emdb1', data_root=None),
    dict(type=WorldSpaceMetric, dataset='emdb2', data_root=None),
    dict(type=CameraSpaceMetric, dataset='3dpw', data_root=None),
]
# Validation has the data and protocols of the test, so that their results agree.
val_dataloader = test_dataloader
val_evaluator = test_evaluator

val_cfg = dict(type=ValLoop)
test_cfg = dict(type=TestLoop)
