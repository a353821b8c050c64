"""3DPW as published with GVHMR."""

from collections.abc import Mapping
from typing import Any

from ...splits import THREEDPW_GOOD_RANGES
from ..fields import FieldSpec
from ..finding import ERROR
from ..sequence import FrameRange, Sequence
from .base import PackLayout, SequenceName, register_layout, smpl_fields
from .emdb import FLIP_FIELDS, SMPL_ROOT

_REFIT = 'train_refit_smplx.pt'
_FLIP = 'imgfeats/3dpw_test_flip'
_FEATURES = {'train': 'imgfeats/3dpw_train_smplx_refit', 'test': 'imgfeats/3dpw_test'}
_FIELDS = (
    *smpl_fields('smpl_params', 69),
    FieldSpec('gender', 'gender', '', 'text'),
    FieldSpec('K_fullimg', 'K', '3 3'),
    FieldSpec('T_w2c', 'T_w2c', 'F 4 4'),
    FieldSpec('img_wh', 'img_wh', '2'),
    FieldSpec('mask_wham', 'mask', 'F', 'bool'),
    FieldSpec('mask_raw', 'other_mask', 'F', 'bool'),
)
_FEATURE_FIELDS = (
    FieldSpec('features', 'features', 'F 1024'),
    FieldSpec('bbx_xys', 'boxes', 'F 3'),
)
_REFIT_FIELDS = (
    *smpl_fields('smplx_params_incam', 63, where='c'),
    FieldSpec('valid_range_list', 'valid_ranges', '', 'numbers'),
)


@register_layout
class ThreeDPWLayout(PackLayout):
    """Labels by split; keypoints, boxes, features and refitted labels in files of their own.

    The world is not aligned with gravity.
    """

    name = '3dpw'
    subfolder = '3DPW/hmr4d_support'
    files = ('train_3dpw_gt_labels.pt', 'test_3dpw_gt_labels.pt')

    def sequences(self) -> list[SequenceName]:
        """Return the persons of both splits."""
        self.note_missing_flips(_FLIP)
        return [
            SequenceName(split, str(name))
            for split in ('train', 'test')
            for name in self.pack(f'{split}_3dpw_gt_labels.pt')
        ]

    def read(self, name: SequenceName) -> Sequence:
        """Return a person of a video."""
        split = name.part
        sequence = Sequence(self.name, name.name, split, root=SMPL_ROOT)
        self.add_entry(sequence, f'{split}_3dpw_gt_labels.pt', _FIELDS)
        self._add_keypoints(sequence)
        path = self.folder / _FEATURES[split] / f'{name.name}.pt'
        features = self.read_file(sequence, path)
        if features is not None:
            sequence.add(path, features, _FEATURE_FIELDS)
        if split == 'test':
            self._add_test_files(sequence)
        else:
            self._add_refit(sequence)
        return sequence.settle()

    def _add_keypoints(self, sequence: Sequence) -> None:
        required = sequence.part == 'test'
        file = f'preproc_{sequence.part}_kp2d_v0.pt'
        entries, path = self.pack(file, ERROR if required else ''), self.folder / file
        if sequence.name in entries:
            specs = (FieldSpec('kp2d', 'keypoints', 'F 17 3'),)
            sequence.add(path, {'kp2d': entries[sequence.name]}, specs)
        elif entries:
            sequence.error('unknown-sequence', 'the file does not have the sequence', path)

    def _add_test_files(self, sequence: Sequence) -> None:
        boxes = (FieldSpec('bbx_xys', 'boxes', 'F 3'),)
        self.add_entry(sequence, 'preproc_test_bbx.pt', boxes)
        path = self.folder / _FLIP / f'{sequence.name}.pt'
        if path.parent.is_dir():
            flip = self.read_file(sequence, path)
            if flip is not None:
                sequence.add(path, flip, FLIP_FIELDS)

    def _add_refit(self, sequence: Sequence) -> None:
        entry = self.add_entry(sequence, _REFIT, _REFIT_FIELDS, severity='')
        if not isinstance(entry, Mapping):
            return
        path, key = self.folder / _REFIT, 'valid_range_list'
        stored = entry.get(key)
        if isinstance(stored, (list, tuple)):
            if not all(_is_range(limits) for limits in stored):
                sequence.error('dtype', 'expected pairs of frames (start, end)', path, key)
                return
            # Known bad frames are inside the stored ranges.
            ranges = THREEDPW_GOOD_RANGES.get(sequence.name, stored)
            sequence.ranges += [FrameRange(path, key, *limits) for limits in ranges]


def _is_range(limits: Any) -> bool:
    whole = isinstance(limits, (list, tuple)) and len(limits) == 2
    return whole and all(isinstance(frame, int) for frame in limits)
