"""EMDB, 3DPW and RICH test sequences; RICH, with static cameras, in world and camera."""

from mmengine.config import read_base

from gvhmr_da_mm.datasets import RICHDataset
from gvhmr_da_mm.evaluation import CameraSpaceMetric, WorldSpaceMetric

with read_base():
    from .test_emdb_3dpw import *

test_dataloader.dataset.datasets.update(rich=dict(type=RICHDataset, data_root=None, flip_test=True))
test_evaluator += [
    dict(type=WorldSpaceMetric, dataset='rich', data_root=None),
    dict(type=CameraSpaceMetric, protocol='rich_camera', data_root=None),
]
