"""EMDB as published with GVHMR."""

from ....core.conventions import GRAVITY_Y_UP
from ...emdb import default_image_size
from ...splits import EMDB1_PREFIXES, EMDB2_PREFIXES
from ..fields import FieldSpec
from ..sequence import Sequence
from .base import PackLayout, SequenceName, register_layout, smpl_fields

_PACK = 'emdb_vit_v4.pt'
_TRAJECTORIES = 'emdb_dpvo_traj.pt'
_FLIP = 'imgfeats/emdb_flip'
SMPL_ROOT = (0.0, -0.2, 0.0)
"""Rest position of SMPL's root joint in m, roughly."""
_FIELDS = (
    *smpl_fields('smpl_params', 69),
    FieldSpec('gender', 'gender', '', 'text'),
    FieldSpec('mask', 'mask', 'F', 'bool'),
    FieldSpec('K_fullimg', 'K', '3 3'),
    FieldSpec('T_w2c', 'T_w2c', 'F 4 4'),
    FieldSpec('bbx_xys', 'boxes', 'F 3'),
    FieldSpec('kp2d', 'keypoints', 'F 17 3'),
    FieldSpec('features', 'features', 'F 1024'),
    FieldSpec('img_wh', 'img_wh', '2', required=False),
)
FLIP_FIELDS = (
    FieldSpec('features', 'flip_features', 'F 1024'),
    FieldSpec('bbx_xys', 'flip_boxes', 'F 3'),
)


@register_layout
class EMDBLayout(PackLayout):
    """All sequences in one file; estimated cameras and mirrored features beside it."""

    name = 'emdb'
    subfolder = 'EMDB/hmr4d_support'
    files = (_PACK,)

    def sequences(self) -> list[SequenceName]:
        """Return the sequences of the pack: of the test sets, and the others."""
        self.note_missing_flips(_FLIP)
        tested = EMDB1_PREFIXES + EMDB2_PREFIXES
        return [
            SequenceName('test' if str(name).startswith(tested) else 'train', str(name))
            for name in self.pack(_PACK)
        ]

    def read(self, name: SequenceName) -> Sequence:
        """Return a sequence."""
        sequence = Sequence(self.name, name.name, name.part, GRAVITY_Y_UP, SMPL_ROOT)
        sequence.img_wh = default_image_size(name.name)
        entry = self.add_entry(sequence, _PACK, _FIELDS)
        if isinstance(entry, dict) and 'img_wh' in entry:
            sequence.img_wh = None
        self._add_trajectory(sequence)
        path = self.folder / _FLIP / f'{name.name}.pt'
        if path.parent.is_dir():
            flip = self.read_file(sequence, path, required=name.part == 'test')
            if flip is not None:
                sequence.add(path, flip, FLIP_FIELDS)
        return sequence.settle()

    def _add_trajectory(self, sequence: Sequence) -> None:
        poses = self.pack(_TRAJECTORIES, severity='')
        if sequence.name in poses:
            record = {'poses': poses[sequence.name]}
            specs = (FieldSpec('poses', 'trajectory', 'F 7'),)
            sequence.add(self.folder / _TRAJECTORIES, record, specs)
