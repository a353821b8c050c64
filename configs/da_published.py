"""The published adaptation recipe as it is described, for comparison only.

The student is its own teacher, the plain and the mirrored view have equal weights, the
discriminator's score itself is compared with a threshold that rises from 0.6 to 0.9, every loss has
weight 1, and pseudo-labels are not fitted to the keypoints.
"""

from mmengine.config import read_base

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
    pseudo_labeler=dict(
        num_augmentations=2,
        views=[dict(type=HorizontalFlip)],
        confidence=dict(weights=dict(discriminator=1.0), mean='arithmetic'),
        featureless_weight=1.0,
        refiner=None,
        lifter=None,
    ),
    critic=dict(discriminator=dict(frame_stride=1), target=None, adversarial_weight=1.0),
    losses=dict(
        pseudo=dict(world=True, loss_weight=1.0),
        reprojection=dict(loss_weight=0.0),
        contact=None,
    ),
    student_view=dict(
        type=ComposeViews,
        views=[dict(type=KeypointJitter), dict(type=KeypointDrop), dict(type=FeatureNoise)],
    ),
    real_shape=True,
)
model.estimator.test_cfg.update(refiner=None, steady_gravity=False, trajectory=None)
default_hooks.confidence_threshold.update(start=0.6, end=0.9, interval=30)
default_hooks.mean_teacher.update(momentum=1.0)
