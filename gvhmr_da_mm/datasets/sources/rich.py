"""RICH in the format of docs/en/data.md#rich."""

from .layout import MIRRORED, SourceFile, StoredField, body_parameters, stored_as_named
from .published_source import PublishedSource, register_source


@register_source
class RICHSource(PublishedSource):
    """All sequences in one file; the format does not define the direction of gravity.

    Sequences are named by scene and camera, and may have slashes.
    """

    dataset = 'rich'
    title = subfolder = 'RICH/hmr4d_support'
    how_to_get = 'a RICH test pack in the format of docs/en/data.md#rich'
    parts = ('test',)
    index = 'rich_test.pt'
    fixed_camera = True
    is_optional = True
    files = (
        SourceFile(
            index,
            (
                *stored_as_named('bbx_xys', 'kp2d', 'features', 'mask', 'gender', 'img_wh'),
                *body_parameters('smplx_params'),
                StoredField('K_fullimg', '3 3'),
                StoredField('T_w2c', '4 4'),
            ),
        ),
        SourceFile('imgfeats/rich_flip/{name}.pt', MIRRORED, use='flip'),
    )
