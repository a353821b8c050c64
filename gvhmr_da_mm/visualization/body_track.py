"""Joints, camera poses and optional mesh of a body over time, the input of all drawings."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Callable, Optional, Union

import numpy as np
import torch
from mmpose.structures import PoseDataSample
from scipy.spatial.transform import Rotation

from ..body_models import get_body_model
from ..core.camera import smpl_camera_extrinsics, transform_smpl
from ..core.conventions import STATIC_JOINTS
from ..core.errors import DataError
from ..core.layout import NUM_JOINTS, SMPL_BODY_POSE
from ..core.postprocess import ground_height
from .world_alignment import align_worlds

TILTED_DATASETS = ('3dpw', '3dpw_train')
"""Datasets whose world has an arbitrary y axis."""
SOLE_THICKNESS = 0.03
"""Height of joints in contact above the ground, m."""
MIN_CONTACT_PROBABILITY = 0.5
"""Joints with a higher probability count as in contact."""
SHAPE_FIELDS = ('body_pose', 'betas')


@dataclass(frozen=True)
class BodyTrack:
    """A body in the camera and the camera in the world, over time.

    Note:
        F frames, V vertices.

    Attributes:
        joints_c (np.ndarray): Joints in the camera (F, 22, 3), m.
        T_w2c (np.ndarray): World to camera (F, 4, 4).
        valid (np.ndarray): Valid mask (F,), bool; other frames are not drawn.
        K (np.ndarray, optional): Intrinsics (F, 3, 3), px.
        contacts (np.ndarray, optional): Contact probability of the six ``STATIC_JOINTS`` (F, 6).
        confidence (np.ndarray, optional): Confidence (F,), 0 to 1.
        faces (np.ndarray, optional): Triangles (T, 3) of the mesh.
        mesh (Callable, optional): Maps frame numbers (N,) to vertices in the camera (N, V, 3).
        upright (bool): Whether the world is y up, rather than rotated arbitrarily.
        static_camera (bool): Whether the camera is static. ``T_w2c`` of a prediction may vary all
            the same, as it has the errors of the depth of the body.
        camera_path (np.ndarray, optional): World to camera (F, 4, 4) as drawn. Defaults to None:
            ``T_w2c``.
    """

    joints_c: np.ndarray
    T_w2c: np.ndarray
    valid: np.ndarray
    K: Optional[np.ndarray] = None
    contacts: Optional[np.ndarray] = None
    confidence: Optional[np.ndarray] = None
    faces: Optional[np.ndarray] = None
    mesh: Optional[Callable[[np.ndarray], np.ndarray]] = None
    upright: bool = True
    static_camera: bool = False
    camera_path: Optional[np.ndarray] = None

    def __len__(self) -> int:
        return len(self.joints_c)

    def to_world(self, points_c: np.ndarray, frames: Any = slice(None)) -> np.ndarray:
        """Transform points (N, P, 3) of N frames from the camera to the world, m."""
        T = self.T_w2c[frames]
        return (points_c - T[:, None, :3, 3]) @ T[:, :3, :3]

    @property
    def joints_w(self) -> np.ndarray:
        """Joints in the world (F, 22, 3), m."""
        return self.to_world(self.joints_c)

    @property
    def camera_centres(self) -> np.ndarray:
        """Positions of the camera in the world (F, 3), m."""
        T = self.cameras
        return -(T[:, None, :3, 3] @ T[:, :3, :3])[:, 0]

    @property
    def cameras(self) -> np.ndarray:
        """World to camera (F, 4, 4) as drawn: all equal for a static camera."""
        if self.camera_path is not None:
            return self.camera_path
        if not self.static_camera or not self.valid.any():
            return self.T_w2c
        T = self.T_w2c[self.valid]
        centres = -(T[:, None, :3, 3] @ T[:, :3, :3])[:, 0]
        still = np.eye(4)
        still[:3, :3] = Rotation.from_matrix(T[:, :3, :3]).mean().as_matrix()
        still[:3, 3] = -still[:3, :3] @ np.median(centres, axis=0)
        return np.broadcast_to(still, self.T_w2c.shape)

    def vertices_w(self, frames: np.ndarray) -> np.ndarray:
        """Return the mesh of some frames in the world (N, V, 3), m."""
        return self.to_world(self.mesh(frames), frames)

    def aligned_to(self, other: 'BodyTrack') -> 'BodyTrack':
        """Rotate and shift the world to fit another track over the whole clip.

        The scale is kept. If both worlds are upright, so is the vertical, and their grounds are put
        at one height: a track that climbs by mistake does not lift the other. Wrong frames of
        either track have little influence.

        Args:
            other (BodyTrack): A track of the same length.
        """
        both = self.valid & other.valid
        if not both.any():
            return self
        keep_up = self.upright and other.upright
        R, shift = align_worlds(self.joints_w[both], other.joints_w[both], keep_up)
        # new world -> old world, then -> camera
        if keep_up:
            grounds = [tracks_ground([replace(track, contacts=None)]) for track in (other, self)]
            shift[1] = grounds[0] - grounds[1]
        back = np.eye(4)
        back[:3, :3], back[:3, 3] = R.T, -R.T @ shift
        return replace(self, T_w2c=self.T_w2c @ back)


def joint_errors(prediction: BodyTrack, ground_truth: BodyTrack) -> np.ndarray:
    """Return the mean pelvis-aligned error of the 22 joints (F,), mm; NaN at invalid frames.

    For display only: metrics regress their joints from the meshes.
    """
    pred, target = prediction.joints_c, ground_truth.joints_c
    distance = np.linalg.norm((pred - pred[:, :1]) - (target - target[:, :1]), axis=-1)
    return np.where(prediction.valid & ground_truth.valid, distance.mean(axis=1) * 1000, np.nan)


def tracks_ground(tracks: Sequence[BodyTrack]) -> float:
    """Return the ground height (m) below tracks, see :func:`ground_height`.

    Args:
        tracks (Sequence[BodyTrack]): In one world; those without a valid frame are ignored.
    """
    heights = []
    for track in tracks:
        contact = np.zeros((len(track), len(STATIC_JOINTS)), bool)
        if track.contacts is not None:
            contact = track.contacts > MIN_CONTACT_PROBABILITY
        arrays = (track.joints_w, contact, track.valid)
        heights.append(float(ground_height(*(torch.from_numpy(array)[None] for array in arrays))))
    return min((height for height in heights if np.isfinite(height)), default=0.0) - SOLE_THICKNESS


def prediction_track(
    sample: PoseDataSample,
    data_root: Optional[Union[str, Path]] = None,
    with_mesh: bool = False,
    K: Optional[Any] = None,
) -> BodyTrack:
    """Make a track of ``pred_instances`` of a sample.

    Args:
        sample (PoseDataSample): With the fields of :meth:`GVHMR.predict`.
        data_root (str | Path, optional): Data root of the body models; only meshes need them.
        with_mesh (bool): Whether to add the mesh. Defaults to False.
        K (array, optional): Input intrinsics of the model, (3, 3) or (F, 3, 3). Defaults to None.

    Raises:
        DataError: If a field is missing.
    """
    camera = _fields(sample, 'pred_instances', (*SHAPE_FIELDS, 'global_orient_c', 'transl_c'))
    world = _fields(sample, 'pred_instances', ('global_orient_w', 'transl_w'))
    joints = _fields(sample, 'pred_instances', ('keypoints',))['keypoints'].double()
    orient_c, transl_c = camera['global_orient_c'].double(), camera['transl_c'].double()
    # The rest position of the root follows from its joint in the camera, without a body model.
    T_w2c = smpl_camera_extrinsics(
        *(value.double() for value in world.values()), orient_c, transl_c, joints[:, 0] - transl_c
    )
    options = _optional(sample.pred_instances, ('static_logits', 'confidence'))
    contacts = options.get('static_logits')
    confidence = options.get('confidence', sample.get('confidence'))
    track = BodyTrack(
        joints_c=joints.numpy(),
        T_w2c=T_w2c.numpy(),
        valid=np.isfinite(joints.numpy()).all(axis=(1, 2)),
        K=_per_frame(K, len(joints)),
        contacts=None if contacts is None else contacts.sigmoid().numpy(),
        confidence=None
        if confidence is None
        else np.broadcast_to(np.asarray(confidence, dtype=float), len(joints)),
        static_camera=bool(sample.get('static_camera')),
    )
    if not with_mesh:
        return track
    model = get_body_model('smplx', data_root=data_root)
    return _with_mesh(track, model, list(camera.values()))


def ground_truth_track(
    sample: PoseDataSample,
    data_root: Optional[Union[str, Path]] = None,
    with_mesh: bool = False,
    K: Optional[Any] = None,
) -> Optional[BodyTrack]:
    """Make a track of ``gt_instances`` of a sample: labels of training (SMPL-X) or test (SMPL).

    Args:
        sample (PoseDataSample): A sample of this package's datasets.
        data_root (str | Path, optional): Data root of the body models. Joints need them too, unless
            the labels have ``lifting_target``.
        with_mesh (bool): Whether to add the mesh. Defaults to False.
        K (array, optional): Intrinsics if the labels have no ``K_fullimg``. Defaults to None.

    Returns:
        BodyTrack | None: None if the sample has no labels.

    Raises:
        DataError: If a field is missing.
    """
    if 'gt_instances' not in sample or not len(sample.gt_instances):
        return None
    labels = sample.gt_instances
    joints = _optional(labels, ('lifting_target',)).get('lifting_target')
    model = None
    if 'global_orient_c' in labels:
        body = _fields(sample, 'gt_instances', (*SHAPE_FIELDS, 'global_orient_c', 'transl_c'))
        world = _fields(sample, 'gt_instances', ('global_orient_w', 'transl_w'))
        model = get_body_model('smplx' if with_mesh else 'smplx_light', data_root=data_root)
        offset = model.skeleton(body['betas'])[:, 0]
        orient, transl = body['global_orient_c'], body['transl_c']
        T_w2c = smpl_camera_extrinsics(*world.values(), orient, transl, offset)
    else:
        body = _fields(sample, 'gt_instances', (*SHAPE_FIELDS, 'global_orient', 'transl', 'T_w2c'))
        T_w2c = body['T_w2c']
        if with_mesh or joints is None:
            kind, gender = label_body(labels), sample.get('gender', 'neutral')
            model = get_body_model(kind, gender, data_root=data_root)
            offset = model.skeleton(body['betas'])[:, 0]
            orient, transl = transform_smpl(body['global_orient'], body['transl'], T_w2c, offset)
    if model is not None:
        parameters = [body['body_pose'], body['betas'], orient, transl]
    if joints is None:
        joints = model.fk(*parameters)[:, :NUM_JOINTS]
    joints = joints.double().numpy()
    options = _optional(labels, ('mask', 'K_fullimg'))
    valid = np.isfinite(joints).all(axis=(1, 2))
    if 'mask' in options:
        valid &= options['mask'].bool().numpy()
    track = BodyTrack(
        joints_c=joints,
        T_w2c=T_w2c.double().numpy(),
        valid=valid,
        K=_per_frame(options.get('K_fullimg', K), len(joints)),
        upright=sample.get('dataset') not in TILTED_DATASETS,
    )
    return _with_mesh(track, model, parameters) if with_mesh else track


def label_body(labels: Any) -> str:
    """Return the body model of the labels of a test set: 'smpl' or 'smplx'."""
    return 'smpl' if labels['body_pose'].shape[-1] == SMPL_BODY_POSE else 'smplx'


def _with_mesh(track: BodyTrack, model: Any, parameters: list[torch.Tensor]) -> BodyTrack:
    return replace(
        track,
        faces=model.faces.numpy().astype(np.int64),
        mesh=partial(_vertices, model, [p.float() for p in parameters]),
    )


@torch.no_grad()
def _vertices(model: Any, parameters: list[torch.Tensor], frames: np.ndarray) -> np.ndarray:
    index = torch.as_tensor(np.atleast_1d(frames))
    return model(*(parameter[index] for parameter in parameters)).numpy()


def _per_frame(K: Any, frames: int) -> Optional[np.ndarray]:
    if K is None:
        return None
    return np.broadcast_to(np.asarray(torch.as_tensor(K).cpu(), dtype=np.float64), (frames, 3, 3))


def _fields(sample: PoseDataSample, owner: str, names: tuple[str, ...]) -> dict[str, torch.Tensor]:
    instances = sample.get(owner)
    missing = [name for name in names if instances is None or name not in instances]
    if missing:
        raise DataError(
            f'to draw sample {sample.get("sequence")!r} its `{owner}` should have {missing}, got '
            f'{sorted(instances.keys()) if instances is not None else "nothing"}'
        )
    return {name: torch.as_tensor(instances[name]).detach().cpu() for name in names}


def _optional(instances: Any, names: tuple[str, ...]) -> dict[str, torch.Tensor]:
    found = (name for name in names if name in instances)
    return {name: torch.as_tensor(instances[name]).detach().cpu() for name in found}
