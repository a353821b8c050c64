"""BEDLAM download (30 frames per second)."""

import re
import zipfile
from functools import lru_cache
from pathlib import Path
from typing import Optional

import numpy as np
import torch
from torch import Tensor

from ....body_models import get_body_model
from ....core.camera import box_from_points, clamp_depth, perspective_project, transform_smpl
from ....core.errors import DataError, MissingFilesError
from ....core.extrinsics import rotation_to_y_up
from ....core.rotation import axis_angle_to_matrix, relative_angle
from ..missing_files import require_source
from ..source import Arrays, Failure, Meta, SequenceInfo, Source, signature_of
from .feature_file import feature_path, read_features
from .raw_fields import RawFields
from .world_up import up_axis

_HINT = 'Expected `processed_labels/{scene}.npz` of the release with 30 frames per second'
_FRAME = re.compile(r'(\d+)\.\w+$')
_MIN_FRAMES = 60
_MAX_ORIENTATIONS = 2000
_MAX_SCENES = 8
_MAX_GAP_M, _MAX_ANGLE_RAD = 0.02, 0.02
_SHAPE_TOLERANCE = 1e-4


def _open(path: Path, *keys: str) -> RawFields:
    """Read some fields of a scene; nothing in the file is unpickled."""
    try:
        with np.load(path, allow_pickle=False) as content:
            return RawFields(path, {key: content[key] for key in keys or content if key in content})
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(
            f'{path} is incomplete, damaged or no npz file of plain arrays: download it '
            f'again ({error})'
        ) from error


def _names(scene: RawFields, key: str) -> np.ndarray:
    return np.asarray(scene.value(key, np.ndarray)).astype(str)


@lru_cache(maxsize=1)
def _scene(path: Path) -> RawFields:
    """Open a scene; its sequences are converted one after another."""
    return _open(path)


