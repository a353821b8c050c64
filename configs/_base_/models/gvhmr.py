"""GVHMR at full size (Shen et al., SIGGRAPH Asia 2024)."""

from gvhmr_da_mm.body_models import SMPLXLight
from gvhmr_da_mm.codecs import MotionCodec
from gvhmr_da_mm.models import GVHMR, GVHMRLoss, MotionHead, RotaryTemporalTransformer

model = dict(
    type=GVHMR,
    backbone=dict(type=RotaryTemporalTransformer),
    head=dict(type=MotionHead),
    body_model=dict(type=SMPLXLight, data_root=None),
    motion_codec=dict(type=MotionCodec),
    loss=dict(type=GVHMRLoss),
    # The published protocol. To switch it off: --cfg-options model.test_cfg.flip_test=False
    # model.test_cfg.postprocess=False (`model.estimator.test_cfg` in the adaptation configs).
    test_cfg=dict(flip_test=True, postprocess=True),
)
