"""Export of motions to file formats of other programs."""

from .bvh import write_bvh
from .glb import write_glb
from .result_writers import write_result_bvh, write_result_glb, write_result_npz
from .skeleton_motion import SkeletonMotion, in_given_world, mean_betas, predicted_motion
from .smplx_npz import write_smplx_npz
from .soles import put_on_soles

__all__ = [
    'SkeletonMotion',
    'in_given_world',
    'mean_betas',
    'predicted_motion',
    'put_on_soles',
    'write_bvh',
    'write_glb',
    'write_result_bvh',
    'write_result_glb',
    'write_result_npz',
    'write_smplx_npz',
]
