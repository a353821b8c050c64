"""A student GVHMR with its mean teacher and a motion discriminator."""

from mmengine.config import read_base

from gvhmr_da_mm.models import (
    ContactConsistencyLoss,
    DomainAdaptiveGVHMR,
    MotionDataPreprocessor,
    MotionDiscriminator,
    ReprojectionLoss,
)
from gvhmr_da_mm.models.adaptation import (
    CombinedConfidence,
    ConfidenceCalibrator,
    NearestMotionTarget,
    PseudoLabeler,
)
from gvhmr_da_mm.models.refiners import KeypointRefiner, StancePath
from gvhmr_da_mm.models.views import BoxJitter, CameraRoll, HorizontalFlip

with read_base():
    from .gvhmr import model as gvhmr

model = dict(
    type=DomainAdaptiveGVHMR,
    data_preprocessor=dict(type=MotionDataPreprocessor),
    # Keypoints tell of a clip what labels of few clips cannot teach, at test time as in training.
    # The network's own motion, such as to compare with published numbers: refiner=None, path=None.
    estimator=dict(
        gvhmr,
        test_cfg=dict(
            flip_test=True,
            refiner=dict(type=KeypointRefiner, steps=60),
            path=dict(type=StancePath, temperature=0.02, smoothing=5.0, weight=0.5),
            postprocess=True,
            static_camera=None,
        ),
    ),
    discriminator=dict(
        type=MotionDiscriminator,
        hidden_size=1024,
        num_layers=2,
        dropout=0.1,
        pooling='attention',
        attention_layers=1,
        attention_size=256,
        # As good a filter as all frames, at a third of the cost.
        frame_stride=3,
    ),
    # The plain input alone: no other view made pseudo-labels or confidences better. Views that keep
    # the image features come first: without them predictions are much worse.
    num_augmentations=1,
    views=[
        dict(type=CameraRoll, max_angle=0.09, max_feature_roll=0.09),
        dict(type=BoxJitter),
        dict(type=HorizontalFlip),
    ],
    # Noise of the student's own changed nothing, to a tenth of a millimetre.
    student_view=None,
    teacher='ema',
    confidence=dict(
        type=CombinedConfidence,
        weights=dict(reprojection=4.0, discriminator=1.0),
        mean='geometric',
    ),
    confidence_calibration='none',
    calibrator=dict(type=ConfidenceCalibrator, size=1024, min_scores=64),
    fake_target=dict(type=NearestMotionTarget, scale=0.3),
    discriminator_steps=1,
    pseudo_labeler=dict(type=PseudoLabeler, featureless_weight=0.25),
    refiner=dict(type=KeypointRefiner, steps=30),
    reprojection=dict(type=ReprojectionLoss, confidence=0.5, scale=0.1),
    # Synthetic clips teach the world better than pseudo-labels do, whatever path these follow.
    label_path=None,
    label_world=False,
    # Wrong bones fit keypoints as well as wrong poses do.
    real_shape=False,
    label_free=dict(contact=dict(type=ContactConsistencyLoss, loss_weight=0.3)),
    # Chosen on held-out real training clips of the miniature packs; docs/en/adaptation.md tells.
    synthetic_weight=1.0,
    real_weight=0.5,
    discriminator_weight=1.0,
    adversarial_weight=0.0,
    reprojection_weight=300.0,
    queue_size=256,
    predict_on='student',
)
