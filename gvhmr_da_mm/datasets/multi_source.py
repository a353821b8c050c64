"""Concatenation of named datasets of several domains."""

import logging
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any, Optional, Union

from mmengine.logging import print_log
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
        datasets (dict[str, MotionDataset | dict]): The datasets or their configs by name, in the
            order of their indices. One that is None is left out.
        weights (dict[str, float], optional): How often a dataset is drawn within its domain,
            relative to the others of that domain, by name. One without a weight counts 1 if it is
            real, so that a long one does not drown a short one, and its number of clips if it is
            synthetic or the sampler's ``alternating_ratio`` is None. Defaults to None: all are
            without.
        lazy_init (bool): Read the lists of clips on first use. Defaults to False.
        optional (Sequence[str]): Names of datasets that are left out, with a warning, where none of
            their files exists. One that names a ``pack`` has to be there. Defaults to (): none.

    Raises:
        ConfigError: If there is no dataset, they have no names, a weight is not positive or is that
            of no dataset, a domain is unknown, or some real datasets give labels and others do not.
    """

    def __init__(
        self,
        datasets: Mapping[str, Union[MotionDataset, dict, None]],
        weights: Optional[Mapping[str, float]] = None,
        lazy_init: bool = False,
        optional: Sequence[str] = (),
    ) -> None:
        self.weights = dict(weights or {})
        check_names(datasets, self.weights, optional)
        absent = absent_datasets(datasets, optional)
        for name, file in absent.items():
            print_log(
                f'`datasets.{name}` is left out, as there is no {file}: training goes on without '
                f'it. Set `datasets.{name}.pack` or `--data-root` if it should be there',
                'current',
                logging.WARNING,
            )
        self.datasets = {
            name: DATASETS.build(dataset) if isinstance(dataset, dict) else dataset
            for name, dataset in datasets.items()
            if dataset is not None and name not in absent
        }
        if not self.datasets:
            raise ConfigError(f'MultiSourceDataset needs at least one dataset, got {datasets}')
        for name, dataset in self.datasets.items():
            domain = getattr(dataset, 'domain', None)
            if domain not in DOMAINS:
                raise ConfigError(
                    f'{type(dataset).__name__} {name!r} has domain {domain!r}, expected one of '
                    f'{DOMAINS}'
                )
        check_same_supervision(self.datasets.values())
        self._stops: Optional[list[int]] = None
        if not lazy_init:
            self.full_init()

    def full_init(self) -> None:
        """Read the lists of clips of all datasets."""
        if self._stops is not None:
            return
        for dataset in self.datasets.values():
            dataset.full_init()
        self._stops = list(accumulate(map(len, self.datasets.values())))

    @property
    def metainfo(self) -> dict:
        """Meta information: that of the first dataset, and all of them under ``sources``."""
        metas = [dataset.metainfo for dataset in self.datasets.values()]
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
        for (name, dataset), start, stop in zip(self.datasets.items(), starts, self._stops):
            title, weight = dataset.metainfo['dataset_name'], self.weights.get(name)
            source = SourceRange(title, start, stop, weight)
            ranges.setdefault(dataset.domain, []).append(source)
        return ranges

    def __len__(self) -> int:
        self.full_init()
        return self._stops[-1]

    def locate(self, index: int) -> tuple[MotionDataset, int]:
        """Return the dataset that an index belongs to and the index in it."""
        size = len(self)
        if not -size <= index < size:
            raise IndexError(f'index {index} is out of range for {size} clips')
        index %= size
        which = bisect_right(self._stops, index)
        dataset = list(self.datasets.values())[which]
        return dataset, index - (self._stops[which - 1] if which else 0)

    def get_data_info(self, index: int) -> dict:
        """Return the entry of a clip, as MMEngine's datasets do."""
        dataset, inner = self.locate(index)
        return dataset.get_data_info(inner)

    def __getitem__(self, key: Union[int, ClipKey]) -> dict[str, Any]:
        """Return the item of an index or a :class:`ClipKey`."""
        if isinstance(key, ClipKey):
            dataset, inner = self.locate(key.index)
            return dataset[ClipKey(inner, key.seed)]
        dataset, inner = self.locate(int(key))
        return dataset[inner]


def absent_datasets(datasets: Mapping[str, Any], optional: Sequence[str]) -> dict[str, str]:
    """Return the optional datasets of which no file exists.

    Args:
        datasets (dict[str, MotionDataset | dict]): By name; only configs can be absent.
        optional (Sequence[str]): Names of those that may be.

    Returns:
        dict[str, str]: One of the missing files by name.
    """
    absent = {}
    for name in optional:
        config = datasets.get(name)
        if not isinstance(config, dict) or config.get('pack') is not None:
            continue
        files = DATASETS.build({**config, 'lazy_init': True}).required_files()
        if files and not any(Path(file).exists() for file in files):
            absent[name] = str(next(iter(files)))
    return absent


def check_names(datasets: Any, weights: Mapping[str, float], optional: Sequence[str] = ()) -> None:
    """Check that datasets have names, and weights and optional ones those of datasets.

    Args:
        datasets (Any): Should be a dict.
        weights (dict[str, float]): By name.
        optional (Sequence[str]): Names. Defaults to ().

    Raises:
        ConfigError: If a name is missing or unknown, or a weight is not positive.
    """
    if not isinstance(datasets, Mapping):
        raise ConfigError(
            '`datasets` of MultiSourceDataset should be a dict of datasets by name, such as '
            f'dict(bedlam=dict(type="BEDLAMDataset")), got a {type(datasets).__name__}'
        )
    for field, names in dict(weights=weights, optional=optional).items():
        unknown = sorted(set(names) - set(datasets))
        if unknown:
            raise ConfigError(
                f'`{field}` of MultiSourceDataset names {unknown[0]!r}, but the datasets are '
                f'{", ".join(datasets)}'
            )
    if not all(weight > 0 for weight in weights.values()):
        raise ConfigError(f'`weights` of MultiSourceDataset should be positive, got {weights}')


def check_same_supervision(datasets: Iterable[Dataset]) -> None:
    """Check that either all real datasets have labels or none.

    Labelled real batches take another training step. With both kinds, ranks could take different
    steps at the same time, and would wait for each other forever.

    Args:
        datasets (Iterable[Dataset]): Real ones count if they have ``labelled_training``.

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
