"""Human3.6M in the format of docs/en/data.md#h36m."""

from ...core.conventions import GRAVITY_Y_UP
from ...core.errors import DataError
from ..pack_io import PackRecord
from .layout import MIRRORED, SourceFile, StoredField, body_parameters, stored_as_named
from .published_source import PublishedSource, register_source
from .source import SequenceInfo

_PAGE = 'docs/en/data.md#h36m'


@register_source
class H36MSource(PublishedSource):
    """Labels of the training subjects in one file, features in one file per sequence.

    A sequence is a take in one camera, ``{take}_{camera}``.
    """

    dataset = 'h36m'
    title = subfolder = 'H36M/hmr4d_support'
    how_to_get = f'a Human3.6M training pack in the format of {_PAGE}'
    parts = ('train',)
    index = 'h36m_train.pt'
    length_field = 'smplx_params.transl'
    fixed_camera = True
    gravity = GRAVITY_Y_UP
    is_optional = True
    files = (
        SourceFile(
            index,
            (
                *body_parameters('smplx_params'),
                *body_parameters('smplx_params_incam'),
                StoredField('K_fullimg', '3 3'),
                StoredField('T_w2c', '4 4'),
                *stored_as_named('img_wh'),
            ),
        ),
        SourceFile('imgfeats/h36m_train/{name}.pt', stored_as_named('features', 'bbx_xys')),
        SourceFile('imgfeats/h36m_train_flip/{name}.pt', MIRRORED, use='optional'),
    )

    def info(self, name: str, part: str) -> SequenceInfo:
        """Describe a sequence; the cameras of a take belong together."""
        group = name.rpartition('_')[0]
        return SequenceInfo(
            name, part=part, splits=(part,), group=group, file=self.index_file(part)
        )

    def list_part(self, part: str) -> list[SequenceInfo]:
        """Return the sequences, after checking that the keys are those of the format.

        Raises:
            DataError: If the first sequence lacks one.
        """
        infos = super().list_part(part)
        for info in infos[:1]:
            record = PackRecord.of(info.file, info.id)
            try:
                for field in self.files[0].fields:
                    record.value(field.key)
            except DataError as error:
                raise DataError(f'{error}. Write the pack in the format of {_PAGE}') from error
        return infos
