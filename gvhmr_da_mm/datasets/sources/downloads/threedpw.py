"""3DPW download."""

from functools import lru_cache
from pathlib import Path
from typing import Optional

import numpy as np
import torch
from PIL import Image

from ....core.camera import box_from_points
from ....core.errors import DataError, MissingFilesError
from ....fileio.restricted_pickle import load_restricted_pickle
from ..missing_files import require_source
from ..source import Arrays, Failure, Meta, SequenceInfo, Source, signature_of
from .boxes import fill_boxes
from .feature_file import feature_path, read_features
from .raw_fields import RawFields

_HINT = 'Expected `sequenceFiles/{train,validation,test}/*.pkl` below this folder'
_SPLITS = ('train', 'validation', 'test')
_GENDERS = {'m': 'male', 'f': 'female'}
_LANDSCAPE_WH = (1920, 1080)
_PRINCIPAL_TOLERANCE = 0.1
_MIN_POINTS = 4


@lru_cache(maxsize=1)
def _read(path: Path) -> RawFields:
    """Open a sequence file; the persons of one video are converted one after another."""
    return RawFields(path, load_restricted_pickle(path))


class ThreeDPWDownload(Source):
    """Reads ``sequenceFiles/{train,validation,test}/*.pkl`` (von Marcard et al., ECCV 2018).

    The download has ``mask_raw`` (``campose_valid``) only, and no SMPL-X labels. Without features,
    boxes are drawn around its 2D points.

    Args:
        root (Path): The folder with ``sequenceFiles``, and ``imageFiles`` if there.
        features (Path, optional): Folder of ``{video}_{person}.npz``. Defaults to None.
    """

    dataset = '3dpw'
    title = '3DPW download'
    feature_name = '{video}_{person}'

    def __init__(self, root: Path, features: Optional[Path] = None) -> None:
        super().__init__()
        self.root, self.features = root, features

    def sequences(self) -> list[SequenceInfo]:
        """List one sequence per person; files that cannot be read are failures."""
        folder = self.root / 'sequenceFiles'
        require_source([folder], self.root, _HINT)
        files = [(split, path) for split in _SPLITS for path in sorted(folder.glob(f'{split}/*'))]
        files = [(split, path) for split, path in files if path.suffix == '.pkl']
        if not files:
            raise MissingFilesError(f'{folder} has no sequence. {_HINT}')
        infos = []
        for split, path in files:
            try:
                persons = len(_read(path).value('poses', list, tuple, np.ndarray))
            except (DataError, OSError) as error:
                self.failures.append(Failure.of('', path, error))
                continue
            for person in range(persons):
                name = f'{path.stem}_{person}'
                inputs = [path]
                if self.features is not None:
                    inputs.append(feature_path(self.features, name))
                facts = dict(split=split, person=person)
                infos.append(
                    SequenceInfo(name, file=path, signature=signature_of(inputs), facts=facts)
                )
        return infos

    def read(self, info: SequenceInfo) -> tuple[Arrays, Meta]:
        """Read one person of a sequence."""
        raw, person, video = _read(info.file), info.facts['person'], info.file.stem
        poses = raw.item('poses', person, None, 72)
        frames = len(poses)
        gender = raw.value('genders', list, tuple, np.ndarray)[person]
        gender = gender.decode('latin1') if isinstance(gender, bytes) else str(gender)
        if gender not in _GENDERS:
            raise raw.error(f'genders[{person}]', "'m' or 'f'", repr(gender))
        betas = raw.item('betas', person, None)
        if len(betas) < 10:
            raise raw.error(f'betas[{person}]', 'at least 10 numbers', str(len(betas)))
        K = raw.array('cam_intrinsics', 3, 3)
        observed = read_features(self.features, info.id, 0, frames)
        arrays = dict(
            observed or self._boxes(raw, person, frames),
            K_fullimg=K,
            T_w2c=raw.array('cam_poses', frames, 4, 4),
            mask_raw=raw.item('campose_valid', person, frames, dtype=bool),
        )
        parameters = dict(
            body_pose=poses[:, 3:],
            betas=np.tile(betas[:10], (frames, 1)),
            global_orient=poses[:, :3],
            transl=raw.item('trans', person, frames, 3),
        )
        arrays.update((f'smpl_params.{key}', value) for key, value in parameters.items())
        meta = dict(
            img_wh=self._image_size(raw, video, K),
            gender=_GENDERS[gender],
            splits=(info.facts['split'],),
            video=video,
            group=video,
            extra=dict(boxes='poses2d' if self.features is None else 'features'),
        )
        return arrays, meta

    def _image_size(self, raw: RawFields, video: str, K: np.ndarray) -> tuple[int, int]:
        """Return the size of the first image or, without images, the one that fits the camera."""
        image = next(iter(sorted((self.root / 'imageFiles' / video).glob('image_*.jpg'))), None)
        if image is not None:
            with Image.open(image) as picture:
                return picture.size
        size = _LANDSCAPE_WH if K[0, 2] > K[1, 2] else _LANDSCAPE_WH[::-1]
        if (np.abs(2 * K[:2, 2] / size - 1) > _PRINCIPAL_TOLERANCE).any():
            raise raw.error(
                'cam_intrinsics', f'a principal point near the middle of {size}', str(K[:2, 2])
            )
        return size

    @staticmethod
    def _boxes(raw: RawFields, person: int, frames: int) -> Arrays:
        """Return boxes around the 2D points, which are zero where the person was not found."""
        points = torch.from_numpy(raw.item('poses2d', person, frames, 3, 18)).mT
        found = points[..., 2] > 0
        observed = (found.sum(dim=1) >= _MIN_POINTS).numpy()
        boxes = np.zeros((frames, 3), np.float32)
        for frame in np.flatnonzero(observed):
            boxes[frame] = box_from_points(points[frame, found[frame], :2]).numpy()
        return dict(bbx_xys=fill_boxes(boxes, observed), observed=observed)
