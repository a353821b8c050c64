"""Human3.6M: real studio video of static cameras, with SMPL-X labels."""

from collections.abc import Sequence
from pathlib import Path
from typing import Union

from ..core.errors import ConfigError
from ..registry import DATASETS
from .clip import Clip
from .labels import world_training_labels
from .source_dataset import SourceDataset
from .sources import H36MSource


@DATASETS.register_module()
class H36MDataset(SourceDataset):
    """Human3.6M (Ionescu et al., TPAMI 2014), fully supervised, for training only.

    The files follow the format of docs/en/data.md#h36m, which resembles the published packs of
    BEDLAM and 3DPW. There are no detected keypoints (``has_kp2d`` is False): the model synthesizes
    them from the labels of the clip.

    Args:
        kwargs: As :class:`SourceDataset`. ``subset='fit'`` and ``'val'`` keep the cameras of a take
            together.

    Raises:
        ConfigError: If ``test_mode`` is set.
    """

    SOURCE = H36MSource
    reads_keypoints = False
    labelled_training = True

    def __init__(self, *args, **kwargs) -> None:
        if kwargs.get('test_mode'):
            raise ConfigError('H36MDataset is for training: it has no test_mode')
        super().__init__(*args, **{**dict(dataset='h36m', domain='real'), **kwargs})

    def required_files(self) -> dict[Union[str, Path], str]:
        """Return the labels and the folder of features."""
        return self.source.required_files(H36MSource.parts, ())

    def list_clips(self) -> Sequence[dict]:
        """Return one entry per sequence."""
        return self.list_sequences(self.select(self.source.sequences(H36MSource.parts)))

    def read_clip(self, info: dict, start: int, end: int) -> Clip:
        """Read a window with its labels."""
        reader = self.source.open(self.info_of(info))
        clip = self.read_inputs(reader, start, end)
        clip.labels, clip.supervision = world_training_labels(reader, start, end), 'full'
        return clip
