"""BEDLAM: rendered people with exact labels, the synthetic source."""

import os
from functools import partial
from pathlib import Path
from typing import Union

from torch import Tensor

from ..core.conventions import GRAVITY_Y_UP
from ..core.errors import ConfigError, DataError
from ..core.gravity_view import gravity_view_rotation
from ..core.layout import NUM_JOINTS
from ..registry import DATASETS
from .clip import Clip
from .motion_dataset import MotionDataset
from .pack_io import PackRecord, load_pack
from .packs.training_labels import world_training_labels

_PARTS = ('all60', 'maxspan60')
_HOW_TO_GET = 'BEDLAM/hmr4d_support of the GVHMR data release (docs/en/data.md)'
_HOW_TO_CONVERT = 'a pack of tools/dataset_converters (docs/en/packs.md)'
_MAX_LISTED = 20


def feature_file(mid: str) -> str:
    """Return the feature file, relative to its folder, of a BEDLAM sequence id.

    ``inputs/bedlam/bedlam_download/{scene}/mp4/{clip}`` has its features in ``{scene}/{clip}.pt``.

    Raises:
        DataError: If the id has another form.
    """
    parts = mid.split('/')
    if len(parts) < 3:
        raise DataError(
            f'the BEDLAM sequence {mid!r} should be named `.../scene/mp4/clip`, which says where '
            'its features are'
        )
    return f'{parts[-3]}/{parts[-1]}.pt'


