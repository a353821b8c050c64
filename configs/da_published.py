"""The published adaptation recipe, as it is described: to compare with, not to use.

The student is its own teacher, the plain and the mirrored view count the same, the discriminator's
score is taken as it is and compared with a threshold that rises from 0.6 to 0.9, every term weighs
1, and nothing pins pseudo-labels to the image.
"""

from mmengine.config import read_base

from gvhmr_da_mm.models.adaptation import PseudoLabeler
from gvhmr_da_mm.models.views import (
    ComposeViews,
    FeatureNoise,
    HorizontalFlip,
    KeypointDrop,
    KeypointJitter,
)

with read_base():
    from .da_bedlam_emdb_3dpw import *

model.update(
    num_augmentations=2,
    views=[dict(type=HorizontalFlip)],
    student_view=dict(
        type=ComposeViews,
        views=[dict(type=KeypointJitter), dict(type=KeypointDrop), dict(type=FeatureNoise)],
    ),
    teacher='student',
    pseudo_labeler=dict(type=PseudoLabeler, featureless_weight=1.0),
    confidence_calibration='none',
    synthetic_weight=1.0,
    real_weight=1.0,
    discriminator_weight=1.0,
    adversarial_weight=1.0,
    reprojection_weight=0.0,
    confidence=None,
    fake_target=None,
    discriminator_steps=1,
    discriminator=dict(frame_stride=1),
    refiner=None,
    label_path=None,
    label_world=True,
    real_shape=True,
    label_free=None,
)
model.estimator.test_cfg.update(refiner=None, path=None)
default_hooks.confidence_threshold.update(start=0.6, end=0.9, interval=30)
