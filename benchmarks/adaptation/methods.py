"""The compared methods, as changes of the shipped demo config."""

import json
import runpy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Optional, Union

from gvhmr_da_mm.core.errors import ConfigError, MissingFilesError

VARIANTS_NAME = 'variants'
DEFAULT_METHODS = ('source', 'plain', 'published', 'full', 'oracle')


@dataclass(frozen=True)
class Method:
    """One compared method, a row of the tables.

    Attributes:
        name (str): Its name.
        title (str): Short description.
        recipe (str, optional): Config whose recipe (views, teacher, weights, thresholds) replaces
            that of the demo. Defaults to None, the demo's own.
        options (Mapping[str, Any]): Overrides of the config by dotted key.
        real (Mapping[str, Any]): Fields of all real training datasets.
        synthetic_only (bool): Whether all steps are synthetic ones. Defaults to False.
        start (str, optional): Method whose final weights it starts from. Defaults to None: the
            model of the seed that was trained on synthetic clips.
        refined (bool): Whether predictions are fitted to the keypoints, and their trajectories to
            the feet, at test time, as in the demo's ``test_cfg``. Defaults to True.
    """

    name: str
    title: str
    recipe: Optional[str] = None
    options: Mapping[str, Any] = field(default_factory=dict)
    real: Mapping[str, Any] = field(default_factory=dict)
    synthetic_only: bool = False
    start: Optional[str] = None
    refined: bool = True

    @property
    def retest(self) -> str:
        """Name of the second test of each run, which has the other value of ``refined``."""
        return f'{self.name}_{"network" if self.refined else "refined"}'

    @property
    def refined_test(self) -> str:
        """Name of the test of each run whose predictions are refined."""
        return self.name if self.refined else self.retest

    @property
    def transductive(self) -> bool:
        """Whether the inputs of test clips are training data."""
        return bool(self.real.get('transductive', False))

    @property
    def has_filter(self) -> bool:
        """Whether it selects pseudo-labels, so that the filter can be measured."""
        return not self.synthetic_only and self.real.get('real_supervision') != 'labels'


_THRESHOLD = 'default_hooks.confidence_threshold'
_PLAIN = {
    'default_hooks.mean_teacher.momentum': 0.01,
    'model.pseudo_labeler.num_augmentations': 1,
    'model.critic.adversarial_weight': 0.0,
    f'{_THRESHOLD}.start': 0.0,
    f'{_THRESHOLD}.end': 0.0,
}
_SOURCE_FREE = {
    'train_dataloader.dataset.datasets.bedlam': None,
    'default_hooks.source_free.type': 'SourceFreeHook',
}

METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method(
            'source',
            'synthetic clips only',
            # The network learns nothing from it, but what starts from it needs a discriminator.
            options={'model.critic.learn_from_synthetic': True},
            synthetic_only=True,
            refined=False,
        ),
        Method(
            'plain', 'plain self-training', recipe='da_published', options=_PLAIN, refined=False
        ),
        Method('published', 'the published recipe', recipe='da_published', refined=False),
        Method('full', 'the full method'),
        Method(
            'full_transductive',
            'the full method, with inputs of test clips',
            real=dict(transductive=True),
        ),
        Method(
            'source_free',
            'the full method, without synthetic clips',
            options=_SOURCE_FREE,
            start='source',
        ),
        Method(
            'oracle',
            'labels of the real clips',
            real=dict(real_supervision='labels'),
            refined=False,
        ),
    )
}
"""The known methods by name."""


def select_methods(
    names: Sequence[str], variants: Optional[Mapping[str, Mapping[str, Any]]] = None
) -> list[Method]:
    """Return methods by name, and variants of the full method.

    Args:
        names (Sequence[str]): Names of methods.
        variants (Mapping, optional): Name of each variant to its overrides of ``full`` by dotted
            key. Defaults to none.

    Returns:
        list[Method]: The methods, then the variants.

    Raises:
        ConfigError: If a name is unknown or given twice, there are no names, or a method is missing
            that another one starts from.
    """
    unknown = [name for name in names if name not in METHODS]
    if unknown:
        raise ConfigError(
            f'`--methods` names {", ".join(map(repr, unknown))}; known are {", ".join(METHODS)}'
        )
    variants = variants or {}
    all_names = [*names, *variants]
    twice = sorted({name for name in all_names if all_names.count(name) > 1})
    if twice or not all_names:
        raise ConfigError(
            f'each method and variant needs a name of its own, got {", ".join(twice)} twice'
            if twice
            else '`--methods` is empty: give at least one'
        )
    chosen = [METHODS[name] for name in names]
    for method in chosen:
        if method.start is not None and method.start not in names:
            raise ConfigError(
                f'`--methods` names {method.name!r}, which starts from the final weights of '
                f'{method.start!r}: name {method.start!r} as well'
            )
    return chosen + [Method(name, 'variant', options=dict(o)) for name, o in variants.items()]


def retests(methods: Sequence[Method]) -> list[Method]:
    """Return the second tests as methods of the table.

    Args:
        methods (Sequence[Method]): Methods whose runs are tested twice.
    """
    titles = {True: 'the network alone', False: 'refined at test time'}
    return [
        replace(method, name=method.retest, title=f'{method.title}, {titles[method.refined]}')
        for method in methods
    ]


def refined_tests(methods: Sequence[Method]) -> dict[str, str]:
    """Return the refined test of each method's runs, by the names of both of its tests.

    Args:
        methods (Sequence[Method]): Methods whose runs are tested twice.
    """
    return {
        name: method.refined_test for method in methods for name in (method.name, method.retest)
    }


def read_variants(path: Union[str, Path]) -> dict[str, dict[str, Any]]:
    """Read variants of the full method: a mapping from their names to overrides by dotted key.

    Args:
        path (str | Path): A JSON file that holds the mapping, or a Python file that defines it as
            ``variants``.

    Raises:
        MissingFilesError: If there is no such file.
        ConfigError: If it does not hold such a mapping.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingFilesError(f'there is no file of variants {str(path)!r}')
    if path.suffix == '.py':
        content = runpy.run_path(str(path)).get(VARIANTS_NAME)
    else:
        try:
            content = json.loads(path.read_text(encoding='utf-8'))
        except json.JSONDecodeError as error:
            raise ConfigError(f'{path} should be a Python or a JSON file: {error}') from error
    if not isinstance(content, Mapping) or not all(
        isinstance(options, Mapping) for options in content.values()
    ):
        raise ConfigError(
            f'{path} should hold a mapping from names to overrides, in a Python file as '
            f"`{VARIANTS_NAME} = dict(two={{'model.pseudo_labeler.num_augmentations': 2}})`, got "
            f'{type(content).__name__}'
        )
    return {str(name): dict(options) for name, options in content.items()}
