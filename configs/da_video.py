"""GVHMR adapted to videos of one's own, without labels: synthetic BEDLAM clips in turn with theirs.

`tools/dataset_converters/videos.py pack VIDEOS DATA_ROOT/packs/videos` makes the pack. Another is
named by `dataset.datasets.video.pack` of `train_dataloader` and of `test_dataloader`. The same
videos are predicted in the test, without labels: the metric is the distance from detected
keypoints, and `tools/test.py --dump` keeps the motion.
"""

from mmengine.config import read_base

from gvhmr_da_mm.datasets import PackDataset
from gvhmr_da_mm.evaluation import ReprojectionMetric

with read_base():
    from .da_bedlam_emdb_3dpw import *

video = dict(type=PackDataset, data_root=None, pack='packs/videos')
train_dataloader.dataset.datasets = dict(bedlam=bedlam, video=video)
test_dataloader.dataset.datasets = dict(video=dict(video, test_mode=True))
test_evaluator = [dict(type=ReprojectionMetric, data_root=None)]
val_cfg = val_dataloader = val_evaluator = None

# Mirrored features are there only if `videos.py features` made some: then set both flip tests.
# Without image features the network knows little of the world; the feet of the refined pose do.
model.update(estimator=dict(test_cfg=dict(flip_test=False, trajectory=dict(weight=1.0))))
train_cfg.update(max_epochs=20)