@DATASETS.register_module()
class BEDLAMDataset(MotionDataset):
    """BEDLAM clips as published with GVHMR (Black et al., CVPR 2023), fully supervised.

    There are no detected keypoints (``has_kp2d`` is False): the model makes its observations from
    the labels, which are the clip's own.

    Args:
        parts (Sequence[str]): Which lists of clips: ``all60`` and ``maxspan60``. Defaults to both.
        kwargs: As :class:`MotionDataset`.
    """

    def __init__(self, *args, parts: tuple[str, ...] = _PARTS, **kwargs) -> None:
        self.parts = tuple(parts)
        unknown = sorted(set(self.parts) - set(_PARTS))
        if unknown or not self.parts:
            raise ConfigError(f'`parts` should name some of {_PARTS}, got {self.parts}')
        if kwargs.get('test_mode'):
            raise ConfigError('BEDLAMDataset is for training: it has no test_mode')
        options = dict(dataset='bedlam', domain='synthetic', list_long_clips_often=False)
        super().__init__(*args, **{**options, **kwargs})

    @property
    def _folder(self) -> Path:
        return self.data_root / 'BEDLAM' / 'hmr4d_support'

    @property
    def _labels(self) -> Path:
        return self._folder / 'smplpose_v2.pth'

    def _ranges(self, part: str) -> Path:
        return self._folder / f'mid_to_valid_range_{part}.pt'

    def _features(self, part: str) -> Path:
        return self._folder / 'imgfeats' / f'bedlam_{part}'

    def required_files(self) -> dict[Union[str, Path], str]:
        """Return the label pack, the lists of clips and the feature folders."""
        if self.pack_root is not None:
            return {self.pack_root: _HOW_TO_CONVERT}
        files = {self._labels: _HOW_TO_GET}
        for part in self.parts:
            files[self._ranges(part)] = files[self._features(part)] = _HOW_TO_GET
        return files

    def list_clips(self) -> list[dict]:
        """Return one entry per listed clip."""
        if self.pack_root is not None:
            return self._list_pack(self.pack_root)
        labels = load_pack(self._labels)

        def clips_of(mid: str, part: str) -> list[dict]:
            path = self._ranges(part)
            if mid not in labels:
                raise DataError(
                    f'{path} lists the sequence `{mid}`, which is not among the {len(labels)} of '
                    f'{self._labels}; the files of a dataset must come from the same release'
                )
            ranges = PackRecord(path, mid, load_pack(path))
            start, end = ranges.frame_range(mid)
            return [dict(sequence=mid, start=start, end=end, part=part)]

        clips = []
        for part in self.parts:
            clips += self.list_each(load_pack(self._ranges(part)), partial(clips_of, part=part))
        return clips

    def _list_pack(self, root: Path) -> list[dict]:
        entries = load_pack(root).entries.values()
        return [
            dict(
                sequence=entry.sequence,
                start=entry.start,
                end=entry.start + entry.frames,
                part=part,
                id=entry.id,
            )
            for part in self.parts
            for entry in entries
            if part in entry.splits
        ]

    def clip_files(self, clips: list[dict]) -> dict[Union[str, Path], str]:
        """Return the feature files that are missing; each folder is listed only once."""
        if self.pack_root is not None:
            return {}
        listed: dict[Path, set[str]] = {}
        missing = []
        for clip in clips:
            path = self._features(clip['part']) / feature_file(clip['sequence'])
            if path.parent not in listed:
                folder = path.parent
                listed[folder] = set(os.listdir(folder)) if folder.is_dir() else set()
            if path.name not in listed[path.parent]:
                missing.append(path)
        total = f'({len(missing)} of {len(clips)} feature files are missing)'
        return {path: f'{_HOW_TO_GET} {total}' for path in missing[:_MAX_LISTED]}

    def read_clip(self, info: dict, start: int, end: int) -> Clip:
        """Read a window: labels by frame, features by frame relative to their first."""
        if self.pack_root is not None:
            return self._read_pack_clip(self.pack_root, info, start, end)
        mid = info['sequence']
        path = self._features(info['part']) / feature_file(mid)
        features = PackRecord.read(path, mid)
        first = features.frame_range('start_end')[0]
        img_wh = features.image_size()
        boxes = features.rows('bbx_xys', 'F 3', start, end, first)
        f_imgseq = features.rows('features', 'F 1024', start, end, first)

        labels = PackRecord.of(self._labels, mid)
        T_w2c = labels.rows('cam_ext', 'F 4 4', start, end)
        return Clip(
            sequence=mid,
            start=start,
            end=end,
            img_wh=img_wh,
            bbx_xys=boxes,
            K_fullimg=labels.rows('cam_int', 'F 3 3', start, end),
            R_w2c=T_w2c[:, :3, :3],
            f_imgseq=f_imgseq,
            labels=self._read_labels(labels, T_w2c, start, end),
            supervision='full',
        )

    @staticmethod
    def _read_pack_clip(root: Path, info: dict, start: int, end: int) -> Clip:
        record = PackRecord.of(root, info['id'])
        first = record.value('start', int)
        T_w2c = record.rows('T_w2c', 'F 4 4', start, end, first)
        has_features = 'features' in record
        return Clip(
            sequence=info['sequence'],
            start=start,
            end=end,
            img_wh=record.image_size(),
            bbx_xys=record.rows('bbx_xys', 'F 3', start, end, first),
            K_fullimg=record.rows('K_fullimg', 'F 3 3', start, end, first),
            R_w2c=T_w2c[:, :3, :3],
            f_imgseq=(
                record.rows('features', 'F 1024', start, end, first) if has_features else None
            ),
            labels=world_training_labels(record, T_w2c, start, end, first),
            supervision='full',
        )

    @staticmethod
    def _read_labels(labels: PackRecord, T_w2c: Tensor, start: int, end: int) -> dict[str, Tensor]:
        labels.tensor('skeleton', f'{NUM_JOINTS} 3')
        pose = labels.rows('pose', 'F 66', start, end)
        betas = labels.matrix('beta', '10')
        return dict(
            body_pose=pose[:, 3:],
            betas=betas.expand(end - start, -1),
            global_orient_c=labels.rows('global_orient_incam', 'F 3', start, end),
            # The stored translation lacks that of the camera.
            transl_c=labels.rows('trans_incam', 'F 3', start, end) + T_w2c[:, :3, 3],
            global_orient_w=pose[:, :3],
            transl_w=labels.rows('trans', 'F 3', start, end),
            R_c2gv=gravity_view_rotation(T_w2c[:, :3, :3], GRAVITY_Y_UP),
        )
