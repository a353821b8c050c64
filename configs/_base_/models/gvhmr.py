"""GVHMR at full size (Shen et al., SIGGRAPH Asia 2024)."""

from gvhmr_da_mm.body_models import SMPLXLight
from gvhmr_da_mm.codecs import KeypointNoise, MotionCodec
from gvhmr_da_mm.models import (
    GVHMR,
    GVHMRLoss,
    MotionDataPreprocessor,
    MotionHead,
    RotaryTemporalTransformer,
)

latent_dim = 512

model = dict(
    type=GVHMR,
    data_preprocessor=dict(type=MotionDataPreprocessor),
    backbone=dict(
        type=RotaryTemporalTransformer,
        latent_dim=latent_dim,
        num_layers=12,
        num_heads=8,
        mlp_ratio=4.0,
        dropout=0.1,
        max_len=120,
    ),
    head=dict(type=MotionHead, latent_dim=latent_dim, avg_betas=True),
    body_model=dict(type=SMPLXLight, data_root=None, support_dir=None),
    motion_codec=dict(type=MotionCodec, statistics=None),
    loss=dict(
        type=GVHMRLoss,
        simple=1.0,
        cr_j3d=500.0,
        transl_c=1.0,
        j2d=1000.0,
        cr_verts=500.0,
        verts2d=1000.0,
        transl_w=1.0,
        static_conf=1.0,
        normalize_by_valid=False,
    ),
    keypoint_noise=dict(type=KeypointNoise),
    condition_dropout=0.1,
    detected_keypoint_prob=0.5,
    # The published protocol. `static_camera=None`: as each test set says of its cameras. Without:
    # --cfg-options model.test_cfg.flip_test=False model.test_cfg.postprocess=False
    # (`model.estimator.test_cfg` in the adaptation configs).
    test_cfg=dict(flip_test=True, refiner=None, path=None, postprocess=True, static_camera=None),
    compat='correct',
    compile=False,
)
