"""People of a result, as the metrics compare them with labels."""

from collections.abc import Sequence
from pathlib import Path
from typing import Optional, Union

import numpy as np
import torch
from torch import Tensor

from ...body_models import get_body_model
from ...core.boxes import box_overlap
from ...core.camera import (
    box_from_points,
    box_to_xyxy,
    clamp_depth,
    estimate_intrinsics,
    perspective_project,
)
from ...core.errors import DataError
from ...core.layout import NUM_JOINTS
from ...evaluation import FoundPerson
from ...export.readers import PosedMotion, StoredMotion, pose_motion
from .labelled_videos import LabelledPerson

PathLike = Union[str, Path]


def found_people(
    motions: Sequence[StoredMotion],
    labelled: Sequence[LabelledPerson],
    data_root: Optional[PathLike] = None,
    to_smplx: bool = False,
) -> list[FoundPerson]:
    """Return the people of a result with their boxes.

    Boxes are those of the file, else around the projected joints. The intrinsics are those of the
    file; if it has none, the true ones or a focal length of the image diagonal, by which the boxes
    fit better. A single person without a motion in the camera is taken for the single labelled one.

    Args:
        motions (Sequence[StoredMotion]): The people.
        labelled (Sequence[LabelledPerson]): The labelled people of the video.
        data_root (str | Path, optional): Data root of the body models. Defaults to None: the
            environment's.
        to_smplx (bool): Whether SMPL becomes SMPL-X; it is scored as it is otherwise, if all people
            are of one body model. Defaults to False.

    Raises:
        DataError: If the people have no boxes and there are several.
    """
    posed = [pose_motion(motion, data_root, to_smplx) for motion in motions]
    if len({one.body_pose.shape[-1] for one in posed}) > 1:
        posed = [pose_motion(motion, data_root) for motion in motions]
    people = []
    for motion, one in zip(motions, posed):
        fields = one.fields()
        if 'body_pose_w' in motion.fields and one.world is not None:
            fields['body_pose_w'] = torch.from_numpy(motion.fields['body_pose_w']).float()
        boxes = _boxes(motion, one, labelled, data_root)
        people.append(FoundPerson(motion.frames, boxes, fields))
    if any(one.camera is None for one in posed) and (len(people), len(labelled)) != (1, 1):
        raise DataError(
            f'{motions[0].path} has no motion in the camera, by which its {len(people)} people '
            f'could be matched to {len(labelled)} labelled ones: score a result that has one'
        )
    return people


@torch.no_grad()
def _boxes(
    motion: StoredMotion,
    posed: PosedMotion,
    labelled: Sequence[LabelledPerson],
    data_root: Optional[PathLike],
) -> np.ndarray:
    """Return the corners (F, 4) of the boxes of a person, pixels."""
    if 'bbx_xys' in motion.fields:
        return box_to_xyxy(torch.from_numpy(motion.fields['bbx_xys'])).numpy()
    if posed.camera is None:
        return _labelled_boxes(motion, labelled[0])
    kind = 'smplx' if posed.body_pose.shape[-1] == 3 * (NUM_JOINTS - 1) else 'smpl'
    body = get_body_model(kind, data_root=data_root)
    joints = body.fk(posed.body_pose, posed.betas, *posed.camera)[:, :NUM_JOINTS]
    joints = clamp_depth(joints)
    if motion.K is not None:
        return _around(joints, torch.from_numpy(motion.K))
    true = labelled[0].sample['gt_instances']['K_fullimg'][0]
    tried = [_around(joints, K) for K in (estimate_intrinsics(*labelled[0].img_wh), true)]
    return max(tried, key=lambda boxes: _overlap(motion.frames, boxes, labelled))


def _around(joints: Tensor, K: Tensor) -> np.ndarray:
    """Return the corners (F, 4) of boxes around joints (F, 22, 3) in the camera."""
    return box_to_xyxy(box_from_points(perspective_project(joints, K.to(joints)))).numpy()


def _overlap(frames: np.ndarray, boxes: np.ndarray, labelled: Sequence[LabelledPerson]) -> float:
    """Return the largest mean overlap with a labelled person."""
    best = 0.0
    for person in labelled:
        rows = frames - person.sample['start']
        known = np.flatnonzero((rows >= 0) & (rows < len(person.boxes)))
        values = [box_overlap(boxes[[k]], person.boxes[[rows[k]]])[0, 0] for k in known]
        best = max(best, float(np.mean(values)) if values else 0.0)
    return best


def _labelled_boxes(motion: StoredMotion, person: LabelledPerson) -> np.ndarray:
    """Return the boxes of the labelled person in the frames of a motion; others have none."""
    rows = motion.frames - person.sample['start']
    known = (rows >= 0) & (rows < len(person.boxes))
    boxes = np.zeros((len(rows), 4))
    boxes[known] = person.boxes[rows[known]]
    return boxes
