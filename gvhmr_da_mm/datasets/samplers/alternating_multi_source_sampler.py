"""Batch sampler that alternates between domains."""

import logging
import math
from collections import OrderedDict
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Optional, Union

import numpy as np
from mmengine.dist import get_dist_info
from mmengine.logging import print_log
from torch.utils.data import Sampler

from ...core.checks import check_at_least
from ...core.errors import ConfigError
from ...registry import DATA_SAMPLERS
from .clip_key import ClipKey, clip_seed
from .weighted_stream import WeightedStream, exact_ceil

_MAX_DENOMINATOR = 1000
_CACHED_PERMUTATIONS = 16
MIN_BATCHES = 10
"""Batches of a domain in an epoch; with fewer, schedules in epochs hardly train."""


@DATA_SAMPLERS.register_module()
class AlternatingMultiSourceSampler(Sampler):
    """Batch sampler whose batches are of one domain each, in a fixed rhythm.

    The batch of (seed, epoch, step) is computed directly, so training resumes at any step without
    replaying. All ranks take the same domain at the same step and disjoint parts of the global
    batch. Each clip is drawn once before any clip of its dataset is drawn again; passes run on
    across batches and epochs, so that no clip is favoured. Use it as MMEngine's ``batch_sampler``::

        train_dataloader = dict(
            batch_size=64,
            sampler=dict(type='DefaultSampler', shuffle=True),
            batch_sampler=dict(type='AlternatingMultiSourceSampler', alternating_ratio=1),
            dataset=dict(type='MultiSourceDataset', datasets=dict(...)),
        )

    Note:
        The rhythm starts with a synthetic batch and spreads the rarer domain evenly: ratio 2 is
        S R R S R R, ratio 0.5 is S S R S S R. It runs on across epochs. An epoch has as many
        synthetic batches as the synthetic clips fill, and the real ones that belong to them. With
        one domain alone every batch is of that domain and the ratio has no effect. Fewer than
        :data:`MIN_BATCHES` batches of a domain in an epoch are warned about.

    Args:
        sampler (Sampler): MMEngine's sampler, with the dataset, the seed, ``shuffle``, and the
            epoch that ``DistSamplerSeedHook`` sets.
        batch_size (int): Clips per batch and rank.
        alternating_ratio (float, optional): Real batches for each synthetic one; 0 leaves the real
            clips unused. Taken as a fraction with a denominator of at most 1000. None draws every
            clip of both domains equally often, as one mixed dataset; real datasets without a weight
            then count by their number of clips, too. Defaults to 1.
        batches_per_epoch (int | float, optional): Shorter (or longer) epochs: a number of batches,
            or a float, the fraction of an epoch. Defaults to None: the whole epoch.

    Raises:
        ConfigError: If an argument is impossible or the dataset has no usable source.
    """

    def __init__(
        self,
        sampler: Any,
        batch_size: int,
        alternating_ratio: Optional[float] = 1.0,
        batches_per_epoch: Optional[Union[int, float]] = None,
    ) -> None:
        check_at_least(1, batch_size=batch_size)
        if alternating_ratio is not None and not 0 <= alternating_ratio <= _MAX_DENOMINATOR:
            raise ConfigError(
                f'`alternating_ratio` should be from 0 to {_MAX_DENOMINATOR}, or None, got '
                f'{alternating_ratio}'
            )
        if batches_per_epoch is not None and not 0 < batches_per_epoch < math.inf:
            raise ConfigError(
                f'`batches_per_epoch` should be positive and finite, got {batches_per_epoch}'
            )
        for name in ('dataset', 'seed', 'epoch'):
            if not hasattr(sampler, name):
                raise ConfigError(
                    f"`sampler` should have a `{name}`, as MMEngine's DefaultSampler, got "
                    f'{type(sampler).__name__}'
                )
        if not hasattr(sampler.dataset, 'sources'):
            raise ConfigError(
                'the dataset should be a MultiSourceDataset or a MotionDataset, got '
                f'{type(sampler.dataset).__name__}'
            )
        sizes = [
            source.stop - source.start
            for ranges in sampler.dataset.sources.values()
            for source in ranges
        ]
        if sum(sizes) != len(sampler.dataset):
            raise ConfigError(
                f'the dataset has {len(sampler.dataset)} clips but its sources {sum(sizes)}: to '
                "shorten epochs, set `batches_per_epoch` of the sampler instead of MMEngine's "
                '`num_batch_per_epoch`'
            )
        self.sampler = sampler
        self.batch_size = batch_size
        self.rank, self.world_size = get_dist_info()
        self.start_step = 0
        self._permutations: OrderedDict[tuple, np.ndarray] = OrderedDict()
        sources = {
            domain: WeightedStream(
                ranges, by_size=domain == 'synthetic' or alternating_ratio is None
            )
            for domain, ranges in sampler.dataset.sources.items()
        }
        self._sources = {domain: source for domain, source in sources.items() if source.size}
        if not self._sources:
            raise ConfigError('the dataset has no clips to sample from')
        self._real_share = self._share_of_real(alternating_ratio)
        self._num_batches = self._epoch_length(batches_per_epoch)
        self._warn_of_short_epochs()

    def _share_of_real(self, ratio: Optional[float]) -> Fraction:
        """Return which share of the batches is real."""
        if set(self._sources) == {'synthetic', 'real'}:
            if ratio is None:
                real = self._sources['real'].size
                return Fraction(real, real + self._sources['synthetic'].size)
            exact = Fraction(ratio).limit_denominator(_MAX_DENOMINATOR)
            if ratio and not exact:
                raise ConfigError(
                    f'`alternating_ratio` should be 0 or at least 1/{_MAX_DENOMINATOR}, got {ratio}'
                )
            return exact / (1 + exact)
        only = next(iter(self._sources))
        print_log(f'All batches are {only}: there are no clips of the other domain.', 'current')
        return Fraction(int(only == 'real'))

    def _epoch_length(self, limit: Optional[Union[int, float]]) -> int:
        """Return the number of batches per epoch."""
        counted = 'real' if self._real_share == 1 else 'synthetic'
        share = self._real_share if counted == 'real' else 1 - self._real_share
        batches = -(-self._sources[counted].size // (self.batch_size * self.world_size))
        length = batches * share.denominator // share.numerator
        if limit is None:
            return length
        return limit if isinstance(limit, int) else max(int(length * limit), 1)

    def _warn_of_short_epochs(self) -> None:
        """Warn if an epoch has few batches of a domain, as with small sets."""
        shares = dict(synthetic=1 - self._real_share, real=self._real_share)
        short = [
            f'{float(shares[domain] * self._num_batches):.3g} {domain} batches '
            f'({source.size} clips)'
            for domain, source in self._sources.items()
            if 0 < shares[domain] * self._num_batches < MIN_BATCHES
        ]
        if short:
            print_log(
                f'An epoch has only {" and ".join(short)} of {self.batch_size} clips: schedules in '
                'epochs hardly train with fewer than '
                f'{MIN_BATCHES}. Set the iterations of an epoch with '
                '`train_dataloader.batch_sampler.batches_per_epoch`, or a smaller `batch_size`',
                logger='current',
                level=logging.WARNING,
            )

    # -- the schedule -----------------------------------------------------------------------------

    def domain(self, epoch: int, step: int) -> str:
        """Return the domain of a batch.

        Args:
            epoch (int): The epoch, from 0.
            step (int): The batch in the epoch, from 0.

        Returns:
            str: ``'synthetic'`` or ``'real'``.
        """
        return self._place(epoch, step)[0]

    def _place(self, epoch: int, step: int) -> tuple[str, int]:
        """Return a batch's domain and how many batches of that domain came before it."""
        batch = epoch * self._num_batches + step
        share = 1 - self._real_share
        synthetic = exact_ceil(batch, share)
        if exact_ceil(batch + 1, share) > synthetic:
            return 'synthetic', synthetic
        return 'real', batch - synthetic

    def batch(self, epoch: int, step: int) -> list[ClipKey]:
        """Return the batch of this rank at a step of an epoch.

        Args:
            epoch (int): The epoch, from 0.
            step (int): The batch in the epoch, from 0.

        Returns:
            list[ClipKey]: ``batch_size`` keys of one domain.
        """
        domain, number = self._place(epoch, step)
        source = self._sources[domain]
        global_batch = self.batch_size * self.world_size
        keys = []
        for place in range(self.rank * self.batch_size, (self.rank + 1) * self.batch_size):
            which, served = source.serve(number * global_batch + place)
            start, stop = source.ranges[which][1:3]
            pass_number, position = divmod(served, stop - start)
            index = start + int(self._order(start, stop, pass_number)[position])
            keys.append(ClipKey(index, clip_seed(self.sampler.seed, epoch, step, place)))
        return keys

    def _order(self, start: int, stop: int, pass_number: int) -> np.ndarray:
        """Return the order of a dataset's clips in one pass."""
        if not getattr(self.sampler, 'shuffle', True):
            return np.arange(stop - start)
        name = (self.sampler.seed, start, stop, pass_number)
        if name not in self._permutations:
            rng = np.random.default_rng(clip_seed(*name))
            # Of a million clips 16 orders would take 128 MB.
            self._permutations[name] = rng.permutation(stop - start).astype(np.int32)
            if len(self._permutations) > _CACHED_PERMUTATIONS:
                self._permutations.popitem(last=False)
        return self._permutations[name]

    def __iter__(self) -> Iterator[list[ClipKey]]:
        """Iterate over the epoch set on ``sampler``, once from ``start_step``."""
        epoch, first = self.sampler.epoch, self.start_step
        self.start_step = 0
        for step in range(first, self._num_batches):
            yield self.batch(epoch, step)

    def __len__(self) -> int:
        """Return the number of batches of a whole epoch."""
        return self._num_batches
