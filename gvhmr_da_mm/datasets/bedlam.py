"""BEDLAM: rendered people with exact labels."""

from collections.abc import Sequence
from functools import reduce
from operator import add
from pathlib import Path
from typing import Union

from ..core.errors import ConfigError
from ..registry import DATASETS
from .clip import Clip
from .labels import world_training_labels
from .source_dataset import SourceDataset
from .sources import BEDLAMSource


@DATASETS.register_module()
class BEDLAMDataset(SourceDataset):
    """BEDLAM clips as published with GVHMR (Black et al., CVPR 2023), fully supervised.

    There are no detected keypoints (``has_kp2d`` is False): the model synthesizes them from the
    labels of the clip.

    Args:
        parts (Sequence[str]): Lists of clips to use: ``all60`` and ``maxspan60``. Defaults to both.
        kwargs: As :class:`SourceDataset`.
    """

    SOURCE = BEDLAMSource
    reads_keypoints = False

    def __init__(self, *args, parts: tuple[str, ...] = BEDLAMSource.parts, **kwargs) -> None:
        self.parts = tuple(parts)
        unknown = sorted(set(self.parts) - set(BEDLAMSource.parts))
        if unknown or not self.parts:
            raise ConfigError(f'`parts` should name some of {BEDLAMSource.parts}, got {self.parts}')
        if kwargs.get('test_mode'):
            raise ConfigError('BEDLAMDataset is for training: it has no test_mode')
        options = dict(dataset='bedlam', domain='synthetic', list_long_clips_often=False)
        super().__init__(*args, **{**options, **kwargs})

    def required_files(self) -> dict[Union[str, Path], str]:
        """Return the label pack, the lists of clips and the feature folders."""
        return self.source.required_files(self.parts, ('labels',))

    def list_clips(self) -> Sequence[dict]:
        """Return one entry per listed clip."""
        parts = [self.source.sequences((part,)) for part in self.parts]
        return self.list_sequences(self.select(reduce(add, parts)))

    def read_clip(self, info: dict, start: int, end: int) -> Clip:
        """Read a window with its labels."""
        reader = self.source.open(self.info_of(info))
        clip = self.read_inputs(reader, start, end)
        clip.labels = world_training_labels(reader, start, end)
        clip.supervision = 'full'
        return clip
