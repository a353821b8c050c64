"""Training steps at full size: forward, backward, clipping and update, on clips of 120 frames."""

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import torch
from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import Tensor, nn

from benchmarks.speed import body, network  # noqa: F401, they register the plain parts
from benchmarks.speed.case import Case, Pair, Settings
from benchmarks.speed.models import full_config, full_model, inputs_of
from gvhmr_da_mm.engine import AdaptationOptimWrapperConstructor, PrecisionOptimWrapperConstructor
from gvhmr_da_mm.models import GVHMR, DomainAdaptiveGVHMR
from gvhmr_da_mm.models.adaptation import PseudoLabeler
from gvhmr_da_mm.registry import MODELS
from gvhmr_da_mm.structures import MotionPrediction
from tests.testing import toy_batch

FRAMES = 120
BATCHES = (8, 16, 32, 64)
PLAIN_PARTS = dict(
    backbone=dict(attention=dict(type='PlainAttention')), body_model=dict(type='PlainLight')
)


@MODELS.register_module()
class PlainLabeler(PseudoLabeler):
    """Predicts the views of a clip one after the other."""

    def _predict_views(
        self, teacher: GVHMR, inputs: dict[str, Tensor]
    ) -> tuple[list[MotionPrediction], Tensor]:
        def infer(stacked: dict[str, Tensor]) -> MotionPrediction:
            views = zip(*(value.chunk(len(self.views) + 1) for value in stacked.values()))
            return MotionPrediction.cat([teacher.infer(dict(zip(stacked, one))) for one in views])

        one_by_one = SimpleNamespace(infer=infer, body_model=teacher.body_model)
        return super()._predict_views(one_by_one, inputs)


def supervised_step(settings: Settings, batch: int, fast: bool = False) -> Pair:
    """Train on labelled clips; ``fast`` is in bfloat16 with a compiled network."""
    config = _without(full_config('gvhmr_bedlam.py', settings).optim_wrapper, 'constructor')
    ours, plain = (
        full_model('gvhmr_bedlam.py', settings, **parts).train() for parts in ({}, PLAIN_PARTS)
    )
    if fast:
        config['precision'] = 'bf16'
        ours.backbone.compile()
        ours.head.compile()
    wrapper = PrecisionOptimWrapperConstructor(config)(ours)
    return Pair(
        _stepper(ours, wrapper, 'synthetic', batch),
        _stepper(plain, _plain_wrapper(plain, 2e-4), 'synthetic', batch),
    )


def recorded_step(settings: Settings, batch: int, fast: bool = False) -> Pair:
    """Train the small network in bfloat16 by a CUDA graph; plain is the same without the graph.

    ``fast`` is with a compiled network in the graph.
    """
    steps = []
    for ours in (True, False):
        fields = dict(cuda_graph=ours, compile=fast and ours)
        model = full_model('gvhmr_keypoints_s.py', settings, model=fields).train()
        config = _without(
            full_config('gvhmr_keypoints_s.py', settings).optim_wrapper, 'constructor'
        )
        config['precision'] = 'bf16'
        wrapper = PrecisionOptimWrapperConstructor(config)(model)
        steps.append(_stepper(model, wrapper, 'synthetic', batch))
    return Pair(*steps)


def adaptation_step(settings: Settings, batch: int) -> Pair:
    """Train on real clips with two views of each."""
    ours, wrapper = _adaptive(settings)
    plain, _ = _adaptive(settings, PlainLabeler, **PLAIN_PARTS)
    plain_wrapper = OptimWrapperDict(
        model=_plain_wrapper(plain.student, 1e-4),
        discriminator=_plain_wrapper(plain.critic, 1e-4),
    )
    for model, optimisers in ((ours, wrapper), (plain, plain_wrapper)):
        _stepper(model, optimisers, 'synthetic', batch)()  # True motion for the discriminator.
    return Pair(
        _stepper(ours, wrapper, 'real', batch), _stepper(plain, plain_wrapper, 'real', batch)
    )


def real_over_synthetic(settings: Settings, batch: int) -> Pair:
    """Train the adaptive model: ours is its synthetic step, plain its real one with two views."""
    model, wrapper = _adaptive(settings)
    return Pair(*(_stepper(model, wrapper, domain, batch) for domain in ('synthetic', 'real')))


def network_step(settings: Settings, batch: int) -> Pair:
    """Forward and backward pass of the network alone."""
    inputs = inputs_of(batch, FRAMES, settings)
    attention = dict(backbone=PLAIN_PARTS['backbone'])
    models = [full_model('gvhmr_bedlam.py', settings, **parts).train() for parts in ({}, attention)]

    def run(model: nn.Module) -> None:
        model.infer(inputs, drop=True).x.square().mean().backward()
        model.zero_grad()

    return Pair(*(partial(run, model) for model in models))


def _adaptive(
    settings: Settings, labeler: type = PseudoLabeler, **changes: Any
) -> tuple[DomainAdaptiveGVHMR, OptimWrapperDict]:
    name = 'da_bedlam_emdb_3dpw.py'
    two_views = dict(pseudo_labeler=dict(type=labeler, num_augmentations=2))
    model = full_model(name, settings, model=two_views, **changes)
    config = _without(full_config(name, settings).optim_wrapper, 'constructor')
    config['model']['accumulative_counts'] = 1
    return model.train(), AdaptationOptimWrapperConstructor(config)(model)


def _without(config: Any, key: str) -> dict:
    return {name: value for name, value in config.to_dict().items() if name != key}


def _plain_wrapper(model: nn.Module, lr: float) -> OptimWrapper:
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=lr, foreach=False, fused=False)
    return OptimWrapper(optimizer, clip_grad=dict(max_norm=0.5))


def _stepper(model: nn.Module, wrapper: Any, domain: str, batch: int) -> Callable[[], None]:
    data = toy_batch(domain, batch, FRAMES)
    return lambda: model.train_step(data, wrapper) and None


def cases() -> list[Case]:
    """Return the cases of this family; the larger batches are too slow for a CPU."""
    found = [Case('network_step_8', partial(network_step, batch=8))]
    fast = partial(supervised_step, batch=BATCHES[-1], fast=True)
    found.append(Case(f'supervised_step_{BATCHES[-1]}_fast', fast, default=('cuda',)))
    only = dict(default=('cuda',), devices=('cuda',))
    recorded = partial(recorded_step, batch=128)
    found.append(Case('recorded_step_128', recorded, **only))
    found.append(Case('recorded_step_128_fast', partial(recorded, fast=True), **only))
    for name, build in (
        ('supervised_step', supervised_step),
        ('adaptation_step', adaptation_step),
        ('real_over_synthetic', real_over_synthetic),
    ):
        found += [
            Case(
                f'{name}_{batch}',
                partial(build, batch=batch),
                default=('cpu', 'cuda') if batch == BATCHES[0] else ('cuda',),
                max_plain_gib=12,
            )
            for batch in BATCHES
        ]
    return found
