"""EMDB as published with GVHMR."""

from ...core.conventions import GRAVITY_Y_UP
from ..splits import emdb_splits
from .layout import MIRRORED, SourceFile, StoredField, body_parameters, stored_as_named
from .published_source import PublishedSource, register_source
from .source import SequenceInfo

_IMAGE_WH = (1440, 1920)
_SMALL_IMAGE_WH = {'P0_09': (720, 960)}


@register_source
class EMDBSource(PublishedSource):
    """All sequences in one file; estimated cameras and mirrored features beside it."""

    dataset = 'emdb'
    title = subfolder = 'EMDB/hmr4d_support'
    how_to_get = 'EMDB/hmr4d_support of the GVHMR data release (docs/en/data.md)'
    index = 'emdb_vit_v4.pt'
    gravity = GRAVITY_Y_UP
    files = (
        SourceFile(
            index,
            (
                *stored_as_named('bbx_xys', 'kp2d', 'features', 'T_w2c', 'mask', 'gender'),
                *body_parameters('smpl_params'),
                StoredField('K_fullimg', '3 3'),
                StoredField('img_wh', required=False),
            ),
        ),
        SourceFile('emdb_dpvo_traj.pt', (StoredField('dpvo_poses'),), use='odometry', bare=True),
        SourceFile('imgfeats/emdb_flip/{name}.pt', MIRRORED, use='flip'),
    )

    def info(self, name: str, part: str) -> SequenceInfo:
        """Describe a sequence; the recording is the video, as it has one person."""
        splits = emdb_splits(name)
        return SequenceInfo(name, part=splits[0], splits=splits, file=self.index_file(part))

    def default_img_wh(self, name: str) -> tuple[int, int]:
        """Return the image's width and height in pixels, which the published file lacks."""
        for prefix, size in _SMALL_IMAGE_WH.items():
            if name.startswith(prefix):
                return size
        return _IMAGE_WH
