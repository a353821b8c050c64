"""Motion of one person of a video."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Optional

import numpy as np
import torch

from ..core.camera import smpl_camera_extrinsics
from ..core.errors import DataError, ShapeError
from ..core.layout import NUM_BETAS, NUM_BODY_JOINTS, NUM_COCO, NUM_JOINTS, NUM_STATIC_JOINTS

_BODY_POSE = (3 * NUM_BODY_JOINTS,)
_SHAPES = dict(
    seen=(),
    confidence=(),
    body_pose=_BODY_POSE,
    body_pose_w=_BODY_POSE,
    betas=(NUM_BETAS,),
    global_orient_w=(3,),
    transl_w=(3,),
    joints_w=(NUM_JOINTS, 3),
    global_orient_c=(3,),
    transl_c=(3,),
    contacts=(NUM_STATIC_JOINTS,),
    keypoints=(NUM_COCO, 3),
    bbx_xys=(3,),
)
_CAMERA_FIELDS = ('global_orient_c', 'transl_c')


@dataclass
class PersonMotion:
    """One person from the first to the last frame with a detection.

    Note:
        F frames. Cameras are OpenCV's (x right, y down, z forward), the world has y up; lengths are
        in metres, rotations axis-angle in radians. SMPL-X turns about its root joint, whose rest
        position is therefore part of its place: ``joints_w[:, 0]``, not ``transl_w``.

    Attributes:
        id (int): Number of the person in the video, from 0.
        first_frame (int): Number of the first frame, at the result's ``fps`` from the start of the
            video.
        seen (np.ndarray): Frames in which the person was detected (F,), bool.
        confidence (np.ndarray): Confidence of the motion of each frame (F,), 0 to 1; 0 where there
            is no evidence.
        body_pose (np.ndarray): SMPL-X body pose (F, 63).
        betas (np.ndarray): SMPL-X shape (F, 10).
        global_orient_w (np.ndarray): Root orientation in the world (F, 3).
        transl_w (np.ndarray): SMPL-X translation in the world (F, 3).
        joints_w (np.ndarray): The 22 joints in the world (F, 22, 3).
        global_orient_c (np.ndarray, optional): Root orientation in the camera (F, 3). Defaults to
            None: the camera is unknown.
        transl_c (np.ndarray, optional): SMPL-X translation in the camera (F, 3).
        body_pose_w (np.ndarray, optional): Body pose in the world (F, 63) if it differs. Defaults
            to None.
        contacts (np.ndarray, optional): Contact probability (F, 6) of left ankle and foot, right
            ankle and foot, left and right wrist.
        keypoints (np.ndarray, optional): Detected COCO-17 keypoints (F, 17, 3): pixels, confidence.
        bbx_xys (np.ndarray, optional): Boxes (F, 3): centre and side, pixels.
        scene (int): Number of the scene, between two cuts of the video; each has a world of its
            own. Defaults to 0.
        notes (list[str]): Messages about this person. Defaults to [].

    Raises:
        ShapeError: If an array has another shape.
    """

    id: int
    first_frame: int
    seen: np.ndarray
    confidence: np.ndarray
    body_pose: np.ndarray
    betas: np.ndarray
    global_orient_w: np.ndarray
    transl_w: np.ndarray
    joints_w: np.ndarray
    global_orient_c: Optional[np.ndarray] = None
    transl_c: Optional[np.ndarray] = None
    body_pose_w: Optional[np.ndarray] = None
    contacts: Optional[np.ndarray] = None
    keypoints: Optional[np.ndarray] = None
    bbx_xys: Optional[np.ndarray] = None
    scene: int = 0
    notes: Optional[list[str]] = None

    def __post_init__(self) -> None:
        self.notes = list(self.notes or ())
        frames = len(self.body_pose)
        for name, value in self.arrays().items():
            if value.shape != (frames, *_SHAPES[name]):
                raise ShapeError(
                    f'`{name}` of person {self.id} should have shape {(frames, *_SHAPES[name])}, '
                    f'got {value.shape}'
                )

    def __len__(self) -> int:
        return len(self.body_pose)

    def __getitem__(self, frames: slice) -> 'PersonMotion':
        """Return some of the frames, numbered from 0 at ``first_frame``."""
        start = frames.indices(len(self))[0]
        cut = {name: value[frames] for name, value in self.arrays().items()}
        return replace(self, first_frame=self.first_frame + start, **cut)

    @property
    def last_frame(self) -> int:
        """Number of the last frame, as ``first_frame``."""
        return self.first_frame + len(self) - 1

    @property
    def frames(self) -> slice:
        """The person's frames among those of the video."""
        return slice(self.first_frame, self.first_frame + len(self))

    @property
    def coverage(self) -> float:
        """Share of the frames in which the person was detected."""
        return float(self.seen.mean())

    @property
    def in_camera(self) -> bool:
        """Whether the motion in the camera is known."""
        return all(getattr(self, name) is not None for name in _CAMERA_FIELDS)

    @property
    def T_w2c(self) -> np.ndarray:
        """World to camera (F, 4, 4), as the motions in both imply it.

        Raises:
            DataError: If the motion in the camera is unknown.
        """
        if not self.in_camera:
            raise DataError(f'the motion of person {self.id} in the camera is unknown')
        offset = self.joints_w[:, 0] - self.transl_w
        values = (self.global_orient_w, self.transl_w, self.global_orient_c, self.transl_c, offset)
        return smpl_camera_extrinsics(*(torch.from_numpy(v).double() for v in values)).numpy()

    @property
    def joints_c(self) -> np.ndarray:
        """The 22 joints in the camera (F, 22, 3), metres; raises as :attr:`T_w2c`."""
        T = self.T_w2c
        joints = self.joints_w @ T[:, :3, :3].transpose(0, 2, 1) + T[:, None, :3, 3]
        return joints.astype(self.joints_w.dtype)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays that are not None, by name."""
        named = {name: getattr(self, name) for name in _SHAPES}
        return {name: value for name, value in named.items() if value is not None}

    @classmethod
    def from_prediction(cls, instances: Mapping[str, Any], **fields: Any) -> 'PersonMotion':
        """Take over a prediction of the network.

        Args:
            instances (Mapping): ``pred_instances`` of :meth:`GVHMR.predict`.
            fields (Any): ``id``, ``first_frame``, ``seen`` and other fields that it lacks.
        """
        values = {name: np.asarray(torch.as_tensor(x).cpu()) for name, x in instances.items()}
        joints_c = values['keypoints'].astype(np.float64)
        camera = [torch.from_numpy(values[name]).double() for name in _CAMERA_FIELDS]
        world = [torch.from_numpy(values[f'{name[:-1]}w']).double() for name in _CAMERA_FIELDS]
        offset = torch.from_numpy(joints_c[:, 0]) - camera[1]
        T = smpl_camera_extrinsics(*world, *camera, offset).numpy()
        joints_w = (joints_c - T[:, None, :3, 3]) @ T[:, :3, :3]
        taken = {name: values[name] for name in _SHAPES if name in values and name != 'keypoints'}
        if 'static_logits' in values:
            taken['contacts'] = torch.from_numpy(values['static_logits']).sigmoid().numpy()
        return cls(joints_w=joints_w.astype(values['keypoints'].dtype), **{**taken, **fields})
