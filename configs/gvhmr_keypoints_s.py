"""Small GVHMR that sees keypoints, box and camera rotation, but no image features.

It is trained on motion capture in AMASS' format, files of any folder below `DATA_ROOT/AMASS`.
"""

from mmengine.config import read_base
from mmengine.optim import CosineAnnealingLR, LinearLR

from gvhmr_da_mm.codecs import DetectorNoise
from gvhmr_da_mm.datasets.mocap import PoseVariation, VirtualCamera
from gvhmr_da_mm.engine import MotionStatisticsHook, Muon
from gvhmr_da_mm.models import FootContactOdometry, RobustGVHMRLoss

with read_base():
    from ._base_.datasets.amass import *
    from ._base_.default_runtime import *
    from ._base_.models.da_gvhmr import model as adaptive
    from ._base_.models.gvhmr import *
    from ._base_.schedules.gvhmr_500e import *

model.update(
    backbone=dict(latent_dim=192, num_layers=9, num_heads=4, dropout=0.0, max_len=60),
    head=dict(latent_dim=192),
    body_model=dict(vertices=False),
    loss=dict(type=RobustGVHMRLoss),
    train_cfg=dict(keypoint_noise=dict(type=DetectorNoise), condition_dropout=0.0),
    test_cfg=dict(
        # It was trained with keypoints that tremble, and sees through them.
        refiner=dict(adaptive.estimator.test_cfg.refiner, max_noise=3.0),
        steady_gravity=True,
        trajectory=dict(type=FootContactOdometry),
    ),
)

# A phone is held at any angle. With few steep cameras, pitch is underestimated, and with many level
# ones roll.
train_dataloader.dataset.datasets.amass.update(
    motions='AMASS',
    variation=dict(type=PoseVariation),
    camera=dict(type=VirtualCamera, any_angle_prob=0.85, roll=35.0, level_prob=0.25),
    min_len=60,
    max_len=60,
)
train_dataloader.update(batch_size=32)
train_dataloader.batch_sampler.update(batches_per_epoch=200)

train_cfg.update(max_epochs=60)
optim_wrapper.optimizer = dict(type=Muon)
param_scheduler = [
    dict(type=LinearLR, start_factor=0.01, end=1, by_epoch=True, convert_to_iter_based=True),
    dict(
        type=CosineAnnealingLR,
        T_max=60,
        eta_min=1e-6,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
]
default_hooks.update(motion_statistics=dict(type=MotionStatisticsHook, num_clips=300))
