"""GVHMR adapted to your own videos, in turn with labelled BEDLAM clips if the data root has them.

Without BEDLAM the adaptation is source-free: it needs a checkpoint with a discriminator and true
motion (docs/en/adaptation.md). `tools/dataset_converters/convert.py videos VIDEOS
DATA_ROOT/packs/videos` makes the sequence pack. For another pack set `dataset.datasets.video.pack`
of `train_dataloader` and of `test_dataloader`. The test predicts the same videos: its metric is the
distance from detected keypoints, and `tools/test.py --dump` saves the motion.
"""

from mmengine.config import read_base

from gvhmr_da_mm.datasets import PackDataset
from gvhmr_da_mm.engine import SourceFreeHook
from gvhmr_da_mm.evaluation import ReprojectionMetric

with read_base():
    from .da_bedlam_emdb_3dpw import *

video = dict(type=PackDataset, data_root=None, pack='packs/videos')
train_dataloader.dataset.datasets = dict(bedlam=bedlam, video=video)
train_dataloader.dataset.optional = ['bedlam']
default_hooks.update(source_free=dict(type=SourceFreeHook))
# Epochs of a fixed length: otherwise a dozen clips would give a few batches in each.
train_dataloader.update(batch_size=8)
train_dataloader.batch_sampler.update(batches_per_epoch=40)
test_dataloader.dataset.datasets = dict(video=dict(video, test_mode=True))
test_evaluator = [dict(type=ReprojectionMetric, data_root=None)]
val_cfg = val_dataloader = val_evaluator = None

# Mirrored features exist only if `convert.py features` made them: then set both flip tests to True.
# Without image features predicted velocities are poor: feet count by their height alone.
by_height = dict(temperature=0.02, tolerance=None)
model.update(estimator=dict(test_cfg=dict(flip_test=False, trajectory=by_height)))
train_cfg.update(max_epochs=20)
