"""Interactive HTML viewer of a motion: one file that needs no network, server or GPU."""

import base64
import html
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np
import torch

from ..body_models import BodyRig, get_body_model, make_body_rig
from ..core.conventions import FPS, PARENTS_22, PARENTS_24, STATIC_JOINTS
from ..core.errors import DataError
from ..core.kinematics import forward_kinematics
from ..core.layout import NUM_JOINTS
from ..core.rotation import axis_angle_to_matrix, matrix_to_quaternion
from ..fileio.atomic_file import write_atomically
from ..structures import MotionDump
from .body_track import (
    BodyTrack,
    ground_truth_track,
    joint_errors,
    label_body,
    prediction_track,
    tracks_ground,
)
from .palette import CAMERA, GROUND_TRUTH, GROUND_TRUTH_CAMERA, PREDICTION, Colour
from .world_view import CAMERA_ROOM, GRID_STEPS, MAX_GRID_LINES

TEMPLATES = Path(__file__).parent / 'templates'
PLACEHOLDER = re.compile(r'\{\{(\w+)\}\}')
INT16_MAX = 32767


@dataclass(frozen=True)
class PageBody:
    """Content of the page for one track."""

    name: str
    track: BodyTrack
    R_c: np.ndarray
    """Global rotations of the joints in the camera (F, 22, 3, 3)."""
    rig: Optional[BodyRig]
    colour: Colour
    camera_colour: Colour
    truth: bool
    has_camera: bool = True
    """Whether the camera is drawn; otherwise it is only where the page looks from."""


def write_html_viewer(
    path: Union[str, Path],
    dump: MotionDump,
    data_root: Optional[Union[str, Path]] = None,
    with_mesh: bool = True,
) -> Path:
    """Write an interactive page of a sequence and its labels.

    To keep the file small, the mesh is stored once with 16-bit coordinates and animated by its
    skeleton (:class:`BodyRig`).

    Args:
        path (str | Path): The HTML file; its folder is created.
        dump (MotionDump): A predicted sequence, with or without labels.
        data_root (str | Path, optional): Data root of the body models; only meshes need them.
        with_mesh (bool): Add meshes to the skeletons. Defaults to True.

    Returns:
        Path: The file.

    Raises:
        DataError: If a field is missing.
        MissingFilesError: If a body model is missing.
    """
    bodies = [_prediction(dump, data_root, with_mesh)]
    truth = _ground_truth(dump, bodies[0].track, data_root, with_mesh)
    errors = None
    if truth is not None:
        bodies.append(truth)
        errors = joint_errors(bodies[0].track, truth.track)
    title = '  '.join(
        str(dump.sample.get(key)) for key in ('dataset', 'sequence') if key in dump.sample
    )
    return write_page(path, title, bodies, errors)


