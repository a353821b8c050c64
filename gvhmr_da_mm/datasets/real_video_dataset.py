"""Base of the real datasets: unlabelled for training, labelled for evaluation."""

from collections.abc import Sequence
from pathlib import Path
from typing import Union

from ..body_models.loading import body_model_file
from ..core.checks import check_choice
from ..core.errors import ConfigError, DataError
from .clip import Clip
from .clip_table import ClipTable
from .labels import evaluation_labels
from .source_dataset import SourceDataset
from .sources import SequenceInfo, SequenceReader


class RealVideoDataset(SourceDataset):
    """Real video: training clips carry no labels unless ``real_supervision='labels'``.

    Labels of training clips are not read at all by default, so they cannot reach a loss. The masks
    of good label frames are labels too: unlabelled training clips use all frames.

    Args:
        split (str): ``train`` or one of the dataset's test splits.
        real_supervision (str): ``none``, or ``labels`` for training on 3D labels. Defaults to
            ``none``.
        subset (str): Of the training split: ``all``; ``fit`` and ``val`` share it by video, so
            that hyperparameters can be chosen without test clips. ``val`` items have the form of
            test items. Defaults to ``all``.
        transductive (bool): Whether training adds the test clips' inputs, never their labels; it
            is noted in the meta information. Defaults to False.
        with_joints (bool): Whether test items carry ``lifting_target``, which needs the body
            models. Defaults to True.
        kwargs: As :class:`SourceDataset`.
    """

    TEST_SPLITS: tuple[str, ...] = ()
    body_model = 'smpl'
    """Body model of the labels."""
    camera = 'true'
    """Source of the camera's rotation: ``true``, or an estimate."""
    mask_key = 'mask'
    """Name of the mask of frames that evaluation uses."""
    flip_is_required = True

    def __init__(
        self,
        *args,
        dataset: str,
        split: str = 'train',
        real_supervision: str = 'none',
        subset: str = 'all',
        transductive: bool = False,
        with_joints: bool = True,
        **kwargs,
    ) -> None:
        check_choice(split, ('train', *self.TEST_SPLITS), 'split')
        check_choice(real_supervision, ('none', 'labels'), 'real_supervision')
        test_mode = split != 'train' or subset == 'val'
        training_only = (
            real_supervision != 'none' or subset != 'all' or transductive or kwargs.get('exclude')
        )
        if split != 'train' and training_only:
            raise ConfigError(
                f'split={split!r} is a test split: real_supervision, subset, exclude and '
                'transductive belong to the training split'
            )
        if transductive and (real_supervision == 'labels' or subset == 'val'):
            raise ConfigError(
                'transductive=True adds unlabelled test clips to the training split: it goes '
                "neither with real_supervision='labels' nor with subset='val'"
            )
        if kwargs.pop('test_mode', test_mode) != test_mode:
            raise ConfigError(f'test_mode follows from split and subset: here it is {test_mode}')
        self.split, self.with_joints = split, with_joints
        self.real_supervision, self.transductive = real_supervision, transductive
        metainfo = dict(transductive=transductive, split=split, subset=subset)
        metainfo.update(kwargs.pop('metainfo', None) or {})
        super().__init__(
            *args,
            dataset=dataset,
            domain='real',
            subset=subset,
            test_mode=test_mode,
            metainfo=metainfo,
            **kwargs,
        )

    @property
    def labelled_training(self) -> bool:
        """Whether training items carry 3D labels."""
        return not self.test_mode and self.real_supervision == 'labels'

    # -- to be written by a subclass --------------------------------------------------------------

    def label_ranges(self, reader: SequenceReader) -> list[tuple[int, int]]:
        """Return the frames (start, end) that can be trained on with labels."""
        raise NotImplementedError

    def read_train_labels(self, reader: SequenceReader, start: int, end: int) -> tuple[dict, str]:
        """Return the labels of a supervised training item and the kind of supervision."""
        raise NotImplementedError

    def check_test_split(self, infos: list[SequenceInfo]) -> None:
        """Check the sequences of a test split."""

    # ---------------------------------------------------------------------------------------------

    @property
    def uses(self) -> tuple[str, ...]:
        """Uses of the files that are read besides ``inputs``, see :class:`~.sources.SourceFile`."""
        return ('labels',) if self.labelled_training else ()

    def required_files(self) -> dict[Union[str, Path], str]:
        """Return the files of the splits that are read, and the body models of the labels."""
        splits = ('train', *self.TEST_SPLITS) if self.transductive else (self.split,)
        files = dict(self.source.required_files(splits, self.uses))
        for gender in ('male', 'female') if self.test_mode and self.with_joints else ():
            path, hint = body_model_file(self.body_model, gender, self.data_root)
            files[path] = hint
        return files

    def list_clips(self) -> Sequence[dict]:
        """Return one entry per sequence, or per range of good labels when training on them."""
        infos = self.source.sequences((self.split,))
        if self.split == 'train':
            infos = self.select(infos)
        if self.test_mode:
            self.check_test_split(infos)
        ranges = self.label_ranges if self.labelled_training else None
        clips = self.list_sequences(infos, ranges)
        if self.transductive:
            tested = self.source.sequences(self.TEST_SPLITS)
            clips = [*clips, *self.list_sequences(tested, transductive=True)]
        if not len(clips) and not self.left_out:
            raise self.empty()
        table = ClipTable.of(clips)
        no_frames = table.take(table.lengths <= 0)
        if len(no_frames) and self.test_mode:
            raise DataError(
                f'{self.location}: {len(no_frames)} sequence(s) have no frame, such as '
                f'{no_frames[0]["sequence"]!r}; leave them out of the pack'
            )
        return clips

    def empty(self) -> Exception:
        """Return the error for a split without a sequence."""
        return DataError(f'{self.location} holds no sequence of {self.split}')

    def clip_files(self, clips: Sequence[dict]) -> dict[Union[str, Path], str]:
        """Return the missing files of single sequences; check the fields of sequence packs."""
        missing = super().clip_files(clips)
        infos = self.sequences_of(ClipTable.of(clips)) if self.flip_test else []
        lacking = self.lacking(infos, 'flip_features')
        if lacking and not missing:
            raise DataError(
                f'{self.location}: {len(lacking)} of {len(infos)} sequences have no features of '
                f'the mirrored images, such as {lacking[0].name!r}: convert with features that '
                'have them, or set flip_test=False'
            )
        return missing

    def read_clip(self, info: dict, start: int, end: int) -> Clip:
        """Read a clip, with labels only for a test item or for ``real_supervision='labels'``."""
        reader = self.source.open(self.info_of(info))
        clip = self.read_inputs(reader, start, end)
        clip.transductive = bool(info.get('transductive', False))
        if self.test_mode:
            clip.conditions = self.conditions
            mask = reader.rows(self.mask_key, start, end).bool()
            joints = self.with_joints
            clip.labels = evaluation_labels(reader, start, end, mask, self.data_root, joints)
            clip.gender = reader.gender
            if clip.kp2d is not None:
                clip.kp2d[..., 2] *= mask[:, None]
        elif self.labelled_training:
            clip.labels, clip.supervision = self.read_train_labels(reader, start, end)
        return clip

    @property
    def conditions(self) -> dict[str, str]:
        """Options of test items that change the scores, for the evaluation protocol."""
        return dict(intrinsics=self.intrinsics, camera_rotation=self.camera)
