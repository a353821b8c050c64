"""3DPW: real outdoor video; its world is not aligned with gravity."""

from functools import partial
from pathlib import Path
from typing import Optional, Union

from torch import Tensor

from ..body_models.loading import body_model_file
from ..core.checks import check_choice
from ..core.errors import ConfigError, DataError
from ..registry import DATASETS
from .clip import Clip
from .pack_io import PackRecord, as_frame_range, load_pack
from .real_labels import camera_training_labels, evaluation_labels, read_gender
from .real_video_dataset import RealVideoDataset
from .splits import THREEDPW_GOOD_RANGES

_HOW_TO_GET = '3DPW/hmr4d_support of the GVHMR data release (docs/en/data.md)'


@DATASETS.register_module()
class ThreeDPWDataset(RealVideoDataset):
    """3DPW (von Marcard et al., ECCV 2018).

    The published training pack has no detected keypoints (its own loader projects the labels,
    which would leak them): they come from ``preproc_train_kp2d_v0.pt`` if it exists; otherwise
    all keypoints are masked and one warning says so. With ``real_supervision='labels'`` the
    refitted SMPL-X labels supervise the camera space only, on the frames where they are good.

    Args:
        split (str): ``train`` or ``test``. Defaults to ``train``.
        mask_key (str): Which of the pack's masks says what counts in evaluation: ``mask_wham`` or
            ``mask_raw``. Defaults to ``mask_wham``.
        intrinsics (str): Defaults to ``true``.
        kwargs: As :class:`RealVideoDataset`.
    """

    TEST_SPLITS = ('test',)

    def __init__(self, *args, split: str = 'train', mask_key: str = 'mask_wham', **kwargs) -> None:
        check_choice(mask_key, ('mask_wham', 'mask_raw'), 'mask_key')
        self.mask_key = mask_key
        kwargs.setdefault('dataset', '3dpw' if split == 'test' else '3dpw_train')
        super().__init__(*args, split=split, **kwargs)

    @property
    def _folder(self) -> Path:
        return self.data_root / '3DPW' / 'hmr4d_support'

    def _pack(self, split: str) -> Path:
        return self.pack_root or self._folder / f'{split}_3dpw_gt_labels.pt'

    def _keypoints(self, split: str) -> Path:
        return self._folder / f'preproc_{split}_kp2d_v0.pt'

    @property
    def _test_boxes(self) -> Path:
        return self._folder / 'preproc_test_bbx.pt'

    @property
    def _refit(self) -> Path:
        return self.pack_root or self._folder / 'train_refit_smplx.pt'

    def _features(self, split: str) -> Path:
        name = '3dpw_train_smplx_refit' if split == 'train' else '3dpw_test'
        return self._folder / 'imgfeats' / name

    def flip_file(self, name: str) -> Path:
        """Return the published file of mirrored features."""
        return self._folder / 'imgfeats' / '3dpw_test_flip' / f'{name}.pt'

    def required_files(self) -> dict[Union[str, Path], str]:
        """Return the packs of the splits that are read, and the body models of the labels."""
        splits = ('train', 'test') if self.transductive else (self.split,)
        files = {}
        for split in splits:
            files[self._pack(split)] = _HOW_TO_GET
            if self.pack_root is None:
                files[self._features(split)] = _HOW_TO_GET
        if 'test' in splits and self.pack_root is None:
            files[self._keypoints('test')] = files[self._test_boxes] = _HOW_TO_GET
        if self.labelled_training:
            files[self._refit] = _HOW_TO_GET
        if self.test_mode and self.with_joints:
            for gender in ('male', 'female'):
                path, hint = body_model_file('smpl', gender, self.data_root)
                files[path] = hint
        return files

    def list_clips(self) -> list[dict]:
        """Return one entry per person, or per range of good labels when training on them."""
        path = self._pack(self.split)
        names = self._names(self.split)
        if self.split == 'train':
            # Persons of one video share its frames: `{video}_{person}`.
            names = self.select_subset(names, [name.rsplit('_', 1)[0] for name in names])
        self._check_mask(names)
        clips = self.list_each(names, partial(self._clips_of, split=self.split))
        if self.transductive:
            tested = self.list_each(self._names('test'), partial(self._clips_of, split='test'))
            clips += [{**clip, 'transductive': True} for clip in tested]
        if not clips:
            raise DataError(f'{path} holds no sequence of {self.split!r}')
        path = self._keypoints(self.split)
        if self.pack_root is None and not path.exists():
            self._warn_once(
                'keypoints',
                f'{path} does not exist, so its clips are used without 2D keypoints: the model '
                'sees image features and boxes only, and the reprojection loss has nothing to '
                'compare with. docs/en/data.md shows the format of the file',
            )
        return clips

    def _names(self, split: str) -> list[str]:
        pack = load_pack(self._pack(split))
        if self.pack_root is None:
            return list(pack)
        return [name for name, entry in pack.entries.items() if split in entry.splits]

    def _check_mask(self, names: list[str]) -> None:
        if self.pack_root is None or not self.test_mode:
            return
        entries = load_pack(self.pack_root).entries
        lacking = [name for name in names if self.mask_key not in entries[name].arrays]
        if lacking:
            raise ConfigError(
                f'{self.pack_root} has no `{self.mask_key}` for {len(lacking)} of {len(names)} '
                f'sequences, such as {lacking[0]!r}. The raw data set has `mask_raw` only: set '
                'mask_key=mask_raw, and say so with your results'
            )

    def _clips_of(self, name: str, split: str) -> list[dict]:
        frames = len(PackRecord.of(self._pack(split), name).tensor('T_w2c', 'F 4 4'))
        ranges = ((0, frames),)
        if self.labelled_training:
            refit = PackRecord.of(self._refit, name)
            key = 'valid_range_list' if self.pack_root is None else 'valid_ranges'
            stored = refit.value(key, list, tuple)
            pairs = [as_frame_range(limits, refit, key) for limits in stored]
            ranges = THREEDPW_GOOD_RANGES.get(name, pairs)
        return [
            dict(sequence=name, start=start, end=min(end, frames), split=split)
            for start, end in ranges
            if start < frames
        ]

    def clip_files(self, clips: list[dict]) -> dict[Union[str, Path], str]:
        """Return the missing feature files."""
        names = {clip['sequence']: clip['split'] for clip in clips}
        missing: dict[Union[str, Path], str] = {}
        if self.pack_root is None:
            files = [self._features(split) / f'{name}.pt' for name, split in names.items()]
            missing = {path: _HOW_TO_GET for path in files if not path.exists()}
        hint = f'{_HOW_TO_GET}; or set flip_test=False'
        return {**missing, **self.missing_flip_files(list(names), hint)}

    def read_inputs(self, info: dict, start: int, end: int) -> Clip:
        """Read boxes, keypoints, features and camera; never a label."""
        name, split = info['sequence'], info['split']
        record = PackRecord.of(self._pack(split), name)
        frames = len(record.tensor('T_w2c', 'F 4 4'))
        img_wh = record.image_size()
        features = boxes = record
        if self.pack_root is None:
            features = PackRecord.read(self._features(split) / f'{name}.pt', name)
            boxes = PackRecord.of(self._test_boxes, name) if split == 'test' else features
        clip = Clip(
            sequence=name,
            start=start,
            end=end,
            img_wh=img_wh,
            bbx_xys=boxes.rows('bbx_xys', 'F 3', start, end, F=frames),
            K_fullimg=self.choose_intrinsics(record, img_wh),
            R_w2c=record.rows('T_w2c', 'F 4 4', start, end)[:, :3, :3],
            f_imgseq=self.observed_rows(features, 'features', 'F 1024', start, end, F=frames),
            kp2d=self._read_keypoints(name, split, start, end, frames),
        )
        flip = self.read_flip(name)
        if flip is not None:
            clip.flip_f_imgseq = flip.rows('features', 'F 1024', start, end, F=frames)
            clip.flip_bbx_xys = flip.rows('bbx_xys', 'F 3', start, end, F=frames)
        return clip

    def _read_keypoints(
        self, name: str, split: str, start: int, end: int, frames: int
    ) -> Optional[Tensor]:
        if self.pack_root is not None:
            record = PackRecord.of(self.pack_root, name)
            return self.observed_rows(record, 'kp2d', 'F 17 3', start, end)
        path = self._keypoints(split)
        if not path.exists():
            return None
        record = PackRecord(path, name, {'kp2d': load_pack(path).get(name)})
        return record.rows('kp2d', 'F 17 3', start, end, F=frames)

    @property
    def conditions(self) -> dict[str, str]:
        """How test items are made."""
        return dict(super().conditions, mask=self.mask_key)

    def read_test_labels(self, info: dict, start: int, end: int) -> tuple[dict, Tensor, str]:
        """Read gendered SMPL in the dataset's world."""
        record = PackRecord.of(self._pack(info['split']), info['sequence'])
        mask = record.rows(self.mask_key, 'F', start, end).bool()
        labels = evaluation_labels(record, start, end, mask, self.data_root, self.with_joints)
        return labels, mask, read_gender(record)

    def read_train_labels(self, info: dict, start: int, end: int) -> tuple[dict, str]:
        """Read refitted SMPL-X in the camera."""
        record = PackRecord.of(self._refit, info['sequence'])
        return camera_training_labels(record, start, end), 'camera'
