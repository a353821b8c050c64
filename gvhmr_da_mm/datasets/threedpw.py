"""3DPW: real outdoor video; its world is not aligned with gravity."""

from ..core.checks import check_choice
from ..core.errors import ConfigError
from ..registry import DATASETS
from .labels import camera_training_labels
from .real_video_dataset import RealVideoDataset
from .sources import SequenceInfo, SequenceReader, ThreeDPWSource


@DATASETS.register_module()
class ThreeDPWDataset(RealVideoDataset):
    """3DPW (von Marcard et al., ECCV 2018).

    The published training pack has no detected keypoints (the published loader projects the labels,
    which would leak them): they are read from a separate file (docs/en/data.md) if it exists;
    otherwise all keypoints are masked and a warning is logged. With ``real_supervision='labels'``
    the refitted SMPL-X labels supervise the camera space only, on the frames where they are good,
    and the model synthesizes keypoints that are missing.

    Args:
        split (str): ``train`` or ``test``. Defaults to ``train``.
        mask_key (str): Mask of the frames that evaluation uses: ``mask_wham`` or ``mask_raw``.
            Defaults to ``mask_wham``.
        kwargs: As :class:`RealVideoDataset`.
    """

    SOURCE = ThreeDPWSource
    TEST_SPLITS = ('test',)

    def __init__(self, *args, split: str = 'train', mask_key: str = 'mask_wham', **kwargs) -> None:
        check_choice(mask_key, ('mask_wham', 'mask_raw'), 'mask_key')
        self.mask_key = mask_key
        kwargs.setdefault('dataset', '3dpw' if split == 'test' else '3dpw_train')
        super().__init__(*args, split=split, **kwargs)

    def check_test_split(self, infos: list[SequenceInfo]) -> None:
        """Check that the mask is there."""
        lacking = self.lacking(infos, self.mask_key)
        if lacking:
            raise ConfigError(
                f'{self.location} has no `{self.mask_key}` for {len(lacking)} of {len(infos)} '
                f'sequences, such as {lacking[0].id!r}. The raw data set has `mask_raw` only: set '
                'mask_key=mask_raw, and report it with your results'
            )

    def label_ranges(self, reader: SequenceReader) -> list[tuple[int, int]]:
        """Return the ranges of frames whose labels are good."""
        _, frames = reader.limits
        return [(start, min(end, frames)) for start, end in reader.valid_ranges if start < frames]

    @property
    def conditions(self) -> dict[str, str]:
        """As the base, and the mask."""
        return dict(super().conditions, mask=self.mask_key)

    def read_train_labels(self, reader: SequenceReader, start: int, end: int) -> tuple[dict, str]:
        """Read refitted SMPL-X in the camera."""
        return camera_training_labels(reader, start, end), 'camera'
