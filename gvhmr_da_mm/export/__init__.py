"""Export of motions to file formats of other programs."""

from .amass_npz import write_amass_npz
from .bvh import write_bvh
from .dumped_person import dumped_person, given_up, in_given_world
from .glb import write_glb
from .glb_camera import CameraTrack
from .hmr4d_results import write_hmr4d_results
from .person_glb import write_person_glb
from .person_parameters import person_parameters
from .readers import read_result
from .result_summary import describe_result, write_result_summary
from .result_writers import (
    write_result_bvh,
    write_result_glb,
    write_result_json,
    write_result_npz,
    write_result_pt,
)
from .skeleton_motion import SkeletonMotion, person_skeleton
from .soles import put_on_soles

__all__ = [
    'CameraTrack',
    'SkeletonMotion',
    'describe_result',
    'dumped_person',
    'given_up',
    'in_given_world',
    'person_parameters',
    'person_skeleton',
    'put_on_soles',
    'read_result',
    'write_amass_npz',
    'write_bvh',
    'write_glb',
    'write_hmr4d_results',
    'write_person_glb',
    'write_result_bvh',
    'write_result_glb',
    'write_result_json',
    'write_result_npz',
    'write_result_pt',
    'write_result_summary',
]
