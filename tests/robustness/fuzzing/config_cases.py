"""Cases of spoiled configs."""

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import lru_cache, partial
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from mmengine.config import ConfigDict
from mmengine.dataset import DefaultSampler
from mmengine.registry import DefaultScope

from gvhmr_da_mm.apis import load_config
from gvhmr_da_mm.body_models import smpl_body, smplx_light
from gvhmr_da_mm.body_models.loading import load_body_arrays
from gvhmr_da_mm.config.values import check_config
from gvhmr_da_mm.registry import (
    DATA_SAMPLERS,
    DATASETS,
    HOOKS,
    LOOPS,
    METRICS,
    MODELS,
    OPTIM_WRAPPER_CONSTRUCTORS,
    SCOPE,
)
from tests.robustness.fuzzing.outcome import Outcome, observe

SECTIONS = (
    ('model', 5),
    ('train_dataloader', 4),
    ('optim_wrapper', 2),
    ('default_hooks', 6),
    ('test_evaluator', 2),
    ('test_dataloader', 2),
    ('train_cfg', 2),
)
"""Parts of a config and how often each is spoiled."""
SHRINK = {
    'model.estimator.backbone.latent_dim': 16,
    'model.estimator.backbone.num_layers': 1,
    'model.estimator.backbone.num_heads': 2,
    'model.estimator.head.latent_dim': 16,
    'model.critic.discriminator.hidden_size': 8,
    'model.critic.discriminator.attention_size': 8,
}
WRONG = (
    None, True, False, 0, 1, -1, -7, 2.5, 0.0, -0.5, float('nan'), float('inf'), '', 'seven', '3',
    '/no/such/path', [], [1, 'a'], {}, {'type': 'NoSuchThing'}, {'a': 1}, 'NoSuchThing', b'x',
)  # fmt: skip
"""Sizes are not made huge: a network that fits no memory is no mistake that could be named."""


def config_cases(
    config: Path, data_root: Path, count: int, seed: int, seconds: float
) -> Iterator[Outcome]:
    """Spoil one field at a time, and check and build what it belongs to.

    Args:
        config (Path): A config file of the adaptation.
        data_root (Path): Its data, such as a demo's.
        count (int): Number of cases.
        seed (int): Same seed, same cases.
        seconds (float): Limit of each case.

    Yields:
        Outcome: Of each case.
    """
    sound = load_config(config, SHRINK, data_root)._cfg_dict.to_dict()
    names = [name for name, times in SECTIONS for _ in range(times) if sound.get(name)]
    with ExitStack() as stack:
        # Hundreds of models are built from the same few files.
        cached = lru_cache(load_body_arrays)
        for module in (smplx_light, smpl_body):
            stack.enter_context(mock.patch.object(module, 'load_body_arrays', cached))
        stack.enter_context(DefaultScope.overwrite_default_scope(SCOPE))
        model = MODELS.build(ConfigDict(sound['model']))
        for number in range(count):
            rng = np.random.default_rng([seed, 1, number])
            section = names[int(rng.integers(len(names)))]
            spoiled = copy.deepcopy(sound)
            where, what, wrong = _spoil(spoiled, section, rng)
            case = f'case {number}: {".".join(map(str, where))}: {what}'
            action = partial(_build, ConfigDict(spoiled), section, model)
            yield observe(case, action, (*map(str, where[-2:]), *wrong), seconds)


def _spoil(config: dict, section: str, rng: np.random.Generator) -> tuple[tuple, str, tuple]:
    """Change one field below a section in place.

    Returns:
        tuple[tuple, str, tuple]: Its path, what was done, and texts that name it as well.
    """
    where: tuple = (section,)
    parent, node = config, config[section]
    while isinstance(node, (Mapping, list)) and node:
        keys = list(node) if isinstance(node, Mapping) else range(len(node))
        key = list(keys)[int(rng.integers(len(keys)))]
        where, parent, node = (*where, key), node, node[key]
        if rng.random() < 0.04:
            break
    draw = rng.random()
    if draw < 0.08 and isinstance(parent, Mapping):
        del parent[where[-1]]
        return where, 'deleted', ()
    if draw < 0.18 and isinstance(parent, Mapping):
        new = f'{where[-1]}s'
        parent[new] = parent.pop(where[-1])
        return (*where, new), 'renamed', ()
    if draw < 0.25 and isinstance(node, (int, float)):
        parent[where[-1]] = str(node)
        return where, f'{node!r} as a text', ()
    if draw < 0.35 and isinstance(node, (int, float)):
        parent[where[-1]] = -node
        return where, f'{-node!r}', ()
    wrong = WRONG[int(rng.integers(len(WRONG)))]
    parent[where[-1]] = copy.deepcopy(wrong)
    unmistakable = (wrong,) if isinstance(wrong, str) and len(wrong) > 4 else ()
    return where, f'{node!r:.40} replaced by {wrong!r}', unmistakable


def _build(config: ConfigDict, section: str, model: Any) -> None:
    check_config(config)
    _BUILDERS[section](config[section] if section in config else None, model)


def _build_dataloader(loader: Any, model: Any) -> None:
    dataset = DATASETS.build(loader.dataset)
    if 'batch_sampler' not in loader:
        return
    sampler = DefaultSampler(dataset, seed=0)
    batches = DATA_SAMPLERS.build(
        loader.batch_sampler,
        default_args=dict(sampler=sampler, batch_size=loader.get('batch_size', 1)),
    )
    for key in batches.batch(0, 0)[:1]:
        dataset[key]


def _build_optimizer(wrapper: Any, model: Any) -> None:
    constructor = wrapper.pop('constructor')
    constructor = dict(type=constructor, optim_wrapper_cfg=wrapper, paramwise_cfg=None)
    OPTIM_WRAPPER_CONSTRUCTORS.build(constructor)(model)


def _build_loop(loop: Any, model: Any) -> None:
    runner = mock.MagicMock()
    # What MMEngine's loops read of a dataloader.
    dataloader = mock.MagicMock(__len__=lambda self: 4)
    LOOPS.build(loop, default_args=dict(runner=runner, dataloader=dataloader))


def _build_each(build: Callable) -> Callable:
    def build_all(parts: Any, model: Any) -> None:
        for part in parts.values() if isinstance(parts, Mapping) else parts:
            if part is not None:
                build(part)

    return build_all


_BUILDERS = dict(
    model=lambda part, model: MODELS.build(part),
    default_hooks=_build_each(HOOKS.build),
    train_dataloader=_build_dataloader,
    test_dataloader=_build_dataloader,
    optim_wrapper=_build_optimizer,
    test_evaluator=_build_each(METRICS.build),
    train_cfg=_build_loop,
)
