"""Base of the real datasets: unlabelled for training, labelled for evaluation."""

from pathlib import Path
from typing import Optional, Union

from torch import Tensor

from ..core.camera import estimate_intrinsics
from ..core.checks import check_choice
from ..core.errors import ConfigError, DataError
from .clip import Clip
from .motion_dataset import MotionDataset
from .pack_io import PackRecord, load_pack
from .splits import SUBSETS, holdout


class RealVideoDataset(MotionDataset):
    """Real video: training clips carry no labels unless ``real_supervision='labels'``.

    Labels of training clips are not read at all by default, so they cannot reach a loss. The masks
    of good label frames are labels too: unlabelled training clips use all frames.

    Args:
        split (str): ``train`` or one of the dataset's test splits.
        real_supervision (str): ``none``, or ``labels`` for training on 3D labels. Defaults to
            ``none``.
        subset (str): Of the training split: ``all``; ``fit`` and ``val`` share it by video, so
            that choices (thresholds, schedules) need no test clip. ``val`` items have the form of
            test items. Defaults to ``all``.
        holdout_every (int): One of this many videos is in ``val``. Defaults to 4.
        transductive (bool): Whether training adds the test clips' inputs, never their labels; it
            is noted in the meta information. Defaults to False.
        intrinsics (str): ``true``, or ``estimated`` (focal length = image diagonal).
        flip_test (bool): Whether test items carry the mirrored inputs. Defaults to False.
        with_joints (bool): Whether test items carry ``lifting_target``, which needs the SMPL
            models. Defaults to True.
        kwargs: As :class:`MotionDataset`.
    """

    TEST_SPLITS: tuple[str, ...] = ()
    camera = 'true'
    """Where the camera's rotation comes from."""

    def __init__(
        self,
        *args,
        dataset: str,
        split: str = 'train',
        real_supervision: str = 'none',
        subset: str = 'all',
        holdout_every: int = 4,
        transductive: bool = False,
        intrinsics: str = 'true',
        flip_test: bool = False,
        with_joints: bool = True,
        **kwargs,
    ) -> None:
        check_choice(split, ('train', *self.TEST_SPLITS), 'split')
        check_choice(real_supervision, ('none', 'labels'), 'real_supervision')
        check_choice(subset, SUBSETS, 'subset')
        check_choice(intrinsics, ('true', 'estimated'), 'intrinsics')
        test_mode = split != 'train' or subset == 'val'
        if split != 'train' and (real_supervision != 'none' or subset != 'all' or transductive):
            raise ConfigError(
                f'split={split!r} is a test split: real_supervision, subset and transductive '
                'belong to the training split'
            )
        if transductive and (real_supervision == 'labels' or subset == 'val'):
            raise ConfigError(
                'transductive=True adds unlabelled test clips to the training split: it goes '
                "neither with real_supervision='labels' nor with subset='val'"
            )
        if flip_test and not test_mode:
            raise ConfigError(
                f'flip_test belongs to test items, but split={split!r} and subset={subset!r} give '
                'training items; for those use flip_features'
            )
        if kwargs.pop('test_mode', test_mode) != test_mode:
            raise ConfigError(f'test_mode follows from split and subset: here it is {test_mode}')
        if holdout_every < 2:
            raise ConfigError(f'`holdout_every` should be at least 2, got {holdout_every}')
        self.split, self.subset, self.holdout_every = split, subset, holdout_every
        self.real_supervision, self.transductive = real_supervision, transductive
        self.intrinsics, self.flip_test, self.with_joints = intrinsics, flip_test, with_joints
        metainfo = dict(transductive=transductive, split=split, subset=subset)
        metainfo.update(kwargs.pop('metainfo', None) or {})
        super().__init__(
            *args,
            dataset=dataset,
            domain='real',
            test_mode=test_mode,
            metainfo=metainfo,
            **kwargs,
        )

    @property
    def labelled_training(self) -> bool:
        """Whether training items carry 3D labels."""
        return not self.test_mode and self.real_supervision == 'labels'

    # -- to be written by a subclass --------------------------------------------------------------

    def read_inputs(self, info: dict, start: int, end: int) -> Clip:
        """Read everything but labels."""
        raise NotImplementedError

    def read_test_labels(self, info: dict, start: int, end: int) -> tuple[dict, Tensor, str]:
        """Return the labels of a test item, the mask of frames that count, and the gender."""
        raise NotImplementedError

    def read_train_labels(self, info: dict, start: int, end: int) -> tuple[dict, str]:
        """Return the labels of a supervised training item and the kind of supervision."""
        raise NotImplementedError

    def flip_file(self, name: str) -> Path:
        """Return the published file with the features of a sequence's mirrored images."""
        raise NotImplementedError

    # ---------------------------------------------------------------------------------------------

    def read_clip(self, info: dict, start: int, end: int) -> Clip:
        """Read a clip, with labels only for a test item or for ``real_supervision='labels'``."""
        clip = self.read_inputs(info, start, end)
        clip.transductive = bool(info.get('transductive', False))
        if self.test_mode:
            clip.conditions = self.conditions
            clip.labels, mask, clip.gender = self.read_test_labels(info, start, end)
            if clip.kp2d is not None:
                clip.kp2d[..., 2] *= mask[:, None]
        elif self.labelled_training:
            clip.labels, clip.supervision = self.read_train_labels(info, start, end)
        return clip

    def load_data_list(self) -> list[dict]:
        """List the clips, and say once what those of our own pack lack."""
        clips = super().load_data_list()
        if self.pack_root is not None:
            entries = load_pack(self.pack_root).entries
            names = dict.fromkeys(clip['sequence'] for clip in clips)
            for array, what in (('kp2d', '2D keypoints'), ('features', 'image features')):
                lacking = sum(array not in entries[name].arrays for name in names)
                if lacking:
                    text = f'{lacking} of {len(names)} sequences of {self.pack_root} have no {what}'
                    self._warn_once(array, f'{text} and are used without them')
        return clips

    def observed_rows(
        self, record: PackRecord, key: str, pattern: str, start: int, end: int, **sizes: int
    ) -> Optional[Tensor]:
        """Read what our own packs may lack; published files must have it."""
        if self.pack_root is not None and key not in record:
            return None
        return record.rows(key, pattern, start, end, **sizes)

    def select_subset(self, names: list[str], groups: list[str]) -> list[str]:
        """Apply ``subset`` to the names of the training split."""
        selected = holdout(names, groups, self.subset, self.holdout_every)
        if names and not selected:
            raise ConfigError(
                f'{self.dataset}: subset={self.subset!r} is empty, as the training split has only '
                f'{len(set(groups))} video(s)'
            )
        return selected

    def choose_intrinsics(self, record: PackRecord, img_wh: tuple[int, int]) -> Tensor:
        """Return K (3, 3): the stored one, or the estimate from the image's size."""
        if self.intrinsics == 'estimated':
            return estimate_intrinsics(*img_wh)
        return record.matrix('K_fullimg', '3 3')

    @property
    def conditions(self) -> dict[str, str]:
        """How test items are made, for protocols: options that change the numbers."""
        return dict(intrinsics=self.intrinsics, camera_rotation=self.camera)

    def missing_flip_files(self, names: list[str], hint: str) -> dict[Union[str, Path], str]:
        """Return the files of mirrored features that ``flip_test`` needs and that do not exist.

        Raises:
            DataError: If our own pack has sequences without them.
        """
        if not self.flip_test:
            return {}
        if self.pack_root is None:
            return {path: hint for path in map(self.flip_file, names) if not path.exists()}
        entries = load_pack(self.pack_root).entries
        lacking = [name for name in names if 'flip_features' not in entries[name].arrays]
        if lacking:
            raise DataError(
                f'{self.pack_root}: {len(lacking)} of {len(names)} sequences have no features of '
                f'the mirrored images, such as {lacking[0]!r}: convert with features that have '
                'them, or set flip_test=False'
            )
        return {}

    def read_flip(self, name: str) -> Optional[PackRecord]:
        """Open the features and boxes of the mirrored images, where they are wanted."""
        if self.pack_root is None:
            path = self.flip_file(name)
            wanted = self.flip_test or (self.flip_features and path.exists())
            return PackRecord.read(path, name) if wanted else None
        if not (self.flip_test or self.flip_features):
            return None
        record = PackRecord.of(self.pack_root, name)
        wanted = self.flip_test or 'flip_features' in record
        return record.with_prefix('flip_') if wanted else None
