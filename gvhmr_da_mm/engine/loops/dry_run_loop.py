"""Dry run: one batch of every dataset, one training step, one prediction."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Optional

import torch
from mmengine.optim import OptimWrapperDict
from mmengine.runner import EpochBasedTrainLoop
from mmengine.runner.base_loop import BaseLoop
from torch import nn
from torch.utils.data import DataLoader

from ...core.errors import DryRunError, GVHMRError
from ...datasets import ClipKey
from ...registry import LOOPS
from ..total_steps import check_schedules

try:
    import resource
except ImportError:  # Windows
    resource = None

ALL_DOMAINS = 'all'
"""Domain of datasets without domains."""


@dataclass
class TriedSource:
    """Measurements of one dataset of a dataloader; None where it was not tried.

    Args:
        split (str): ``'train'``, ``'val'``, ``'test'``, or ``'val/test'`` if they are the same.
        domain (str): Domain of the dataset.
        name (str): Name of the dataset.
        clips (int): Number of its clips.
        batch (int): Number of clips read.
        data_seconds (float): Time to read them in one process, s.
        shapes (dict[str, tuple]): Shape and type of each input of a clip. Defaults to {}.
        model_seconds (float, optional): Time of forward and backward pass, or of prediction, s.
            Defaults to None.
        update_seconds (float, optional): Time of the update of the weights, s. Defaults to None.
        memory (int, optional): Peak memory of the GPU during the step, bytes. Defaults to None.
    """

    split: str
    domain: str
    name: str
    clips: int
    batch: int
    data_seconds: float
    shapes: dict[str, tuple] = field(default_factory=dict)
    model_seconds: Optional[float] = None
    update_seconds: Optional[float] = None
    memory: Optional[int] = None


@LOOPS.register_module()
class DryRunLoop(EpochBasedTrainLoop):
    """Read a batch of every dataset, train one step on each domain, predict one clip of each test.

    Hooks run before training, and before and after each iteration. On a GPU each step runs twice,
    the first time to warm up. Arguments are those of
    :class:`mmengine.runner.EpochBasedTrainLoop`.

    Attributes:
        sources (list[TriedSource]): Measurements of each dataset.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sources: list[TriedSource] = []

    def run(self) -> nn.Module:
        """Run all stages once.

        Raises:
            ConfigError: If a schedule ends before the training.
            DryRunError: If a stage fails with an error of another library; it names the stage.
        """
        check_schedules(self.runner.param_schedulers, self._max_epochs, self._max_iters)
        with stage('preparing the training (hooks before the first epoch)'):
            self.runner.call_hook('before_train')
            self.runner.call_hook('before_train_epoch')
        trained = set()
        for domain, name, start, stop in _ranges(self.dataloader):
            keys = [ClipKey(start + i % (stop - start), i) for i in range(self._batch_size)]
            tried, batch = self._read('train', self.dataloader, domain, name, stop - start, keys)
            if domain not in trained:
                trained.add(domain)
                with stage(f'training on a {domain} batch of {name}'):
                    self._train(tried, batch)
        for split, loop in _test_loops(self.runner):
            for domain, name, start, stop in _ranges(loop.dataloader):
                tried, batch = self._read(
                    split, loop.dataloader, domain, name, stop - start, [start]
                )
                with stage(f'predicting a clip of {name}'):
                    self._predict(loop, tried, batch)
        return self.runner.model

    @property
    def _batch_size(self) -> int:
        sampler = self.dataloader.batch_sampler
        return getattr(sampler, 'batch_size', None) or self.dataloader.batch_size

    def _read(
        self, split: str, loader: DataLoader, domain: str, name: str, clips: int, keys: list
    ) -> tuple[TriedSource, Any]:
        with stage(f'reading {len(keys)} clip(s) of {name}'):
            begin = perf_counter()
            items = [loader.dataset[key] for key in keys]
            batch = loader.collate_fn(items)
            seconds = perf_counter() - begin
        tried = TriedSource(split, domain, name, clips, len(keys), seconds, _shapes(items[0]))
        self.sources.append(tried)
        return tried, batch

    def _train(self, tried: TriedSource, batch: Any) -> None:
        self.runner.model.train()
        for _ in range(2 if torch.cuda.is_available() else 1):
            if torch.cuda.is_available():
                torch.cuda.reset_peak_memory_stats()
            self.runner.call_hook('before_train_iter', batch_idx=self._iter, data_batch=batch)
            begin = _now()
            with _timed_updates(self.runner.optim_wrapper) as updates:
                outputs = self.runner.model.train_step(batch, self.runner.optim_wrapper)
            seconds = _now() - begin
            self.runner.call_hook(
                'after_train_iter', batch_idx=self._iter, data_batch=batch, outputs=outputs
            )
            self._iter += 1
        tried.update_seconds = sum(updates)
        tried.model_seconds = seconds - tried.update_seconds
        tried.memory = _gpu_memory()

    def _predict(self, loop: BaseLoop, tried: TriedSource, batch: Any) -> None:
        self.runner.model.eval()
        begin = _now()
        with torch.no_grad():
            outputs = self.runner.model.val_step(batch)
        tried.model_seconds = _now() - begin
        tried.memory = _gpu_memory()
        loop.evaluator.process(data_samples=outputs, data_batch=batch)


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Wrap errors of other libraries in a :class:`DryRunError` that names the stage."""
    try:
        yield
    except GVHMRError:
        raise
    except Exception as error:
        frame = error.__traceback__
        while frame.tb_next is not None:
            frame = frame.tb_next
        place = f'{frame.tb_frame.f_code.co_filename}:{frame.tb_lineno}'
        raise DryRunError(
            f'{name} failed: {type(error).__name__}: {error} ({place}). '
            'Without `--dry-run` the training would stop with the whole traceback'
        ) from error


def peak_memory() -> Optional[int]:
    """Return the peak memory of the process so far, bytes; None on Windows."""
    if resource is None:
        return None
    unit = 1 if sys.platform == 'darwin' else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _ranges(loader: DataLoader) -> list[tuple[str, str, int, int]]:
    """Return domain, name, start and stop of each dataset behind a dataloader."""
    dataset = loader.dataset
    if not hasattr(dataset, 'sources'):
        return [(ALL_DOMAINS, type(dataset).__name__, 0, len(dataset))]
    return [
        (domain, source.name, source.start, source.stop)
        for domain, sources in sorted(dataset.sources.items(), reverse=True)
        for source in sources
        if source.stop > source.start
    ]


def _test_loops(runner: Any) -> list[tuple[str, BaseLoop]]:
    """Return the evaluation loops by split; one if validation and test read the same data."""
    loops = [('val', runner.val_loop), ('test', runner.test_loop)]
    loops = [(split, loop) for split, loop in loops if loop is not None]
    cfg = runner.cfg
    if len(loops) == 2 and cfg.val_dataloader.dataset == cfg.test_dataloader.dataset:
        loops = [('val/test', loops[0][1])]
    return loops


@contextmanager
def _timed_updates(optim_wrapper: Any) -> Iterator[list[float]]:
    """Collect the times of the updates of all optimisers, s."""
    several = isinstance(optim_wrapper, OptimWrapperDict)
    wrappers = list(optim_wrapper.values()) if several else [optim_wrapper]
    seconds: list[float] = []

    def timed(step: Any) -> Any:
        def wrapper(*args: Any, **kwargs: Any) -> None:
            begin = _now()
            step(*args, **kwargs)
            seconds.append(_now() - begin)

        return wrapper

    # MMEngine's schedulers have replaced `step` of each instance.
    before = [vars(wrapper).get('step') for wrapper in wrappers]
    for wrapper in wrappers:
        wrapper.step = timed(wrapper.step)
    try:
        yield seconds
    finally:
        for wrapper, step in zip(wrappers, before):
            del wrapper.step
            if step is not None:
                wrapper.step = step


def _shapes(item: dict) -> dict[str, tuple]:
    inputs = item.get('inputs', {}) if isinstance(item, dict) else {}
    inputs = inputs if isinstance(inputs, dict) else {'inputs': inputs}
    return {
        name: (tuple(value.shape), str(value.dtype).removeprefix('torch.'))
        for name, value in inputs.items()
        if isinstance(value, torch.Tensor)
    }


def _now() -> float:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return perf_counter()


def _gpu_memory() -> Optional[int]:
    return torch.cuda.max_memory_allocated() if torch.cuda.is_available() else None
