"""BEDLAM as published with GVHMR."""

from pathlib import Path

from ...core.conventions import GRAVITY_Y_UP
from ...core.errors import DataError
from ..pack_io import PackRecord, load_pack
from .layout import SourceFile, StoredField
from .published_source import PublishedSequence, PublishedSource, register_source
from .source import SequenceInfo, signature_of

_LABELS = 'smplpose_v2.pth'
_POSE = (
    StoredField('smplx_params.global_orient', 'F 66', 'pose', (0, 3)),
    StoredField('smplx_params.body_pose', 'F 66', 'pose', (3, 66)),
    StoredField('smplx_params_incam.body_pose', 'F 66', 'pose', (3, 66)),
    StoredField('smplx_params.betas', '10', 'beta'),
    StoredField('smplx_params_incam.betas', '10', 'beta'),
)


@register_source
class BEDLAMSource(PublishedSource):
    """Labels in one file, two lists of clips, features in one file per clip."""

    dataset, domain = 'bedlam', 'synthetic'
    title = subfolder = 'BEDLAM/hmr4d_support'
    how_to_get = 'BEDLAM/hmr4d_support of the GVHMR data release (docs/en/data.md)'
    parts = ('all60', 'maxspan60')
    index = 'mid_to_valid_range_{part}.pt'
    length_field = ''
    gravity = GRAVITY_Y_UP
    files = (
        SourceFile(
            _LABELS,
            (
                *_POSE,
                StoredField('smplx_params.transl', key='trans'),
                StoredField('smplx_params_incam.global_orient', key='global_orient_incam'),
                StoredField('smplx_params_incam.transl', key='trans_incam', add_camera=True),
                StoredField('skeleton'),
                StoredField('K_fullimg', key='cam_int'),
                StoredField('T_w2c', key='cam_ext'),
            ),
        ),
        SourceFile(
            'imgfeats/bedlam_{part}/{name}.pt',
            (
                StoredField('features', 'R 1024'),
                StoredField('bbx_xys', 'R 3'),
                StoredField('img_wh'),
            ),
            first_key='start_end',
        ),
    )

    @property
    def labels(self) -> Path:
        """The file with the labels of all clips."""
        return self.folder / _LABELS

    def info(self, name: str, part: str) -> SequenceInfo:
        """Describe a clip; the part is in the id, as lists may overlap."""
        video = name.rpartition('-')[0]
        return SequenceInfo(
            f'{part}/{name}', name, part=part, splits=(part,), group=video, file=self.labels
        )

    def limits(self, reader: PublishedSequence) -> tuple[int, int]:
        """Return the frames of a clip from the list of clips."""
        path, labels = self.index_file(reader.info.part), load_pack(self.labels)
        if reader.name not in labels:
            raise DataError(
                f'{path} lists the sequence `{reader.name}`, which is not among the {len(labels)} '
                f'of {self.labels}; the files of a dataset must come from the same release'
            )
        return PackRecord(path, reader.name, load_pack(path)).frame_range(reader.name)

    def file_name(self, sequence: str) -> str:
        """Return the name of a clip's feature file below the folder of its part.

        ``inputs/bedlam/bedlam_download/{scene}/mp4/{clip}`` has its features in
        ``{scene}/{clip}.pt``.

        Raises:
            DataError: If the id has another form.
        """
        parts = sequence.split('/')
        if len(parts) < 3:
            raise DataError(
                f'the BEDLAM sequence {sequence!r} should be named `.../scene/mp4/clip`, which '
                'gives the file of its features'
            )
        return f'{parts[-3]}/{parts[-1]}'

    def signature(self, info: SequenceInfo) -> str:
        """Return a digest of the files of a clip and its frames."""
        return signature_of(self.paths(info), range=self.open(info).limits)
