"""Preview picture of a demo: its body models, and frames of its clips."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gvhmr_da_mm.core.camera import perspective_project, transform_smpl
from gvhmr_da_mm.core.conventions import COCO_BONES, GENDERS
from gvhmr_da_mm.core.rotation import matrix_to_axis_angle
from gvhmr_da_mm.datasets.labels import read_parameters
from gvhmr_da_mm.datasets.sources import (
    BEDLAMSource,
    EMDBSource,
    PublishedSource,
    SequenceInfo,
    ThreeDPWSource,
)

from .body.posed_body import PosedBody
from .body.shape_space import SHAPE_NAMES
from .body.stand_in_body import ModelArrays, StandInBody
from .motions import REAL_MOTIONS, load_clip

COLUMNS = 8
LEFT, RIGHT, SMPLX_COLOUR, SMPL_COLOUR = 'tab:green', 'tab:red', '#c49a6c', '#6c9ac4'
ARMS_DOWN = 0.9
PIXELS_PER_METRE = 110
SPLATS = np.array([(a, b, 6 - a - b) for a in range(7) for b in range(7 - a)]) / 6
"""Barycentric coordinates of the points that are drawn for each triangle."""


def draw_preview(root: Path, body: StandInBody, embedded: bool = True) -> Path:
    """Draw ``preview.png`` into a demo root.

    Args:
        root (Path): Data root with all packs.
        body (StandInBody): Body models of the demo.
        embedded (bool): Also draw the embedded motions that only the real domain has. Defaults to
            True.
    """
    from matplotlib.figure import Figure

    # Without pyplot, which would change the caller's backend and figures.
    figure = Figure(figsize=(2 * COLUMNS, 13.5))
    axes = figure.subplots(6, COLUMNS)
    figure.subplots_adjust(0.02, 0.02, 0.99, 0.98, 0.15, 0.15)
    smplx = _whole(body.smplx)
    _draw_bodies(axes[0], body, smplx)
    _draw_shapes(axes[1:3].ravel()[: len(SHAPE_NAMES)], body, smplx)
    beside = axes[1:3].ravel()[len(SHAPE_NAMES) :]
    if embedded:
        _draw_motions(beside, body, smplx)
    else:
        for axis in beside:
            axis.axis('off')
    for row, clips in zip(axes[3:], (_bedlam_clips, _emdb_clips, _threedpw_clips)):
        items = clips(root, body)
        for index, axis in enumerate(row):
            if index < len(items):
                _draw_clip(axis, *items[index])
            else:
                axis.axis('off')
    path = root / 'preview.png'
    figure.savefig(path, dpi=75)
    return path


def _mesh(axis, vertices: np.ndarray, faces: np.ndarray, colour: str, right: int) -> None:
    """Draw a shaded mesh from the front (``right`` = 0) or from its left (``right`` = 2).

    Triangles are drawn as points, the nearest last: a hundred times faster than as polygons.
    """
    from matplotlib.colors import to_rgb

    towards, sign = (2, 1) if right == 0 else (0, -1)
    corners = vertices[faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    light = np.abs(normal[:, towards]) / np.maximum(np.linalg.norm(normal, axis=1), 1e-12)
    samples = np.einsum('sk,tkc->tsc', SPLATS, corners).reshape(-1, 3)
    light = np.repeat(0.3 + 0.7 * light, len(SPLATS))
    order = samples[:, towards].argsort()
    flat = samples[order][:, [right, 1]] * [sign, 1]
    low, high = flat.min(0) - 0.05, flat.max(0) + 0.05
    columns, rows = ((flat - low) * PIXELS_PER_METRE).astype(int).T
    shape = ((high - low) * PIXELS_PER_METRE).astype(int)[::-1] + 1
    image = np.ones((*shape, 3))
    image[rows, columns] = light[order, None] * to_rgb(colour)
    extent = (low[0], high[0], low[1], high[1])
    axis.imshow(image, origin='lower', extent=extent, interpolation='nearest')
    axis.axis('off')


def _posed(posed: PosedBody, pose: Tensor, betas: Tensor) -> tuple[np.ndarray, np.ndarray]:
    body_pose = torch.zeros(1, 63 if posed.hand_pose is not None else 69)
    body_pose[:, : pose.numel()] = pose
    joints, vertices = posed(body_pose, betas, torch.zeros(1, 3), torch.zeros(1, 3))
    return joints[0].numpy(), vertices[0].numpy()


def _whole(model: ModelArrays, gender: str = 'neutral') -> PosedBody:
    return PosedBody(model, gender, np.arange(len(model.template)))


def _clip_pose(name: str) -> Tensor:
    return matrix_to_axis_angle(load_clip(name).rotations[10, 1:]).flatten()


def _arms_down() -> Tensor:
    pose = torch.zeros(21, 3)
    pose[15, 2], pose[16, 2] = -ARMS_DOWN, ARMS_DOWN
    return pose.flatten()


def _draw_bodies(axes, body: StandInBody, smplx: PosedBody) -> None:
    rest, zero = torch.zeros(63), torch.zeros(10)
    smpl = {gender: _whole(body.smpl, gender) for gender in GENDERS}
    views = (
        ('SMPL-X rest', smplx, rest, 0),
        ('SMPL-X side', smplx, rest, 2),
        ('SMPL-X walk', smplx, _clip_pose('walk'), 2),
        ('SMPL rest', smpl['neutral'], rest, 0),
        ('SMPL walk', smpl['neutral'], _clip_pose('walk'), 2),
        *((f'SMPL {gender}', smpl[gender], _arms_down(), 0) for gender in GENDERS),
    )
    for axis, (title, posed, pose, right) in zip(axes, views):
        joints, vertices = _posed(posed, pose, zero)
        model, colour = (body.smplx, SMPLX_COLOUR) if posed is smplx else (body.smpl, SMPL_COLOUR)
        _mesh(axis, vertices, model.faces, colour, right)
        axis.plot((1 if right == 0 else -1) * joints[:, right], joints[:, 1], 'r.', markersize=2)
        axis.set_title(f'{title}, {np.ptp(vertices[:, 1]):.2f} m', fontsize=8)


def _draw_shapes(axes, body: StandInBody, smplx: PosedBody) -> None:
    faces = np.concatenate((body.smplx.faces, body.smplx.faces + len(body.smplx.template)))
    for index, axis in enumerate(axes):
        pair, heights = [], []
        for value, shift in ((-2.5, -0.55), (2.5, 0.55)):
            betas = torch.zeros(10)
            betas[index] = value
            _, vertices = _posed(smplx, _arms_down(), betas)
            heights.append(np.ptp(vertices[:, 1]))
            vertices[:, 1] -= vertices[:, 1].min()
            pair.append(vertices + [shift, 0, 0])
        _mesh(axis, np.concatenate(pair), faces, SMPLX_COLOUR, 0)
        title = f'{SHAPE_NAMES[index]} -/+2.5: {heights[0]:.2f}, {heights[1]:.2f} m'
        axis.set_title(title, fontsize=7)


def _draw_motions(axes, body: StandInBody, smplx: PosedBody) -> None:
    for axis, name in zip(axes, REAL_MOTIONS):
        clip = load_clip(name)
        pose = matrix_to_axis_angle(clip.rotations[len(clip) // 3 : len(clip) // 3 + 1])
        _, vertices = smplx(pose[:, 1:].flatten(1), torch.zeros(10), pose[:, 0], torch.zeros(1, 3))
        _mesh(axis, vertices[0].numpy(), body.smplx.faces, SMPLX_COLOUR, 2)
        axis.set_title(f'real only: {name}', fontsize=7)


def _draw_clip(axis, title: str, points: Tensor, box: Tensor, keypoints, size) -> None:
    axis.plot(points[:, 0], points[:, 1], '.', color='tab:blue', markersize=1)
    x, y, side = box.tolist()
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]]) * side / 2 + [x, y]
    axis.plot(corners[:, 0], corners[:, 1], 'k-', linewidth=0.7)
    if keypoints is not None:
        for first, second in COCO_BONES:
            colour = LEFT if first % 2 else RIGHT
            pair = keypoints[[first, second]]
            if pair[:, 2].min() > 0.5:
                axis.plot(pair[:, 0], pair[:, 1], color=colour, linewidth=1.2)
    axis.set_xlim(0, size[0])
    axis.set_ylim(size[1], 0)
    axis.set_aspect('equal')
    axis.set_title(title, fontsize=6)
    axis.tick_params(labelsize=5)


def _spread(keys) -> list:
    keys = list(keys)
    return [keys[i] for i in np.unique(np.linspace(0, len(keys) - 1, COLUMNS).astype(int))]


def _bedlam_clips(root: Path, body: StandInBody) -> list[tuple]:
    source = BEDLAMSource.below(root)
    posed = PosedBody(body.smplx, 'neutral', body.verts437)
    items = []
    for info in _spread(source.sequences()):
        reader = source.open(info)
        frame = sum(reader.limits) // 2
        one = (frame, frame + 1)
        label = read_parameters(reader, 'smplx_params_incam', *one)
        _, vertices = posed(
            label['body_pose'], label['betas'][0], label['global_orient'], label['transl']
        )
        pixels = perspective_project(vertices, reader.rows('K_fullimg', *one))[0]
        title = f'BEDLAM {info.name.split("/")[3][9:35]}'
        items.append((title, pixels, reader.rows('bbx_xys', *one)[0], None, reader.img_wh))
    return items


def _real_clips(
    source: PublishedSource, infos: list[SequenceInfo], body: StandInBody
) -> list[tuple]:
    ids = np.arange(0, len(body.smpl.template), 16)
    items = []
    for info in infos:
        reader = source.open(info)
        frame = sum(reader.limits) // 2
        one = (frame, frame + 1)
        label = read_parameters(reader, 'smpl_params', *one)
        posed, betas = PosedBody(body.smpl, reader.gender, ids), label['betas'][0]
        orient, transl = transform_smpl(
            label['global_orient'],
            label['transl'],
            reader.rows('T_w2c', *one),
            posed.skeleton(betas)[0],
        )
        _, vertices = posed(label['body_pose'], betas, orient, transl)
        pixels = perspective_project(vertices, reader.rows('K_fullimg', *one))[0]
        box, points = reader.rows('bbx_xys', *one)[0], reader.rows('kp2d', *one)[0]
        title = ' '.join((source.dataset.upper(), *info.splits, info.name))
        items.append((title, pixels, box, points, reader.img_wh))
    return items


def _emdb_clips(root: Path, body: StandInBody) -> list[tuple]:
    source = EMDBSource.below(root)
    return _real_clips(source, _spread(source.sequences()), body)


def _threedpw_clips(root: Path, body: StandInBody) -> list[tuple]:
    source, half = ThreeDPWSource.below(root), COLUMNS // 2
    infos = [info for part in ('test', 'train') for info in source.list_part(part)[:half]]
    return _real_clips(source, infos, body)
