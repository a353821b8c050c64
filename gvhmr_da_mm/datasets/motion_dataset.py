"""Base of all datasets: windows, padding, packing, and skipping of bad clips."""

import logging
from collections.abc import Iterable, Sequence
from functools import cached_property
from numbers import Integral
from pathlib import Path
from typing import Any, Callable, Optional, Union

import numpy as np
import torch
from mmengine.dataset import BaseDataset, force_full_init
from mmengine.logging import print_log

from ..core.checks import check_choice
from ..core.conventions import BODY_JOINT_NAMES, FPS
from ..core.errors import ConfigError, DataError, MissingFilesError
from ..fileio.paths import require_files, resolve_data_root
from ..registry import TRANSFORMS
from ..registry.arguments import fits
from .bad_samples import BadSample, check_clip, describe_bad_samples
from .clip import Clip, pack_clip
from .clip_table import ClipTable, take
from .exclusion import Exclusion
from .samplers.clip_key import ClipKey
from .source_range import SourceRange
from .windows import draw_window, num_windows

DOMAINS = ('synthetic', 'real')
BAD_CLIP_ERRORS = (DataError, MissingFilesError)
"""Errors of a clip that ``on_bad_sample='skip'`` skips."""
REPLACED_KEY = 'replaced_bad_samples'
"""Field of a sample that replaces bad ones: the list of :class:`BadSample`."""


