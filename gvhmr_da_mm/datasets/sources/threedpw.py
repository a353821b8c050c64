"""3DPW as published with GVHMR."""

from ..splits import THREEDPW_GOOD_RANGES
from .layout import MIRRORED, SourceFile, StoredField, body_parameters, stored_as_named
from .published_source import PublishedSource, register_source
from .source import SequenceInfo

_FEATURES = stored_as_named('features', 'bbx_xys')


@register_source
class ThreeDPWSource(PublishedSource):
    """Labels by split; separate files of keypoints, boxes, features and refitted labels.

    The world is not aligned with gravity.
    """

    dataset = '3dpw'
    title = subfolder = '3DPW/hmr4d_support'
    how_to_get = '3DPW/hmr4d_support of the GVHMR data release (docs/en/data.md)'
    parts = ('train', 'test')
    index = '{part}_3dpw_gt_labels.pt'
    length_field = 'T_w2c'
    files = (
        SourceFile(
            index,
            (
                *stored_as_named('T_w2c', 'mask_wham', 'mask_raw', 'gender', 'img_wh'),
                *body_parameters('smpl_params'),
                StoredField('K_fullimg', '3 3'),
            ),
        ),
        SourceFile(
            'preproc_train_kp2d_v0.pt',
            stored_as_named('kp2d'),
            parts=('train',),
            use='optional',
            bare=True,
        ),
        SourceFile('preproc_test_kp2d_v0.pt', stored_as_named('kp2d'), parts=('test',), bare=True),
        SourceFile(
            'train_refit_smplx.pt',
            (
                *body_parameters('smplx_params_incam'),
                StoredField('valid_ranges', key='valid_range_list'),
            ),
            parts=('train',),
            use='labels',
        ),
        # These boxes take precedence over those of the features.
        SourceFile('preproc_test_bbx.pt', stored_as_named('bbx_xys'), parts=('test',)),
        SourceFile('imgfeats/3dpw_train_smplx_refit/{name}.pt', _FEATURES, parts=('train',)),
        SourceFile('imgfeats/3dpw_test/{name}.pt', _FEATURES, parts=('test',)),
        SourceFile(
            'imgfeats/3dpw_train_flip/{name}.pt', MIRRORED, parts=('train',), use='optional'
        ),
        SourceFile('imgfeats/3dpw_test_flip/{name}.pt', MIRRORED, parts=('test',), use='flip'),
    )

    def info(self, name: str, part: str) -> SequenceInfo:
        """Describe a person of a video, ``{video}_{person}``; persons share its frames."""
        file, group = self.index_file(part), name.rpartition('_')[0]
        return SequenceInfo(name, part=part, splits=(part,), group=group, file=file)

    def good_ranges(self, name: str, stored: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """Return the frames of valid labels; some stored ranges include known bad frames."""
        return list(THREEDPW_GOOD_RANGES.get(name, stored))
