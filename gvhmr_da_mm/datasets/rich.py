"""RICH: real video of static cameras, with SMPL-X labels."""

from ..core.checks import check_choice
from ..registry import DATASETS
from .real_video_dataset import RealVideoDataset
from .sources import RICHSource


@DATASETS.register_module()
class RICHDataset(RealVideoDataset):
    """RICH (Huang et al., CVPR 2022), for testing only.

    The file follows the format of docs/en/data.md#rich, which resembles the published packs of EMDB
    and 3DPW. All cameras stand still, so ``T_w2c`` is one matrix per sequence.
    Labels are gendered SMPL-X in the dataset's world.

    Args:
        split (str): Only ``test``. Defaults to ``test``.
        kwargs: As :class:`RealVideoDataset`.
    """

    SOURCE = RICHSource
    TEST_SPLITS = ('test',)
    body_model = 'smplx'

    def __init__(self, *args, split: str = 'test', **kwargs) -> None:
        check_choice(split, self.TEST_SPLITS, 'split')
        kwargs.setdefault('dataset', 'rich')
        super().__init__(*args, split=split, **kwargs)
