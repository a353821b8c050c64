"""Dataset of any sequence pack, such as one of unlabelled videos as the real domain."""

from collections.abc import Sequence
from pathlib import Path
from typing import Optional, Union

from ..core.checks import check_choice
from ..core.errors import ConfigError, DataError
from ..registry import DATASETS
from .clip import Clip
from .labels import world_training_labels
from .source_dataset import SourceDataset


@DATASETS.register_module()
class PackDataset(SourceDataset):
    """Sequences of a sequence pack, without labels unless ``supervision='labels'``.

    Otherwise labels of the pack are not opened. In ``test_mode`` items are whole
    sequences without labels, for prediction; with ``flip_test``, those of sequences without
    mirrored features carry no mirrored inputs.

    Args:
        pack (str | Path): The sequence pack, below the data root or absolute.
        dataset (str): Name in samples. Defaults to ``video``.
        domain (str): ``real`` or ``synthetic``. Defaults to ``real``.
        split (str, optional): Only sequences of this split. Defaults to None: all.
        supervision (str): ``none``, or ``labels``: neutral SMPL-X in a y-up world, as packs of
            BEDLAM have. Defaults to ``none``.
        kwargs: As :class:`SourceDataset`.
    """

    def __init__(
        self,
        *args,
        pack: Union[str, Path],
        dataset: str = 'video',
        domain: str = 'real',
        split: Optional[str] = None,
        supervision: str = 'none',
        **kwargs,
    ) -> None:
        check_choice(supervision, ('none', 'labels'), 'supervision')
        if kwargs.get('test_mode', False) and supervision == 'labels':
            raise ConfigError('supervision="labels" is for training: test items have no labels')
        self.split, self.supervision = split, supervision
        super().__init__(*args, pack=pack, dataset=dataset, domain=domain, **kwargs)

    @property
    def labelled_training(self) -> bool:
        """Whether training items carry 3D labels."""
        return self.supervision == 'labels'

    def required_files(self) -> dict[Union[str, Path], str]:
        """Return the pack."""
        return self.source.required_files((), ())

    def list_clips(self) -> Sequence[dict]:
        """Return one entry per sequence of the split and subset, less those excluded."""
        infos = self.source.sequences(None if self.split is None else (self.split,))
        if not infos:
            known = sorted({split for info in self.source.sequences() for split in info.splits})
            raise DataError(
                f'{self.location} has no sequence of split {self.split!r}; its splits are {known}'
            )
        infos = self.select(infos)
        unlabelled = self.lacking(infos, 'smplx_params.transl') if self.labelled_training else []
        if unlabelled:
            raise DataError(
                f'{self.location}: {len(unlabelled)} of {len(infos)} sequences have no SMPL-X '
                f'labels, such as {unlabelled[0].id!r}'
            )
        return self.list_sequences(infos)

    def read_clip(self, info: dict, start: int, end: int) -> Clip:
        """Read frames of a sequence, with labels only for ``supervision='labels'``."""
        reader = self.source.open(self.info_of(info))
        clip = self.read_inputs(reader, start, end)
        if self.test_mode:
            clip.conditions = dict(intrinsics=self.intrinsics)
        if self.labelled_training:
            clip.labels, clip.supervision = world_training_labels(reader, start, end), 'full'
        return clip