def write_page(
    path: Union[str, Path],
    title: str,
    bodies: list[PageBody],
    errors: Optional[np.ndarray] = None,
) -> Path:
    """Write a page of bodies in one world.

    Args:
        path (str | Path): The HTML file; its folder is created.
        title (str): Title of the page.
        bodies (list[PageBody]): One or more of equal length.
        errors (np.ndarray, optional): Joint error of each frame (F,), mm. Defaults to None.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, _page(title, _content(bodies, errors)))
    return path


def _page(title: str, content: dict[str, Any]) -> str:
    parts = dict(
        TITLE=html.escape(title),
        # A `<` could close the script element of the data.
        DATA=json.dumps(content, separators=(',', ':'), allow_nan=False).replace('<', '\\u003c'),
        SCRIPT=(TEMPLATES / 'viewer.js').read_text(encoding='utf-8'),
    )
    template = (TEMPLATES / 'viewer.html').read_text(encoding='utf-8')
    return PLACEHOLDER.sub(lambda found: parts[found[1]], template)


def _prediction(dump: MotionDump, data_root: Any, with_mesh: bool) -> PageBody:
    track = prediction_track(dump.sample, K=dump.inputs.get('K_fullimg'))
    instances = dump.sample.pred_instances
    R_root = axis_angle_to_matrix(torch.as_tensor(instances.global_orient_c).double())
    rig = None
    if with_mesh:
        body = get_body_model('smplx', data_root=data_root)
        rig = make_body_rig(body, torch.as_tensor(instances.betas).float().mean(dim=0))
    R_c = global_rotations(R_root, instances.body_pose)
    return PageBody('prediction', track, R_c, rig, PREDICTION, CAMERA, truth=False)


def _ground_truth(
    dump: MotionDump, prediction: BodyTrack, data_root: Any, with_mesh: bool
) -> Optional[PageBody]:
    track = ground_truth_track(dump.sample, data_root)
    if track is None:
        return None
    labels = dump.sample.gt_instances
    if 'global_orient' not in labels:
        raise DataError(
            f'the labels of {dump.path} should be those of a test set, with `global_orient`, got '
            f'{sorted(labels.keys())}'
        )
    R_w2c = torch.as_tensor(labels.T_w2c)[:, :3, :3].double()
    R_root = R_w2c @ axis_angle_to_matrix(torch.as_tensor(labels.global_orient).double())
    rig = None
    if with_mesh:
        gender = dump.sample.get('gender', 'neutral')
        body = get_body_model(label_body(labels), gender, data_root=data_root)
        betas = torch.as_tensor(labels.betas).float()[torch.from_numpy(track.valid)]
        rig = make_body_rig(body, betas.mean(dim=0) if len(betas) else torch.zeros(10))
    R_c = global_rotations(R_root, labels.body_pose)
    aligned = track.aligned_to(prediction)
    return PageBody(
        'ground truth', aligned, R_c, rig, GROUND_TRUTH, GROUND_TRUTH_CAMERA, truth=True
    )


def global_rotations(R_root: torch.Tensor, body_pose: Any) -> np.ndarray:
    """Return global rotations (F, 22, 3, 3) of all joints from root (F, 3, 3) and body pose."""
    pose = torch.as_tensor(body_pose).double().unflatten(-1, (-1, 3))[:, : NUM_JOINTS - 1]
    R_local = torch.cat((R_root[:, None], axis_angle_to_matrix(pose)), dim=1)
    rest = torch.zeros(NUM_JOINTS, 3, dtype=R_local.dtype)
    return forward_kinematics(R_local, rest, PARENTS_22)[0].numpy()


def _content(bodies: list[PageBody], errors: Optional[np.ndarray]) -> dict[str, Any]:
    """Return the data of the page."""
    tracks = [body.track for body in bodies]
    low, high, step = _extent(tracks)
    return dict(
        fps=FPS,
        frames=len(tracks[0]),
        parents=list(PARENTS_22),
        contactJoints=list(STATIC_JOINTS),
        ground=tracks_ground(tracks),
        extent=[*low, *high],
        step=step,
        meshes=all(body.rig is not None for body in bodies),
        errors=None if errors is None else _pack(np.nan_to_num(errors, nan=-1.0), 'f4'),
        bodies=[_body_content(body) for body in bodies],
    )


def _body_content(body: PageBody) -> dict[str, Any]:
    track, R_w2c = body.track, body.track.T_w2c[:, :3, :3]
    quaternions = matrix_to_quaternion(
        torch.from_numpy(R_w2c.transpose(0, 2, 1)[:, None] @ body.R_c)
    ).numpy()
    contacts = track.contacts
    return dict(
        name=body.name,
        truth=body.truth,
        hasCamera=body.has_camera,
        colour=list(body.colour),
        cameraColour='rgb({}, {}, {})'.format(*body.camera_colour),
        joints=_quantise(track.joints_w),
        quaternions=_pack(np.roll(quaternions, -1, axis=-1) * INT16_MAX, 'i2'),
        cameras=_pack(track.camera_centres, 'f4'),
        axes=_pack(track.cameras[:, :3, :3], 'f4'),
        valid=_pack(track.valid, 'u1'),
        contacts=None if contacts is None else _pack(contacts * 255, 'u1'),
        mesh=None if body.rig is None else _mesh_content(body.rig),
    )


def _mesh_content(rig: BodyRig) -> dict[str, Any]:
    # The hands of SMPL are not posed: they follow the wrists.
    wrists = np.array([*range(NUM_JOINTS), *PARENTS_24[NUM_JOINTS:]])
    weights = np.round(rig.weights * 255)
    weights[:, 0] += 255 - weights.sum(axis=1)  # the largest weight absorbs the rounding
    return dict(
        vertices=_quantise(rig.vertices),
        normals=_quantise(rig.normals, low=np.zeros(3), scale=1 / INT16_MAX),
        ids=_pack(wrists[rig.bone_ids], 'u1'),
        weights=_pack(weights, 'u1'),
        faces=_pack(rig.faces, 'u2'),
        joints=_pack(rig.joints[:NUM_JOINTS], 'f4'),
    )


def _extent(tracks: list[BodyTrack]) -> tuple[list[float], list[float], float]:
    """Return the corners (x, z) of the ground on grid lines, and the grid step, m."""
    bodies = np.concatenate([t.joints_w[t.valid].reshape(-1, 3) for t in tracks])
    cameras = np.concatenate([t.camera_centres[t.valid] for t in tracks])
    if not len(bodies):
        bodies = cameras = np.zeros((1, 3))
    low, high = bodies.min(axis=0) - 0.3, bodies.max(axis=0) + 0.3
    cameras = np.clip(cameras, low - CAMERA_ROOM, high + CAMERA_ROOM)
    low, high = np.minimum(low, cameras.min(axis=0)), np.maximum(high, cameras.max(axis=0))
    span = (high - low)[[0, 2]].max()
    step = next((s for s in GRID_STEPS if span / s < MAX_GRID_LINES), GRID_STEPS[-1])
    corners = np.floor(low / step) * step, np.ceil(high / step) * step
    return corners[0][[0, 2]].tolist(), corners[1][[0, 2]].tolist(), step


def _quantise(
    points: np.ndarray, low: Optional[np.ndarray] = None, scale: Optional[float] = None
) -> dict[str, Any]:
    """Pack points (..., 3) as 16-bit integers; points that are not finite become the centre."""
    points = points.reshape(-1, 3)
    if low is None:
        finite = points[np.isfinite(points).all(axis=1)]
        finite = finite if len(finite) else np.zeros((1, 3))
        low = (finite.min(axis=0) + finite.max(axis=0)) / 2
        scale = max(float(np.ptp(finite, axis=0).max()) / 2 / INT16_MAX, 1e-9)
    packed = _pack(np.nan_to_num((points - low) / scale), 'i2')
    return dict(**packed, low=low.tolist(), scale=scale)


def _pack(values: np.ndarray, kind: str) -> dict[str, Any]:
    """Return numbers as base64 of a little-endian type; integers are rounded."""
    values = np.asarray(values)
    if kind != 'f4':
        values = np.round(values)
    content = np.ascontiguousarray(values.astype(f'<{kind}')).tobytes()
    return dict(type=kind, base64=base64.b64encode(content).decode('ascii'))
