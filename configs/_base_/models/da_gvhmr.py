"""A student GVHMR with its mean teacher and a motion discriminator."""

from mmengine.config import read_base

from gvhmr_da_mm.models import (
    DomainAdaptiveGVHMR,
    MotionDataPreprocessor,
    MotionDiscriminator,
    ReprojectionLoss,
)
from gvhmr_da_mm.models.adaptation import ConfidenceCalibrator, PseudoLabeler
from gvhmr_da_mm.models.adaptation.views import (
    BoxJitter,
    CameraRoll,
    ComposeViews,
    FeatureNoise,
    HorizontalFlip,
    KeypointDrop,
    KeypointJitter,
)

with read_base():
    from .gvhmr import model as gvhmr

model = dict(
    type=DomainAdaptiveGVHMR,
    data_preprocessor=dict(type=MotionDataPreprocessor),
    estimator=dict(gvhmr, feature_alignment=None),
    discriminator=dict(
        type=MotionDiscriminator,
        hidden_size=1024,
        num_layers=2,
        dropout=0.1,
        pooling='attention',
        attention_layers=1,
        attention_size=256,
    ),
    num_augmentations=2,
    # Views that keep the image features come first: without them predictions are much worse.
    views=[
        dict(type=CameraRoll, max_angle=0.09, max_feature_roll=0.09),
        dict(type=BoxJitter),
        dict(type=HorizontalFlip),
    ],
    student_view=dict(
        type=ComposeViews,
        views=[dict(type=KeypointJitter), dict(type=KeypointDrop), dict(type=FeatureNoise)],
    ),
    teacher='ema',
    pseudo_labeler=dict(type=PseudoLabeler, featureless_weight=0.25),
    confidence_calibration='quantile',
    calibrator=dict(type=ConfidenceCalibrator, size=1024, min_scores=64),
    reprojection=dict(type=ReprojectionLoss, confidence=0.5, scale=0.1),
    # Reprojection carries the adaptation; pseudo-labels repeat the teacher's errors, so they weigh
    # little. Both were chosen on held-out real training clips of the miniature packs.
    synthetic_weight=1.0,
    real_weight=0.05,
    discriminator_weight=1.0,
    adversarial_weight=0.1,
    reprojection_weight=300.0,
    queue_size=256,
    predict_on='student',
)