def _orientations(path: Path) -> Tensor:
    """Return root orientations (N, 3) in the world, spread over a scene."""
    orientations = _open(path, 'pose_world').array('pose_world', None, 165)[:, :3]
    step = max(1, len(orientations) // _MAX_ORIENTATIONS)
    return torch.from_numpy(orientations[::step].copy())


def longest_run(numbers: np.ndarray) -> tuple[int, int]:
    """Return the longest run [start, stop) of consecutive numbers in a sorted array."""
    edges = np.flatnonzero(np.diff(numbers) != 1) + 1
    starts, stops = np.r_[0, edges], np.r_[edges, len(numbers)]
    longest = int((stops - starts).argmax())
    return int(starts[longest]), int(stops[longest])


class BEDLAMDownload(Source):
    """Reads ``processed_labels/*.npz`` (Black et al., CVPR 2023).

    A sequence is one person in one video. Without gaps it is in the split ``all60``; of one with
    gaps the longest run is kept, in ``maxspan60``; shorter than 60 frames it is left out. Its
    fields are checked against each other, and the world is turned to y up where it is not.

    Args:
        root (Path): The folder with ``processed_labels``.
        features (Path, optional): Folder of ``{scene}/{video}.mp4-{person}.npz``. Defaults to
            None: no image features, boxes around the projected body.
        data_root (Path, optional): Data root, with the body models.
    """

    dataset, domain = 'bedlam', 'synthetic'
    title = 'BEDLAM download'
    needs_body = True
    feature_name = '{scene}/{video}.mp4-{person}'

    def __init__(
        self, root: Path, features: Optional[Path] = None, data_root: Optional[Path] = None
    ) -> None:
        super().__init__()
        self.root, self.features, self.data_root = root, features, data_root
        self.axis = '+y'

    def sequences(self) -> list[SequenceInfo]:
        """List one sequence per person and video; scenes that cannot be read are failures."""
        folder = self.root / 'processed_labels'
        require_source([folder], self.root, _HINT)
        files = sorted(folder.glob('*.npz'))
        if not files:
            raise MissingFilesError(f'{folder} has no npz file. {_HINT}')
        get_body_model('smplx_light', data_root=self.data_root)  # Reports missing body models once.
        infos = []
        for path in files:
            try:
                infos += self._plan_scene(path)
            except DataError as error:
                self.failures.append(Failure.of('', path, error))
        readable = list(dict.fromkeys(info.file for info in infos))
        self.axis = self._find_up(readable) if infos else '+y'
        return infos

    def _find_up(self, scenes: list[Path]) -> str:
        """Return the up axis of the release from several scenes, as in one all may lie."""
        chosen, found = scenes[:: -(-len(scenes) // _MAX_SCENES)], []
        for path in chosen:
            try:
                found.append(_orientations(path))
            except DataError as error:
                self.failures.append(Failure.of('', path, error))
        axis = up_axis(torch.cat(found)) if found else None
        if found and axis is None:
            raise DataError(
                f'{self.root}: people in {len(found)} scene(s) stand along no axis of the world '
                '(pose_world): is this the release that docs/en/packs.md names?'
            )
        return axis or '+y'

    def _plan_scene(self, path: Path) -> list[SequenceInfo]:
        fields = _open(path, 'imgname', 'sub')
        images, subjects = _names(fields, 'imgname'), _names(fields, 'sub')
        rows: dict[tuple[str, str], list[tuple[int, int]]] = {}
        for row, (image, subject) in enumerate(zip(images, subjects)):
            found = _FRAME.search(image)
            if found is None:
                raise fields.error('imgname', 'names that end with a frame number', repr(image))
            video = image.rpartition('/')[0].rpartition('/')[2]
            if not video:
                raise fields.error('imgname', 'names with the folder of the video', repr(image))
            rows.setdefault((video, subject), []).append((int(found[1]), row))
        steps = [np.diff(np.sort([n for n, _ in found])) for found in rows.values()]
        steps = np.concatenate([step for step in steps if len(step)] or [np.ones(1, int)])
        if np.median(steps) != 1:
            raise fields.error(
                'imgname',
                'consecutive frames (the release with 30 frames per second)',
                f'every {np.median(steps):g}th: the release with fewer frames',
            )
        return [
            info
            for (video, subject), found in rows.items()
            for info in self._plan_sequence(path, video, subject, found)
        ]

    def _plan_sequence(
        self, path: Path, video: str, subject: str, found: list[tuple[int, int]]
    ) -> list[SequenceInfo]:
        numbers, rows = np.array(sorted(found)).T
        start, stop = longest_run(numbers)
        if stop - start < _MIN_FRAMES:
            return []
        part = 'all60' if stop - start == len(numbers) else 'maxspan60'
        clip = f'{video}.mp4-{subject}'
        mid = f'inputs/bedlam/bedlam_download/{path.stem}/mp4/{clip}'
        name = f'{path.stem}/{clip}'
        inputs = [path]
        if self.features is not None:
            inputs.append(feature_path(self.features, name))
        facts = dict(
            mid=mid, part=part, rows=rows[start:stop], start=int(numbers[start]), name=name
        )
        return [
            SequenceInfo(f'{part}/{mid}', file=path, signature=signature_of(inputs), facts=facts)
        ]

    def read(self, info: SequenceInfo) -> tuple[Arrays, Meta]:
        """Read a sequence."""
        scene, axis = _scene(info.file), self.axis
        rows, start = info.facts['rows'], info.facts['start']

        def read(key: str, *shape: Optional[int]) -> Tensor:
            return torch.from_numpy(scene.array(key, None, *shape)[rows])

        body = get_body_model('smplx_light', data_root=self.data_root)
        betas = read('shape', None)[:, :10]
        if betas.shape[1] < 10 or (betas - betas[0]).abs().max() > _SHAPE_TOLERANCE:
            raise scene.error('shape', 'one shape of at least 10 numbers', 'one that changes')
        skeleton = body.skeleton(betas[0])
        pose_world, pose_cam = read('pose_world', 165), read('pose_cam', 165)
        T_w2c = read('cam_ext', 4, 4)
        # The stored camera-space translation lacks that of the camera.
        transl_c = read('trans_cam', 3) + T_w2c[:, :3, 3]
        orient_w, transl_w = pose_world[:, :3], read('trans_world', 3)
        self._check_camera(
            scene, (orient_w, transl_w, T_w2c), (pose_cam[:, :3], transl_c), skeleton[0]
        )
        if axis != '+y':
            turn = torch.eye(4)
            turn[:3, :3] = rotation_to_y_up(axis)
            orient_w, transl_w = transform_smpl(orient_w, transl_w, turn, skeleton[0])
            T_w2c = T_w2c @ turn.T
        shape = dict(body_pose=pose_world[:, 3:66], betas=betas)
        world = dict(shape, global_orient=orient_w, transl=transl_w)
        camera = dict(shape, global_orient=pose_cam[:, :3], transl=transl_c)
        K = read('cam_int', 3, 3)
        observed = read_features(self.features, info.facts['name'], start, start + len(rows))
        if not observed:
            points = clamp_depth(body(**camera).verts437)
            observed = dict(bbx_xys=box_from_points(perspective_project(points, K)))
        arrays = dict(
            observed,
            K_fullimg=K,
            T_w2c=T_w2c,
            skeleton=skeleton[:22],
            **{f'smplx_params.{key}': value for key, value in world.items()},
            **{f'smplx_params_incam.{key}': value for key, value in camera.items()},
        )
        video = info.facts['mid'].rpartition('-')[0]
        meta = dict(
            sequence=info.facts['mid'],
            start=start,
            splits=(info.facts['part'],),
            # The principal point is the middle of the image in these renderings.
            img_wh=tuple((2 * K[0, :2, 2]).round().int().tolist()),
            video=video,
            group=video,
            extra=dict(world_up=axis, boxes='body' if self.features is None else 'features'),
        )
        return arrays, meta

    @staticmethod
    def _check_camera(
        scene: RawFields,
        world: tuple[Tensor, Tensor, Tensor],
        camera: tuple[Tensor, Tensor],
        root: Tensor,
    ) -> None:
        """Check that labels of world and camera agree, which fails for other releases."""
        orient_w, transl_w, T_w2c = world
        orient, transl = transform_smpl(orient_w, transl_w, T_w2c, root)
        gap = (transl - camera[1]).norm(dim=-1).max()
        angle = relative_angle(axis_angle_to_matrix(orient), axis_angle_to_matrix(camera[0])).max()
        if gap > _MAX_GAP_M or angle > _MAX_ANGLE_RAD:
            raise scene.error(
                'trans_cam',
                'neutral SMPL-X labels whose world and camera agree (pose_world, trans_world, '
                'cam_ext, pose_cam, trans_cam)',
                f'{gap:.3f} m and {angle:.3f} rad between them',
            )
