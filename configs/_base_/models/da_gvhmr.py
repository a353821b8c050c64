"""Student GVHMR with its mean teacher and a motion critic, with the defaults of their classes."""

from mmengine.config import read_base

from gvhmr_da_mm.models import (
    ContactConsistencyLoss,
    DomainAdaptiveGVHMR,
    MotionDiscriminator,
    ReprojectionLoss,
)
from gvhmr_da_mm.models.adaptation import (
    CombinedConfidence,
    ConfidenceCalibrator,
    MotionCritic,
    MotionQueue,
    NearestMotionTarget,
    PoseLifter,
    PseudoLabeler,
    PseudoLabelLoss,
)
from gvhmr_da_mm.models.refiners import FootContactOdometry, KeypointRefiner

with read_base():
    from .gvhmr import model as gvhmr

model = dict(
    type=DomainAdaptiveGVHMR,
    # At test time predictions are fitted to the keypoints and their trajectories to the feet. For
    # the motion of the network alone, as in published results: refiner=None, steady_gravity=False,
    # trajectory=None.
    estimator=dict(
        gvhmr,
        test_cfg=dict(
            flip_test=True,
            refiner=dict(type=KeypointRefiner, steps=60, lr=0.12, shift_lr=0.015),
            steady_gravity=True,
            trajectory=dict(type=FootContactOdometry),
            postprocess=True,
        ),
    ),
    pseudo_labeler=dict(
        type=PseudoLabeler,
        confidence=dict(type=CombinedConfidence),
        refiner=dict(type=KeypointRefiner),
        lifter=dict(type=PoseLifter),
    ),
    critic=dict(
        type=MotionCritic,
        discriminator=dict(type=MotionDiscriminator),
        target=dict(type=NearestMotionTarget),
        calibrator=dict(type=ConfidenceCalibrator),
        queue=dict(type=MotionQueue),
    ),
    losses=dict(
        pseudo=dict(type=PseudoLabelLoss),
        reprojection=dict(type=ReprojectionLoss),
        contact=dict(type=ContactConsistencyLoss),
    ),
)