class MotionDataset(BaseDataset):
    """Base of datasets of motion clips.

    A subclass lists the files that it needs (:meth:`required_files`) and its clips
    (:meth:`list_clips`), and reads the frames of a clip (:meth:`read_clip`). Training items are
    random windows padded to ``max_len``; test items are whole sequences.

    Note:
        Only file names and frame ranges are kept in memory and sent to workers; frames are read
        when an item is requested. An item requested by :class:`ClipKey` depends on the key alone;
        for a plain index, the window is drawn from torch's global generator.

    Args:
        data_root (str | Path, optional): Folder of all datasets. Defaults to None: the variable
            ``GVHMR_DATA_ROOT``, else ``data``.
        dataset (str): Name of this dataset in samples and metrics.
        domain (str): ``synthetic`` or ``real``.
        min_len (int): Shortest training window in frames; a shorter clip is used whole. Defaults
            to 60.
        max_len (int): Longest training window, and frames of an item after padding. Defaults to
            120.
        min_frames (int): Training clips shorter than this are left out, with a log line. Defaults
            to 30.
        list_long_clips_often (bool): Whether a training clip is listed ``length // max_len`` times
            per epoch. Defaults to True.
        flip_features (bool): Whether training items carry the features of the mirrored image
            (``flip_f_imgseq``, ``has_flip_imgfeat``). Defaults to False.
        on_bad_sample (str): What to do with a training clip that cannot be used (missing or
            damaged files and fields, wrong shapes, NaN, empty boxes, invalid rotations of the
            camera): ``error``, or ``skip``. To skip, the first and last frame of every clip are
            read when clips are listed, and bad clips are left out; a clip that fails later is
            replaced by the next good one, the same one for the same :class:`ClipKey`. Skipped
            clips are reported in ``left_out`` and by :class:`~gvhmr_da_mm.engine.BadSampleHook`.
            Test clips are never skipped, as scores of fewer clips cannot be compared. Defaults to
            ``error``.
        exclude (str | Path | Sequence[str]): Sequences that are not used: names or patterns such as
            ``'CMU/*'``, or a text file with one per line, below the data root or absolute. Defaults
            to ().
        pipeline (Sequence[dict | Callable]): Transforms of the packed item. Defaults to ().
        metainfo (dict, optional): Additions to the dataset's meta information.
        indices (int | Sequence[int], optional): Use only these clips, as in MMEngine: the first n
            of a number n, the last n of -n, or those of a list. Defaults to None: all.
        test_mode (bool): Whole sequences instead of windows. Defaults to False.
        lazy_init (bool): Read the list of clips on first use. Defaults to False.

    Attributes:
        left_out (list[BadSample]): Bad clips that are not in the list.

    Raises:
        ConfigError: If an argument is impossible.
        MissingFilesError: If files are missing: one error for all of them.
        DataError: If the files hold no usable clip.
    """

    def __init__(
        self,
        data_root: Optional[Union[str, Path]] = None,
        *,
        dataset: str,
        domain: str,
        min_len: int = 60,
        max_len: int = 120,
        min_frames: int = 30,
        list_long_clips_often: bool = True,
        flip_features: bool = False,
        on_bad_sample: str = 'error',
        exclude: Union[str, Path, Sequence[str]] = (),
        pipeline: Sequence[Union[dict, Callable]] = (),
        metainfo: Optional[dict] = None,
        indices: Optional[Union[int, Sequence[int]]] = None,
        test_mode: bool = False,
        lazy_init: bool = False,
    ) -> None:
        check_choice(on_bad_sample, ('error', 'skip'), 'on_bad_sample')
        check_choice(domain, DOMAINS, 'domain')
        _check_indices(indices)
        if not 1 <= min_len <= max_len:
            raise ConfigError(
                f'expected 1 <= min_len <= max_len, got min_len={min_len}, max_len={max_len}'
            )
        self.dataset, self.domain = dataset, domain
        self.min_len, self.max_len, self.min_frames = min_len, max_len, min_frames
        self.list_long_clips_often = list_long_clips_often
        self.flip_features = flip_features
        self.on_bad_sample = on_bad_sample
        self.exclude = exclude
        self.left_out: list[BadSample] = []
        self._warned: set[str] = set()
        super().__init__(
            data_root=resolve_data_root(data_root),
            data_prefix={},
            indices=indices,
            # Entries are columns, which need no serialising.
            serialize_data=False,
            pipeline=[TRANSFORMS.build(t) if isinstance(t, dict) else t for t in pipeline],
            test_mode=test_mode,
            lazy_init=True,
        )
        # Set here because MMEngine takes every string passed as `metainfo` for a file to open.
        self._metainfo.update(
            dataset_name=dataset,
            domain=domain,
            fps=FPS,
            num_keypoints=len(BODY_JOINT_NAMES),
            keypoint_names=list(BODY_JOINT_NAMES),
            transductive=False,
        )
        self._metainfo.update(metainfo or {})
        if not lazy_init:
            self.full_init()

    # -- to be written by a subclass --------------------------------------------------------------

    def required_files(self) -> dict[Union[str, Path], str]:
        """Return every file or folder needed to list the clips, each with how to get it."""
        raise NotImplementedError

    def list_clips(self) -> Sequence[dict]:
        """Return one dict per clip with at least ``sequence``, ``start`` and ``end``."""
        raise NotImplementedError

    def read_clip(self, info: dict, start: int, end: int) -> Clip:
        """Read the frames [start, end) of a clip that :meth:`list_clips` returned."""
        raise NotImplementedError

    def clip_files(self, clips: Sequence[dict]) -> dict[Union[str, Path], str]:
        """Return the missing files of single clips, each with how to get it."""
        return {}

    @property
    def location(self) -> Path:
        """Folder of the clips, for messages."""
        return Path(next(iter(self.required_files()), self.data_root)).parent

    # -- the list of clips ------------------------------------------------------------------------

    def log(self, message: str, level: int = logging.INFO) -> None:
        """Log a line that starts with the dataset's name."""
        print_log(f'{self.dataset}: {message}', logger='current', level=level)

    def load_data_list(self) -> ClipTable:
        """Check the files and list the clips; MMEngine calls it once."""
        require_files(self.required_files(), owner=self.dataset)
        self.left_out = []
        clips = ClipTable.of(self.list_clips())
        clips = self.drop_excluded(clips, clips.names)
        if not self.skips_bad_clips:
            require_files(self.clip_files(clips), owner=self.dataset)
        if self.test_mode:
            entries = clips
        else:
            kept = clips.take(clips.lengths >= self.min_frames)
            if len(kept) < len(clips):
                short = len(clips) - len(kept)
                self.log(f'left {short} clip(s) out: shorter than {self.min_frames} frames')
            if self.skips_bad_clips:
                kept = self._usable_clips(kept)
            entries = kept.take(np.repeat(np.arange(len(kept)), self._listings(kept)))
        if not entries:
            if self.left_out:
                raise self._all_bad(self.left_out)
            raise DataError(
                f'{self.dataset}: no usable clip in {self.data_root.absolute()} '
                f'({len(clips)} found, all shorter than min_frames={self.min_frames})'
            )
        self.log(f'{len(entries)} clips of {self.count_sequences(entries)} sequences')
        return entries

    @property
    def skips_bad_clips(self) -> bool:
        """Whether bad clips are left out."""
        return self.on_bad_sample == 'skip' and not self.test_mode

    def list_each(
        self,
        sequences: Iterable[Any],
        clips_of: Callable[[Any], list[dict]],
        name_of: Callable[[Any], str] = str,
    ) -> list[dict]:
        """List the clips of each sequence; skip sequences that fail if bad clips are skipped.

        Args:
            sequences (Iterable): The sequences.
            clips_of (Callable): Returns the clips of a sequence.
            name_of (Callable): Returns the name of a sequence. Defaults to ``str``.
        """
        clips = []
        for sequence in sequences:
            try:
                clips += clips_of(sequence)
            except BAD_CLIP_ERRORS as error:
                if not self.skips_bad_clips:
                    raise
                bad = BadSample(self.dataset, name_of(sequence), -1, -1, str(error))
                self.left_out.append(bad)
        return clips

    @cached_property
    def exclusion(self) -> Exclusion:
        """The sequences that ``exclude`` names."""
        return Exclusion.read(self.exclude, self.data_root, self.dataset)

    def drop_excluded(
        self,
        items: Sequence[Any],
        names: Callable[[], Sequence[str]],
        known: Optional[Callable[[], Sequence[str]]] = None,
    ) -> Sequence[Any]:
        """Apply ``exclude``; a subclass may do so before it reads a sequence.

        Args:
            items (Sequence): Sequences, or their clips.
            names (Callable): Returns their names.
            known (Callable, optional): Returns the names that each pattern has to fit one of.
                Defaults to None: those of the items.

        Raises:
            ConfigError: If a pattern fits no name, in this call and those before, or nothing is
                left.
        """
        if not self.exclusion.patterns:
            return items
        kept = take(items, self.exclusion.keeps(names(), known and known()))
        if len(items) and not len(kept):
            raise ConfigError(
                f'{self.dataset}: `exclude` should leave a sequence, got all {len(items)}'
            )
        if len(kept) < len(items):
            self.log(f'left {len(items) - len(kept)} of {len(items)} out, as `exclude` says')
        return kept

    def count_sequences(self, clips: ClipTable) -> int:
        """Return the number of sequences that clips are of."""
        return len({clip['sequence'] for clip in clips})

    def _get_unserialized_subset(self, indices: Union[int, Sequence[int]]) -> ClipTable:
        """Apply ``indices``; MMEngine's names no index that is out of range."""
        if isinstance(indices, Integral):
            return self.data_list[: int(indices)] if indices > 0 else self.data_list[indices:]
        count = len(self.data_list)
        outside = [index for index in indices if not -count <= index < count]
        if outside:
            raise ConfigError(
                f'{self.dataset}: `indices` should be from {-count} to {count - 1}, of its {count} '
                f'clips, got {outside[0]}'
            )
        return self.data_list.take(np.asarray(indices))

    def _usable_clips(self, clips: ClipTable) -> ClipTable:
        """Leave clips out whose first or last frame cannot be read."""
        files_are_missing = bool(self.clip_files(clips))
        usable = []
        for number, clip in enumerate(clips):
            start, end = clip['start'], clip['end']
            try:
                if files_are_missing:
                    require_files(self.clip_files([clip]), owner=self.dataset)
                for frame in (start, end - 1):
                    self._read_good_clip(clip, frame, frame + 1)
                usable.append(number)
            except BAD_CLIP_ERRORS as error:
                sample = BadSample(self.dataset, clip['sequence'], start, end, str(error))
                self.left_out.append(sample)
        if self.left_out:
            self.log(
                f'left {len(self.left_out)} bad clip(s) or sequence(s) out, {len(usable)} clips '
                f'are good: {describe_bad_samples(self.left_out)}',
                logging.WARNING,
            )
        return clips.take(np.array(usable, int))

    def _listings(self, clips: ClipTable) -> np.ndarray:
        if not self.list_long_clips_often:
            return np.ones(len(clips), int)
        return num_windows(clips.lengths, self.max_len)

    @property
    def sources(self) -> dict[str, list[SourceRange]]:
        """Index ranges per domain, as :class:`MultiSourceDataset` gives them."""
        return {self.domain: [SourceRange(self.dataset, 0, len(self), None)]}

    # -- items ------------------------------------------------------------------------------------

    @force_full_init
    def get_data_info(self, idx: int) -> dict:
        """Return a copy of the entry of a clip; a flat one, as it holds names and numbers only."""
        return dict(self.data_list[idx], sample_idx=idx if idx >= 0 else len(self) + idx)

    def prepare_data(self, idx: Union[int, ClipKey]) -> dict[str, Any]:
        """Return the item of an index or a :class:`ClipKey`."""
        if isinstance(idx, ClipKey):
            index, seed = idx
        else:
            index, seed = int(idx), int(torch.randint(2**62, ()))
        if self.test_mode:
            info = self.get_data_info(index)
            return self._item(info, info['start'], info['end'])
        replaced: list[BadSample] = []
        for offset in range(len(self)):
            info = self.get_data_info((index + offset) % len(self) if offset else index)
            info['seed'] = seed  # For other random draws of a reader.
            rng = np.random.default_rng(seed)
            window = draw_window(info['start'], info['end'], self.min_len, self.max_len, rng)
            try:
                item = self._item(info, *window)
            except BAD_CLIP_ERRORS as error:
                if self.on_bad_sample == 'error':
                    raise
                bad = BadSample(self.dataset, info['sequence'], *window, str(error))
                replaced.append(bad)
                self._warn_once(info['sequence'], f'skipped a bad clip: {error}')
                continue
            if replaced:
                # Reports them to the main process, as logs of workers are lost.
                item['data_samples'].set_data({REPLACED_KEY: replaced})
            return item
        raise self._all_bad(replaced)

    def _all_bad(self, samples: list[BadSample]) -> DataError:
        reasons = describe_bad_samples(samples)
        return DataError(f'{self.dataset}: every one of its {len(samples)} clips is bad: {reasons}')

    def _read_good_clip(self, info: dict, start: int, end: int) -> Clip:
        clip = self.read_clip(info, start, end)
        try:
            check_clip(clip)
        except DataError as error:
            raise DataError(f'{self.dataset} in {self.location}: {error}') from error
        return clip

    def _item(self, info: dict, start: int, end: int) -> dict[str, Any]:
        clip = self._read_good_clip(info, start, end)
        item = pack_clip(
            clip,
            dataset=self.dataset,
            domain=self.domain,
            max_len=None if self.test_mode else self.max_len,
            flip_features=self.flip_features,
        )
        return self.pipeline(item)

    def _warn_once(self, topic: str, message: str) -> None:
        if topic not in self._warned:
            self._warned.add(topic)
            self.log(message, logging.WARNING)


def _check_indices(indices: Any) -> None:
    """Check that ``indices`` chooses a clip at all."""
    if indices is None or (fits(indices, int) and indices):
        return
    if not isinstance(indices, str) and fits(indices, Sequence[int]) and len(indices):
        return
    raise ConfigError(
        '`indices` should be a number of clips, the first ones or if negative the last ones, or a '
        f'list of their indices, and leave a clip, got {indices!r:.80}; None uses all'
    )
