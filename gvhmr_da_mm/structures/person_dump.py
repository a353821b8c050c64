"""People of a result as predicted sequences, which drawings and exports read."""

import numpy as np
import torch
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample

from .motion_dump import MotionDump
from .motion_result import MotionResult
from .person_motion import PersonMotion

_PARAMETERS = (
    'body_pose',
    'body_pose_w',
    'betas',
    'global_orient_c',
    'transl_c',
    'global_orient_w',
    'transl_w',
    'confidence',
)
_MIN_PROBABILITY = 1e-6
"""Probabilities of contact are limited by this and 1 minus it, for finite logits."""


def person_dump(result: MotionResult, person: PersonMotion) -> MotionDump:
    """Return a person as a predicted sequence.

    Args:
        result (MotionResult): Of the video.
        person (PersonMotion): One of its people.

    Raises:
        DataError: If the motion in the camera is unknown.
    """
    arrays = person.arrays()
    instances = {name: torch.from_numpy(arrays[name]) for name in _PARAMETERS if name in arrays}
    instances['keypoints'] = person.joints_c
    if person.contacts is not None:
        probability = np.clip(person.contacts, _MIN_PROBABILITY, 1 - _MIN_PROBABILITY)
        instances['static_logits'] = torch.from_numpy(probability).logit()
    end = person.first_frame + len(person)
    metainfo = dict(
        dataset='video',
        sequence=f'{result.name}_{person.id}' if len(result.people) > 1 else result.name,
        start=person.first_frame,
        end=end,
        img_shape=(result.size[1], result.size[0]),
        gender='neutral',
    )
    inputs = {
        name: torch.from_numpy(arrays[field])
        for name, field in dict(kp2d='keypoints', bbx_xys='bbx_xys').items()
        if field in arrays
    }
    if result.camera is not None:
        metainfo['static_camera'] = result.camera.static
        K = torch.from_numpy(np.asarray(result.camera.K, dtype=np.float32))
        inputs['K_fullimg'] = K.expand(len(person), 3, 3).clone()
    sample = PoseDataSample(metainfo=metainfo)
    sample.pred_instances = InstanceData(**instances)
    return MotionDump(sample, inputs, result.video or MotionDump.path)
