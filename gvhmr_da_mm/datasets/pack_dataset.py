"""Any pack of our own as a dataset: a folder of one's own videos as the real domain."""

from pathlib import Path
from typing import Optional, Union

from ..core.camera import estimate_intrinsics
from ..core.checks import check_choice
from ..core.errors import ConfigError, DataError
from ..registry import DATASETS
from .clip import Clip
from .motion_dataset import MotionDataset
from .pack_io import PackRecord, load_pack
from .packs.training_labels import world_training_labels
from .splits import SUBSETS, holdout

_HOW_TO_GET = 'a pack of tools/dataset_converters (docs/en/packs.md)'


@DATASETS.register_module()
class PackDataset(MotionDataset):
    """Sequences of one of our own packs, without labels unless ``supervision='labels'``.

    Labels are not opened otherwise, even if the pack has some. In ``test_mode`` items are whole
    sequences without labels, for prediction.

    Args:
        pack (str | Path): The pack, below the data root or absolute.
        dataset (str): Name in samples. Defaults to ``video``.
        domain (str): ``real`` or ``synthetic``. Defaults to ``real``.
        split (str, optional): Only sequences of this split. Defaults to None: all.
        supervision (str): ``none``, or ``labels``: neutral SMPL-X in a y-up world, as packs of
            BEDLAM have. Defaults to ``none``.
        subset (str): ``all``; ``fit`` and ``val`` share the sequences by their group. Defaults to
            ``all``.
        holdout_every (int): One of this many groups is in ``val``. Defaults to 4.
        intrinsics (str): ``true`` (those of the pack), or ``estimated`` (focal length = image
            diagonal). Defaults to ``true``.
        flip_test (bool): Whether test items carry the mirrored inputs; those of sequences without
            mirrored features do not. Defaults to False.
        kwargs: As :class:`MotionDataset`.
    """

    def __init__(
        self,
        *args,
        pack: Union[str, Path],
        dataset: str = 'video',
        domain: str = 'real',
        split: Optional[str] = None,
        supervision: str = 'none',
        subset: str = 'all',
        holdout_every: int = 4,
        intrinsics: str = 'true',
        flip_test: bool = False,
        **kwargs,
    ) -> None:
        check_choice(supervision, ('none', 'labels'), 'supervision')
        check_choice(subset, SUBSETS, 'subset')
        check_choice(intrinsics, ('true', 'estimated'), 'intrinsics')
        test_mode = kwargs.get('test_mode', False)
        if test_mode and supervision == 'labels':
            raise ConfigError('supervision="labels" is for training: test items have no labels')
        if flip_test and not test_mode:
            raise ConfigError('flip_test belongs to test items; for training use flip_features')
        if holdout_every < 2:
            raise ConfigError(f'`holdout_every` should be at least 2, got {holdout_every}')
        self.split, self.supervision = split, supervision
        self.subset, self.holdout_every = subset, holdout_every
        self.intrinsics, self.flip_test = intrinsics, flip_test
        super().__init__(*args, pack=pack, dataset=dataset, domain=domain, **kwargs)

    @property
    def labelled_training(self) -> bool:
        """Whether training items carry 3D labels."""
        return self.supervision == 'labels'

    @property
    def _root(self) -> Path:
        return self.data_root / self.pack

    def required_files(self) -> dict[Union[str, Path], str]:
        """Return the pack."""
        return {self._root: _HOW_TO_GET}

    def list_clips(self) -> list[dict]:
        """Return one entry per sequence of the split and subset."""
        entries = load_pack(self._root).entries
        names = [n for n, e in entries.items() if self.split is None or self.split in e.splits]
        if not names:
            known = sorted({split for entry in entries.values() for split in entry.splits})
            raise DataError(
                f'{self._root} has no sequence of split {self.split!r}; its splits are {known}'
            )
        groups = [entries[name].group for name in names]
        chosen = holdout(names, groups, self.subset, self.holdout_every)
        if not chosen:
            raise ConfigError(
                f'{self.dataset}: subset={self.subset!r} is empty, as there are only '
                f'{len(set(groups))} group(s)'
            )
        unlabelled = [name for name in chosen if 'smplx_params.transl' not in entries[name].arrays]
        if self.supervision == 'labels' and unlabelled:
            raise DataError(
                f'{self._root}: {len(unlabelled)} of {len(chosen)} sequences have no SMPL-X '
                f'labels, such as {unlabelled[0]!r}'
            )
        self._tell_absent([entries[name] for name in chosen])
        return [self._clip_info(entries[name]) for name in chosen]

    @staticmethod
    def _clip_info(entry) -> dict:
        stop = entry.start + entry.frames
        return dict(id=entry.id, sequence=entry.sequence, start=entry.start, end=stop)

    def _tell_absent(self, entries: list) -> None:
        for array, what in (('kp2d', '2D keypoints'), ('features', 'image features')):
            lacking = sum(array not in entry.arrays for entry in entries)
            if lacking:
                text = f'{lacking} of {len(entries)} sequences of {self._root} have no {what}'
                self._warn_once(array, f'{text} and are used without them')

    def read_clip(self, info: dict, start: int, end: int) -> Clip:
        """Read frames of a sequence; labels only if they are asked for."""
        record = PackRecord.of(self._root, info['id'])
        entry = load_pack(self._root).entries[info['id']]
        window = (start, end, entry.start)
        clip = Clip(
            sequence=entry.sequence,
            start=start,
            end=end,
            img_wh=entry.img_wh,
            bbx_xys=record.rows('bbx_xys', 'F 3', *window),
            K_fullimg=self._intrinsics(record, entry, window),
            R_w2c=self._rotations(record, entry, window),
            f_imgseq=self._optional(record, 'features', 'F 1024', window),
            kp2d=self._optional(record, 'kp2d', 'F 17 3', window),
            static_camera=entry.static_camera,
            conditions=dict(intrinsics=self.intrinsics) if self.test_mode else None,
        )
        if clip.kp2d is not None and 'observed' in record:
            clip.kp2d[..., 2] *= record.rows('observed', 'F', *window)[:, None]
        if self.flip_test or self.flip_features:
            clip.flip_f_imgseq = self._optional(record, 'flip_features', 'F 1024', window)
            clip.flip_bbx_xys = self._optional(record, 'flip_bbx_xys', 'F 3', window)
        if self.supervision == 'labels':
            T_w2c = record.rows('T_w2c', 'F 4 4', *window)
            clip.labels = world_training_labels(record, T_w2c, *window)
            clip.supervision = 'full'
        return clip

    @staticmethod
    def _optional(record: PackRecord, key: str, pattern: str, window: tuple):
        return record.rows(key, pattern, *window) if key in record else None

    def _intrinsics(self, record: PackRecord, entry, window: tuple):
        if self.intrinsics == 'estimated':
            return estimate_intrinsics(*entry.img_wh)
        if record.value('K_fullimg').ndim == 2:
            return record.tensor('K_fullimg', '3 3').clone()
        return record.rows('K_fullimg', 'F 3 3', *window)

    @staticmethod
    def _rotations(record: PackRecord, entry, window: tuple):
        start, end, _ = window
        if 'R_w2c' in record:
            return record.rows('R_w2c', 'F 3 3', *window)
        if record.value('T_w2c').ndim == 2:
            return record.tensor('T_w2c', '4 4')[:3, :3].clone().expand(end - start, 3, 3)
        return record.rows('T_w2c', 'F 4 4', *window)[:, :3, :3]
