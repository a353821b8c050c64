"""Base of the datasets that read a source: published files, or a sequence pack."""

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Optional, Union

import numpy as np
from torch import Tensor

from ..core.camera import estimate_intrinsics
from ..core.checks import check_at_least, check_choice
from ..core.errors import ConfigError
from .clip import Clip
from .clip_table import ClipTable, take
from .motion_dataset import MotionDataset
from .sources import (
    PackClipFacts,
    PackSequences,
    PackSource,
    PublishedSource,
    SequenceInfo,
    SequenceReader,
)
from .splits import SUBSETS, holdout


class SourceDataset(MotionDataset):
    """Base of datasets whose clips are sequences of a source, or ranges of them.

    Args:
        pack (str | Path, optional): Sequence pack (docs/en/packs.md), below the data root or
            absolute, to read in place of the published files. Defaults to None.
        intrinsics (str): ``true``, or ``estimated`` (focal length = image diagonal). Defaults to
            ``true``.
        subset (str): ``all``; ``fit`` and ``val`` share the sequences by their group, such as the
            video. Defaults to ``all``.
        holdout_every (int): One of this many groups is in ``val``. Defaults to 4.
        flip_test (bool): Whether test items carry the mirrored inputs. Defaults to False.
        kwargs: As :class:`MotionDataset`.
    """

    SOURCE: type[PublishedSource]
    """The published layout."""
    reads_keypoints = True
    """Whether 2D keypoints are observations of the clips."""
    labelled_training = False
    """Whether training items of real clips carry 3D labels."""
    flip_is_required = False
    """Whether ``flip_test`` is an error for sequences without mirrored features."""

    def __init__(
        self,
        *args,
        pack: Optional[Union[str, Path]] = None,
        intrinsics: str = 'true',
        subset: str = 'all',
        holdout_every: int = 4,
        flip_test: bool = False,
        **kwargs,
    ) -> None:
        check_choice(subset, SUBSETS, 'subset')
        check_choice(intrinsics, ('true', 'estimated'), 'intrinsics')
        check_at_least(2, holdout_every=holdout_every)
        if flip_test and not kwargs.get('test_mode', False):
            raise ConfigError(
                'flip_test belongs to test items, and these are training items: for those use '
                'flip_features'
            )
        self.pack, self.intrinsics, self.flip_test = pack, intrinsics, flip_test
        self.subset, self.holdout_every = subset, holdout_every
        super().__init__(*args, **kwargs)

    @cached_property  # Every item asks for it several times.
    def source(self) -> Union[PublishedSource, PackSource]:
        """Source of the sequences; holds file paths only, so that it is cheap to pickle."""
        if self.pack is not None:
            return PackSource(self.data_root / self.pack)
        return self.SOURCE.below(self.data_root)

    @property
    def location(self) -> Path:
        """Folder of the clips, for messages."""
        return self.source.root

    # -- the list of clips ------------------------------------------------------------------------

    def list_sequences(
        self,
        infos: Sequence[SequenceInfo],
        ranges: Optional[Callable[[SequenceReader], list[tuple[int, int]]]] = None,
        **facts,
    ) -> Sequence[dict]:
        """List the clips of sequences.

        Args:
            infos (Sequence[SequenceInfo]): The sequences.
            ranges (Callable, optional): Returns the frames (start, end) of a sequence that are
                clips. Defaults to None: all of it.
            facts: Further fields of each entry.
        """
        if ranges is None and isinstance(infos, PackSequences):
            return infos.clips(**facts)

        def clips_of(info: SequenceInfo) -> list[dict]:
            known = dict(sequence=info.name, id=info.id, part=info.part, **facts)
            reader = self.source.open(info)
            found = [reader.limits] if ranges is None else ranges(reader)
            return [dict(known, start=start, end=end) for start, end in found]

        return self.list_each(infos, clips_of, lambda info: info.name)

    def select(self, infos: Sequence[SequenceInfo]) -> Sequence[SequenceInfo]:
        """Apply ``subset`` and ``exclude`` to the sequences of the split."""
        known = infos
        if self.subset != 'all':
            groups = groups_of(infos)
            infos = take(infos, holdout(groups, self.subset, self.holdout_every))
            if groups and not len(infos):
                raise ConfigError(
                    f'{self.dataset}: subset={self.subset!r} is empty, as the split has only '
                    f'{len(set(groups))} video(s)'
                )
        # A list of the whole split serves both subsets.
        return self.drop_excluded(infos, partial(names_of, infos), partial(names_of, known))

    def clip_files(self, clips: Sequence[dict]) -> dict[Union[str, Path], str]:
        """Return the missing files of single sequences."""
        infos = self.sequences_of(ClipTable.of(clips))
        return self.source.missing_files(infos, self.flip_test and self.flip_is_required)

    def sequences_of(self, clips: ClipTable) -> Sequence[SequenceInfo]:
        """Return the sequences that clips are of, each once."""
        rows = np.unique(clips.rows)
        if isinstance(clips.facts, PackClipFacts):
            return clips.facts.sequences.take(rows)
        infos = (self.info_of(clips.facts[row]) for row in rows)
        return list({info.id: info for info in infos}.values())

    def count_sequences(self, clips: ClipTable) -> int:
        """Return the number of sequences that clips are of."""
        return len(self.sequences_of(clips))

    def load_data_list(self) -> ClipTable:
        """List the clips, and warn once about observations that are missing."""
        clips = super().load_data_list()
        infos = self.sequences_of(clips)
        expected = dict(kp2d='2D keypoints', features='image features')
        if not self.reads_keypoints or self.labelled_training:
            del expected['kp2d']  # The model simulates them from the labels.
        for name, what in expected.items():
            lacking = self.lacking(infos, name)
            if lacking:
                self._warn_once(
                    name,
                    f'{len(lacking)} of {len(infos)} sequences of {self.location} have no {what} '
                    'and are used without them (docs/en/data.md shows the files that hold some)',
                )
        return clips

    def lacking(self, infos: Sequence[SequenceInfo], name: str) -> Sequence[SequenceInfo]:
        """Return the sequences that have no field ``name``."""
        if isinstance(infos, PackSequences):
            return infos.lacking(name)
        return [info for info in infos if not self.source.has(info, name)]

    @staticmethod
    def info_of(clip: dict) -> SequenceInfo:
        """Return the sequence of a clip of :meth:`list_sequences`."""
        return SequenceInfo(clip['id'], clip['sequence'], clip['part'])

    # -- clips ------------------------------------------------------------------------------------

    def read_inputs(self, reader: SequenceReader, start: int, end: int) -> Clip:
        """Read boxes, keypoints, features and camera; never a label."""
        clip = Clip(
            sequence=reader.name,
            start=start,
            end=end,
            img_wh=reader.img_wh,
            bbx_xys=reader.rows('bbx_xys', start, end),
            K_fullimg=self._intrinsics(reader, start, end),
            R_w2c=self.camera_rotation(reader, start, end),
            f_imgseq=reader.find('features', start, end),
            static_camera=reader.static_camera,
        )
        if self.test_mode and reader.world_up:
            clip.T_w2c, clip.world_up = reader.rows('T_w2c', start, end), reader.world_up
        if self.reads_keypoints:
            clip.kp2d = reader.find('kp2d', start, end)
        observed = None if clip.kp2d is None else reader.find('observed', start, end)
        if observed is not None:
            clip.kp2d[..., 2] *= observed[:, None]
        if self.flip_test or self.flip_features:
            read = reader.rows if self.flip_test and self.flip_is_required else reader.find
            clip.flip_f_imgseq = read('flip_features', start, end)
            clip.flip_bbx_xys = read('flip_bbx_xys', start, end)
        return clip

    def camera_rotation(self, reader: SequenceReader, start: int, end: int) -> Tensor:
        """Return the rotation from world to camera that is an input of the network (L, 3, 3)."""
        return reader.rotations(start, end)

    def _intrinsics(self, reader: SequenceReader, start: int, end: int) -> Tensor:
        """Return K (3, 3) or (L, 3, 3): the stored one, or the estimate from the image's size."""
        if self.intrinsics == 'estimated':
            return estimate_intrinsics(*reader.img_wh)
        return reader.values('K_fullimg', start, end)


def names_of(infos: Sequence[SequenceInfo]) -> Sequence[str]:
    """Return the names of sequences in samples."""
    if isinstance(infos, PackSequences):
        return infos.names()
    return [info.name for info in infos]


def groups_of(infos: Sequence[SequenceInfo]) -> Sequence[str]:
    """Return the groups of sequences."""
    if isinstance(infos, PackSequences):
        return infos.column('group')
    return [info.group for info in infos]
