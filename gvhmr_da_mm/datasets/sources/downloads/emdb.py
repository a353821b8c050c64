"""EMDB download."""

from pathlib import Path
from typing import Optional

import numpy as np
import torch

from ....core.camera import box_from_xyxy
from ....core.errors import DataError, MissingFilesError
from ....fileio.restricted_pickle import load_restricted_pickle
from ...splits import emdb_splits
from ..missing_files import require_source
from ..source import Arrays, Failure, Meta, SequenceInfo, Source, signature_of
from .boxes import fill_boxes
from .feature_file import feature_path, read_features
from .raw_fields import RawFields
from .world_up import up_axis

_HINT = 'Expected `P0/09_outdoor_walk/P0_09_outdoor_walk_data.pkl` and so on below this folder'
_DATA_SUFFIX = '_data.pkl'
_MIN_SEQUENCES_FOR_UP = 5
"""Fewer sequences do not determine the up axis."""


class EMDBDownload(Source):
    """Reads ``P*/*/P*_data.pkl`` of EMDB (Kaufmann et al., ICCV 2023).

    Its 2D joints are projected labels and are not read: keypoints come from ``features`` only.
    Without features, its boxes are used.

    Args:
        root (Path): The folder with ``P0`` to ``P9``.
        features (Path, optional): Folder of ``{name}.npz``. Defaults to None.
    """

    dataset = 'emdb'
    title = 'EMDB download'
    feature_name = '{name}'

    def __init__(self, root: Path, features: Optional[Path] = None) -> None:
        super().__init__()
        self.root, self.features = root, features

    def sequences(self) -> list[SequenceInfo]:
        """List one sequence per data file; folders without one are failures."""
        require_source([self.root], self.root, _HINT)
        files = sorted(self.root.glob(f'P*/*/P*{_DATA_SUFFIX}'))
        if not files:
            require_source([self.root / 'P0'], self.root, _HINT)
            raise MissingFilesError(f'{self.root} has no sequence. {_HINT}')
        for folder in sorted({path for path in self.root.glob('P*/*') if path.is_dir()}):
            if not any(folder.glob(f'P*{_DATA_SUFFIX}')):
                error = DataError(
                    f'{folder} has no file P*{_DATA_SUFFIX}: unpack its archive again'
                )
                self.failures.append(Failure.of('', folder, error))
        self._check_up(files)
        infos = []
        for path in files:
            name = path.name[: -len(_DATA_SUFFIX)]
            inputs = [path]
            if self.features is not None:
                inputs.append(feature_path(self.features, name))
            infos.append(SequenceInfo(name, file=path, signature=signature_of(inputs)))
        return infos

    def _check_up(self, files: list[Path]) -> None:
        """Check that y is up over all sequences, as in one the person may lie."""
        found = []
        for path in files:
            try:
                smpl = RawFields(path, load_restricted_pickle(path)).nested('smpl')
                found.append(torch.from_numpy(smpl.array('poses_root', None, 3)))
            except (DataError, OSError):
                continue  # reported when the sequence is converted
        axis = up_axis(torch.cat(found)) if len(found) >= _MIN_SEQUENCES_FOR_UP else None
        if axis not in (None, '+y'):
            raise DataError(
                f'{self.root}: people stand along {axis} of the world (smpl.poses_root), expected '
                '+y: is this the version of EMDB that docs/en/packs.md names?'
            )

    def read(self, info: SequenceInfo) -> tuple[Arrays, Meta]:
        """Read a sequence."""
        raw = RawFields(info.file, load_restricted_pickle(info.file))
        name, frames = info.id, int(raw.value('n_frames', int, np.integer))
        if raw.text('name') != name:
            raise raw.error('name', repr(name), repr(raw.text('name')))
        camera, smpl = raw.nested('camera'), raw.nested('smpl')
        observed = read_features(self.features, name, 0, frames) or self._own_boxes(raw, frames)
        arrays = dict(
            observed,
            K_fullimg=camera.array('intrinsics', 3, 3),
            T_w2c=camera.array('extrinsics', frames, 4, 4),
            mask=raw.array('good_frames_mask', frames, dtype=bool),
        )
        parameters = dict(
            body_pose=smpl.array('poses_body', frames, 69),
            betas=np.tile(smpl.array('betas', 10), (frames, 1)),
            global_orient=smpl.array('poses_root', frames, 3),
            transl=smpl.array('trans', frames, 3),
        )
        arrays.update((f'smpl_params.{key}', value) for key, value in parameters.items())
        meta = dict(
            img_wh=(int(camera.value('width')), int(camera.value('height'))),
            gender=raw.text('gender'),
            splits=self._splits(raw, name),
            video=name,
            extra=dict(boxes='data set' if self.features is None else 'features'),
        )
        return arrays, meta

    @staticmethod
    def _splits(raw: RawFields, name: str) -> tuple[str, ...]:
        """Return the splits by name, after checking the flags of the file."""
        splits = emdb_splits(name)
        for split in ('emdb1', 'emdb2'):
            if bool(raw.value(split)) != (split in splits):
                raise raw.error(split, str(split in splits), str(bool(raw.value(split))))
        return splits

    @staticmethod
    def _own_boxes(raw: RawFields, frames: int) -> Arrays:
        boxes = raw.nested('bboxes')
        xyxy = torch.from_numpy(boxes.array('bboxes', frames, 4))
        observed = np.ones(frames, dtype=bool)
        observed[boxes.array('invalid_idxs', None, dtype=int)] = False
        observed &= xyxy.isfinite().all(dim=1).numpy()
        observed &= (xyxy[:, 2:] > xyxy[:, :2]).all(dim=1).numpy()
        bbx_xys = fill_boxes(box_from_xyxy(xyxy).numpy(), observed)
        return dict(bbx_xys=bbx_xys, observed=observed)
