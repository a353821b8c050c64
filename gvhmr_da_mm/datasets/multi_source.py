"""Several datasets as one, with their domains and weights."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, Optional, Union

from torch.utils.data import Dataset

from ..core.errors import ConfigError
from ..registry import DATASETS
from .motion_dataset import DOMAINS, MotionDataset
from .samplers.clip_key import ClipKey
from .source_range import SourceRange


@DATASETS.register_module()
class MultiSourceDataset(Dataset):
    """Datasets of synthetic and real clips behind one index, for the alternating sampler.

    Args:
        datasets (Sequence[MotionDataset | dict]): The datasets or their configs.
        weights (Sequence[float], optional): How often each is drawn within its domain, relative to
            the others of that domain. Defaults to None: real datasets count the same, so that a
            long one does not drown a short one; synthetic ones by their number of clips.
        lazy_init (bool): Read the lists of clips on first use. Defaults to False.

    Raises:
        ConfigError: If the list is empty, a weight is not positive, a domain is unknown, or some
            real datasets give labels and others do not.
    """

    def __init__(
        self,
        datasets: Sequence[Union[MotionDataset, dict]],
        weights: Optional[Sequence[float]] = None,
        lazy_init: bool = False,
    ) -> None:
        if not datasets:
            raise ConfigError('MultiSourceDataset needs at least one dataset, got an empty list')
        if weights is not None and len(weights) != len(datasets):
            raise ConfigError(
                f'`weights` should have one number for each of the {len(datasets)} datasets, got '
                f'{len(weights)}'
            )
        if weights is not None and not all(weight > 0 for weight in weights):
            raise ConfigError(f'`weights` should be positive, got {list(weights)}')
        self.datasets = [
            DATASETS.build(dataset) if isinstance(dataset, dict) else dataset
            for dataset in datasets
        ]
        for dataset in self.datasets:
            domain = getattr(dataset, 'domain', None)
            if domain not in DOMAINS:
                raise ConfigError(
                    f'{type(dataset).__name__} has domain {domain!r}, expected one of {DOMAINS}'
                )
        check_same_supervision(self.datasets)
        self.weights = [None] * len(datasets) if weights is None else list(weights)
        self._stops: Optional[list[int]] = None
        if not lazy_init:
            self.full_init()

    def full_init(self) -> None:
        """Read the lists of clips of all datasets."""
        if self._stops is not None:
            return
        for dataset in self.datasets:
            dataset.full_init()
        self._stops = list(accumulate(len(dataset) for dataset in self.datasets))

    @property
    def metainfo(self) -> dict:
        """Meta information: that of the first dataset, and all of them under ``sources``."""
        metas = [dataset.metainfo for dataset in self.datasets]
        return dict(
            metas[0],
            dataset_name='+'.join(meta['dataset_name'] for meta in metas),
            domain='+'.join(sorted({meta['domain'] for meta in metas})),
            transductive=any(meta['transductive'] for meta in metas),
            sources=metas,
        )

    @property
    def sources(self) -> dict[str, list[SourceRange]]:
        """Index ranges of the datasets of each domain."""
        self.full_init()
        ranges: dict[str, list[SourceRange]] = {}
        starts = [0, *self._stops]
        for dataset, weight, start, stop in zip(self.datasets, self.weights, starts, self._stops):
            source = SourceRange(dataset.metainfo['dataset_name'], start, stop, weight)
            ranges.setdefault(dataset.domain, []).append(source)
        return ranges

    def __len__(self) -> int:
        self.full_init()
        return self._stops[-1]

    def locate(self, index: int) -> tuple[int, int]:
        """Return which dataset an index belongs to and the index in it."""
        size = len(self)
        if not -size <= index < size:
            raise IndexError(f'index {index} is out of range for {size} clips')
        index %= size
        which = bisect_right(self._stops, index)
        return which, index - (self._stops[which - 1] if which else 0)

    def get_data_info(self, index: int) -> dict:
        """Return the entry of a clip, as MMEngine's datasets do."""
        which, inner = self.locate(index)
        return self.datasets[which].get_data_info(inner)

    def __getitem__(self, key: Union[int, ClipKey]) -> dict[str, Any]:
        """Return the item of an index or a :class:`ClipKey`."""
        if isinstance(key, ClipKey):
            which, inner = self.locate(key.index)
            return self.datasets[which][ClipKey(inner, key.seed)]
        which, inner = self.locate(int(key))
        return self.datasets[which][inner]


def check_same_supervision(datasets: Sequence[Dataset]) -> None:
    """Check that all real datasets give labels or none does.

    Batches with labels are trained in another way. Where both kinds of batches are possible, ranks
    could have different ones in the same step, and would wait for each other for ever.

    Args:
        datasets (Sequence[Dataset]): Real ones count if they tell ``labelled_training``.

    Raises:
        ConfigError: If some do and some do not.
    """
    names: dict[bool, list[str]] = {True: [], False: []}
    for dataset in datasets:
        labelled = getattr(dataset, 'labelled_training', None)
        if dataset.domain == 'real' and labelled is not None:
            names[labelled].append(dataset.metainfo['dataset_name'])
    if names[True] and names[False]:
        raise ConfigError(
            f'real datasets should all be trained with labels or all without, got {names[True]} '
            f'with and {names[False]} without; use the same `real_supervision` (`supervision` of '
            'PackDataset) for all of them'
        )
