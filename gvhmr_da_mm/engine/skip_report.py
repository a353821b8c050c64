"""Description of a skipped update: which loss, modules and clips."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Optional

from torch import Tensor, nn

from ..core.errors import list_some
from .optim_wrappers.finite_step_mixin import SkippedStep


@dataclass
class TrainedBatch:
    """A training batch and its losses.

    Args:
        iteration (int): The iteration, from 1 as in the log.
        domain (str): Domain of its clips.
        clips (list[str]): Its clips, as ``dataset/sequence[start:end]``.
        terms (dict[str, Tensor]): Logged losses. Defaults to {}.
    """

    iteration: int
    domain: str
    clips: list[str]
    terms: dict[str, Tensor] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, iteration: int, data_batch: Any, outputs: Optional[dict]) -> 'TrainedBatch':
        """Make one from the arguments of a hook; unknown fields of samples are left out."""
        batch = data_batch if isinstance(data_batch, dict) else {}
        samples = batch.get('data_samples') or []
        domains = sorted({getattr(sample, 'domain', 'unnamed') for sample in samples})
        terms = {name: value for name, value in (outputs or {}).items() if 'loss' in name}
        return cls(iteration, '+'.join(domains), [_clip(sample) for sample in samples], terms)

    def bad_terms(self, part: str) -> dict[str, float]:
        """Return the losses of an optimiser that are not finite, sums last."""
        names = [name for name in self.terms if _belongs(name, part)]
        values = {name: float(self.terms[name]) for name in names}
        bad = {name: value for name, value in values.items() if not isfinite(value)}
        return dict(sorted(bad.items(), key=lambda item: _is_sum(item[0], names)))


@dataclass
class SkipReport:
    """Why an update of one optimiser was skipped.

    Args:
        part (str): Key of the optimiser.
        skip (SkippedStep): The record of the optimiser wrapper.
        batches (list[TrainedBatch]): The batches of the accumulation.
        modules (list[str]): Modules whose gradients are not finite, in the model's order.
    """

    part: str
    skip: SkippedStep
    batches: list[TrainedBatch]
    modules: list[str]

    @classmethod
    def of(
        cls, part: str, skip: SkippedStep, batches: list[TrainedBatch], model: nn.Module
    ) -> 'SkipReport':
        """Make one of the batches with bad losses, or of all batches if none has any."""
        with_bad_terms = [batch for batch in batches if batch.bad_terms(part)]
        bad = {id(parameter) for parameter in skip.parameters}
        names = [name for name, value in model.named_parameters() if id(value) in bad]
        modules = list(dict.fromkeys(name.rpartition('.')[0] or name for name in names))
        return cls(part, skip, with_bad_terms or batches, modules)

    @property
    def cause(self) -> str:
        """One line on the losses or gradients that were not finite."""
        terms = {}
        for batch in self.batches:
            terms.update(batch.bad_terms(self.part))
        if terms:
            listed = [f'`{name}` = {value}' for name, value in terms.items()]
            return f'the loss was not finite, first {list_some(listed)}'
        if not self.skip.loss_is_finite:
            return 'the loss was not finite, but every term logged here was'
        if not self.modules:
            return 'the loss was finite, but the norm of the gradient was not'
        return f'the loss was finite, but gradients were not: those of {list_some(self.modules)}'

    @property
    def where(self) -> str:
        """One line on the batches of the update."""
        return '; '.join(
            f'{batch.domain or "unnamed"} batch of iteration {batch.iteration} '
            f'({list_some(batch.clips) or "clips unknown"})'
            for batch in self.batches
        )


def _clip(sample: Any) -> str:
    start, end = getattr(sample, 'start', None), getattr(sample, 'end', None)
    frames = '' if start is None or end is None else f'[{start}:{end}]'
    return f'{getattr(sample, "dataset", "?")}/{getattr(sample, "sequence", "?")}{frames}'


def _belongs(name: str, part: str) -> bool:
    """Return whether a loss belongs to an optimiser: ``'discriminator'`` or any other."""
    return name.startswith('discriminator_') == (part == 'discriminator')


def _is_sum(name: str, names: Iterable[str]) -> bool:
    """Return whether ``x_loss`` or ``loss`` is the sum of ``x_..._loss`` among the names."""
    stem = name[: -len('loss')]
    return any(other != name and other.startswith(stem) for other in names)
