"""SMPL-X and SMPL bodies, joint regressors and the SMPL-X to SMPL map."""

from .body_rig import BodyRig, make_body_rig
from .cache import get_body_model
from .linear_blend_body import LinearBlendBody
from .point_chain import PointChain, PosedPoints
from .regressed_body import RegressedBody, get_regressed_body
from .regressors import load_regressor
from .smpl_body import SMPLBody
from .smplx_full import SMPLXBody
from .smplx_light import LightBody, SMPLXLight

__all__ = [
    'BodyRig',
    'LightBody',
    'LinearBlendBody',
    'PointChain',
    'PosedPoints',
    'RegressedBody',
    'SMPLBody',
    'SMPLXBody',
    'SMPLXLight',
    'get_body_model',
    'get_regressed_body',
    'load_regressor',
    'make_body_rig',
]
