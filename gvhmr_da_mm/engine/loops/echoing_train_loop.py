"""Training loop that trains several times on what it reads."""

from collections.abc import Iterator
from typing import Any, Optional

import torch
from mmengine.dist import get_rank
from torch.utils.data import DataLoader

from ...core.checks import check_at_least
from ...core.errors import ConfigError
from ...datasets.samplers import clip_seed
from ...models import GVHMR
from ...registry import LOOPS
from ..batch_samples import READ_KEY
from ..clip_pool import ClipPool
from ..unwrap import unwrap_model
from .resumable_train_loop import ResumableTrainLoop


@LOOPS.register_module()
class EchoingTrainLoop(ResumableTrainLoop):
    """Update the model several times for each batch that is read, on clips drawn from a pool.

    For small networks whose GPU trains faster than the CPU reads. Every batch of the data loader
    goes to a pool of the latest clips on the device of the model, and is followed by ``repeats``
    updates on as many clips as the first batch has, drawn at random from the pool. What the model
    draws itself, such as the errors of keypoints, is new each time. The seed decides on all that is
    read and drawn: batch k comes right before update ``k * repeats``, however fast it was read.

    Note:
        - Iterations are updates: an epoch has ``repeats`` times as many as its data loader has
          batches, for schedules, intervals and logs as well.
        - A checkpoint does not hold the pool. A resumed run fills it anew from the position on, and
          so differs from one that was not interrupted.
        - ``BadSampleHook`` and ``LockedPartsHook`` look at what is read, not at what is drawn.

    Args:
        runner (Runner): The runner, of a :class:`GVHMR`.
        dataloader (DataLoader | dict): Of labelled clips of one shape.
        max_epochs (int): Passes over the data loader.
        repeats (int): Updates for each batch that is read. Defaults to 5.
        pool_clips (int): Clips of the pool, no more than a run reads. A clip of 60 frames without
            image features takes 39 kB. Defaults to 100000.
        kwargs (Any): As for :class:`mmengine.runner.EpochBasedTrainLoop`.

    Raises:
        ConfigError: If a number is not positive, or the model is another one, such as
            :class:`DomainAdaptiveGVHMR`, whose batches alternate between domains.

    Source: Choi et al., Faster neural network training with data echoing, 2019: batch echoing after
    augmentation, with a shuffle buffer that is not emptied.
    """

    def __init__(
        self,
        runner: Any,
        dataloader: Any,
        max_epochs: int,
        repeats: int = 5,
        pool_clips: int = 100_000,
        **kwargs: Any,
    ) -> None:
        check_at_least(1, repeats=repeats, pool_clips=pool_clips)
        super().__init__(runner, dataloader, max_epochs, **kwargs)
        model = unwrap_model(runner)
        if not isinstance(model, GVHMR):
            raise ConfigError(
                f'`train_cfg.type=EchoingTrainLoop` trains a GVHMR on labelled clips, got '
                f'{type(model).__name__}. Use `train_cfg.type=ResumableTrainLoop`'
            )
        self.repeats, self.pool_clips = repeats, pool_clips
        self.dataloader = _Repeated(self.dataloader, repeats)
        self._max_iters = self._max_epochs * len(self.dataloader)
        self._pool: Optional[ClipPool] = None
        self._batch_size = 0

    @property
    def loader(self) -> DataLoader:
        """The data loader that reads."""
        return self.dataloader.loader

    def _batches(self) -> Iterator[dict]:
        """Return the batches of the updates of the epoch from the current step on."""
        number = self.step // self.repeats
        batches = self._read_from(number)
        if self._pool is None and self._iter:
            self.runner.logger.warning(
                'A checkpoint does not hold the pool of clips: it is filled anew, from batch '
                f'{number + 1} of the epoch on'
            )
        return self._drawn(batches, self.step)

    def _drawn(self, batches: Iterator[dict], first: int) -> Iterator[dict]:
        for step in range(first, len(self.dataloader)):
            read = ()
            # A run that was stopped between the updates of a batch reads that one again.
            if step == first or step % self.repeats == 0:
                batch = next(batches)
                read = batch['data_samples']
                self._take_in(batch)
            seed = clip_seed(self.runner.seed, get_rank(), self._epoch, step)
            generator = torch.Generator().manual_seed(seed)
            indices = torch.randint(self._pool.count, (self._batch_size,), generator=generator)
            yield {**self._pool.draw(indices), READ_KEY: read}

    def _take_in(self, batch: dict) -> None:
        model = unwrap_model(self.runner)
        samples = batch['data_samples']
        ready = model.data_preprocessor(batch, True)
        device = ready['inputs']['valid'].device
        labels = model.require_labels(ready['data_samples'], device)
        first = self._pool is None
        if first:
            self._batch_size = len(samples)
            most = self._max_epochs * len(self.loader) * self._batch_size
            self._pool = ClipPool(min(self.pool_clips, most), device)
        self._pool.add(ready['inputs'], labels, samples)
        if first:
            self.runner.logger.info(
                f'Every batch that is read trains {self.repeats} times, by draws from the latest '
                f'{self._pool.size} clips, which take {self._pool.num_bytes / 2**20:.0f} MiB on '
                f'{device}'
            )


class _Repeated:
    """A data loader that counts each batch several times; all else is the loader's own."""

    def __init__(self, loader: DataLoader, repeats: int) -> None:
        self.loader, self.repeats = loader, repeats

    def __len__(self) -> int:
        return self.repeats * len(self.loader)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loader, name)
