"""Base of the datasets that read a source: published files, or a sequence pack."""

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Optional, Union

from torch import Tensor

from ..core.camera import estimate_intrinsics
from ..core.checks import check_at_least, check_choice
from ..core.errors import ConfigError
from .clip import Clip
from .motion_dataset import MotionDataset
from .sources import PackSource, PublishedSource, SequenceInfo, SequenceReader
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

    def ranges(self, reader: SequenceReader) -> list[tuple[int, int]]:
        """Return the frames (start, end) of a sequence that are clips; by default all of it."""
        return [reader.limits]

    def list_sequences(self, infos: Iterable[SequenceInfo], **facts) -> list[dict]:
        """List the clips of sequences.

        Args:
            infos (Iterable[SequenceInfo]): The sequences.
            facts: Further fields of each entry.
        """

        def clips_of(info: SequenceInfo) -> list[dict]:
            known = dict(sequence=info.name, id=info.id, part=info.part, **facts)
            ranges = self.ranges(self.source.open(info))
            return [dict(known, start=start, end=end) for start, end in ranges]

        return self.list_each(infos, clips_of, lambda info: info.name)

    def select(self, infos: list[SequenceInfo]) -> list[SequenceInfo]:
        """Apply ``subset`` and ``exclude`` to the sequences of the split."""
        groups = {info.id: info.group for info in infos}
        chosen = set(holdout(groups, groups.values(), self.subset, self.holdout_every))
        if infos and not chosen:
            raise ConfigError(
                f'{self.dataset}: subset={self.subset!r} is empty, as the split has only '
                f'{len(set(groups.values()))} video(s)'
            )
        names = [info.name for info in infos]
        infos = [info for info in infos if info.id in chosen]
        # A list of the whole split serves both subsets.
        return self.drop_excluded(infos, lambda info: info.name, known=names)

    def clip_files(self, clips: list[dict]) -> dict[Union[str, Path], str]:
        """Return the missing files of single sequences."""
        infos = list({clip['id']: self.info_of(clip) for clip in clips}.values())
        return self.source.missing_files(infos, self.flip_test and self.flip_is_required)

    def load_data_list(self) -> list[dict]:
        """List the clips, and warn once about observations that are missing."""
        clips = super().load_data_list()
        infos = list({clip['id']: self.info_of(clip) for clip in clips}.values())
        for name, what in (('kp2d', '2D keypoints'), ('features', 'image features')):
            lacking = (
                [] if name == 'kp2d' and not self.reads_keypoints else self.lacking(infos, name)
            )
            if lacking:
                self._warn_once(
                    name,
                    f'{len(lacking)} of {len(infos)} sequences of {self.location} have no {what} '
                    'and are used without them (docs/en/data.md shows the files that hold some)',
                )
        return clips

    def lacking(self, infos: Iterable[SequenceInfo], name: str) -> list[SequenceInfo]:
        """Return the sequences that have no field ``name``."""
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
