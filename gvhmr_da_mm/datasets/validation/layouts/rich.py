"""RICH in this project's format."""

from ..fields import FieldSpec
from ..sequence import Sequence
from .base import PackLayout, SequenceName, register_layout, smpl_fields
from .emdb import FLIP_FIELDS

_PACK = 'rich_test.pt'
_FLIP = 'imgfeats/rich_flip'
SMPLX_ROOT = (0.0, -0.35, 0.0)
"""Rest position of SMPL-X's root joint in m, roughly."""
_FIELDS = (
    *smpl_fields('smplx_params', 63),
    FieldSpec('gender', 'gender', '', 'text'),
    FieldSpec('mask', 'mask', 'F', 'bool'),
    FieldSpec('K_fullimg', 'K', '3 3'),
    FieldSpec('T_w2c', 'T_w2c', '4 4'),
    FieldSpec('img_wh', 'img_wh', '2'),
    FieldSpec('bbx_xys', 'boxes', 'F 3'),
    FieldSpec('kp2d', 'keypoints', 'F 17 3'),
    FieldSpec('features', 'features', 'F 1024'),
)


@register_layout
class RICHLayout(PackLayout):
    """All sequences in one file; the way of gravity is not part of the format."""

    name = 'rich'
    subfolder = 'RICH/hmr4d_support'
    files = (_PACK,)

    def sequences(self) -> list[SequenceName]:
        """Return the sequences of the pack."""
        self.note_missing_flips(_FLIP)
        return [SequenceName('test', str(name)) for name in self.pack(_PACK)]

    def read(self, name: SequenceName) -> Sequence:
        """Return a sequence."""
        sequence = Sequence(self.name, name.name, name.part, root=SMPLX_ROOT)
        self.add_entry(sequence, _PACK, _FIELDS)
        path = self.folder / _FLIP / f'{name.name}.pt'
        if (self.folder / _FLIP).is_dir():
            flip = self.read_file(sequence, path)
            if flip is not None:
                sequence.add(path, flip, FLIP_FIELDS)
        return sequence.settle()
