"""Registries of scope ``gvhmr_da_mm``, one child of every registry of MMPose and MMEngine.

A name that is not found here is looked up in MMPose and then in MMEngine. All kinds are defined,
including those without a module of this package, because MMEngine warns about missing kinds.
Locations are imported on first use, not with this file.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Optional

from mmengine import registry as mmengine_registry
from mmengine.registry import Registry
from mmpose import registry as mmpose_registry

from ..core.errors import ConfigError
from .arguments import check_arguments

SCOPE = 'gvhmr_da_mm'


class VisualizerRegistry(Registry):
    """Registry that also finds MMPose's visualizers without its compiled dependencies."""

    def get(self, key: str) -> Optional[type]:
        """Return the class registered under a name.

        Args:
            key (str): The name, with a scope or without.
        """
        if key.startswith('mmpose.'):
            from ..compat import import_mmpose  # late, as all of MMPose

            import_mmpose('visualization')
        return super().get(key)


def check_part(cfg: Any, registry: Registry) -> None:
    """Check the fields of a config by the signature of its type.

    Args:
        cfg (Any): A config with a ``type``; lists are left to MMEngine.
        registry (Registry): Registry of the type.

    Raises:
        ConfigError: If the type is missing or unknown or, for types of this package, a field is
            unknown or has a value of a wrong type.
    """
    if isinstance(cfg, (list, tuple)):
        return
    if not isinstance(cfg, Mapping) or 'type' not in cfg:
        raise ConfigError(
            f'a {registry.name} should be configured by a dict with a `type`, got {cfg!r:.200}'
        )
    kind = cfg['type']
    target = registry.get(kind) if kind and isinstance(kind, str) else kind
    if not callable(target):
        raise ConfigError(
            f'there is no {registry.name} of type {kind!r}: check the name, and whether its module '
            'is in `custom_imports`'
        )
    if is_ours(target):
        arguments = {name: value for name, value in cfg.items() if name not in _RESERVED_KEYS}
        check_arguments(target, arguments, target.__name__)


def is_ours(target: Any) -> bool:
    """Return whether a class or function is of this package."""
    return getattr(target, '__module__', '').partition('.')[0] == SCOPE


_RESERVED_KEYS = ('type', '_scope_')


def _checked(build: Callable) -> Callable:
    @wraps(build)
    def build_checked(cfg: Any, *args: Any, registry: Registry, **kwargs: Any) -> Any:
        check_part(cfg, registry)
        return build(cfg, *args, registry=registry, **kwargs)

    return build_checked


def _child(
    name: str,
    attribute: str,
    locations: tuple = (),
    parent=mmpose_registry,
    kind: type[Registry] = Registry,
) -> Registry:
    """Create the child of ``parent.<attribute>`` that imports ``locations`` on first use."""
    above = getattr(parent, attribute)
    return kind(
        name,
        build_func=_checked(above.build_func),
        parent=above,
        scope=SCOPE,
        locations=[f'{SCOPE}.{location}' for location in locations],
    )


RUNNERS = _child('runner', 'RUNNERS')
RUNNER_CONSTRUCTORS = _child('runner constructor', 'RUNNER_CONSTRUCTORS')
LOOPS = _child('loop', 'LOOPS', ('engine',))
HOOKS = _child('hook', 'HOOKS', ('engine',))

DATASETS = _child('dataset', 'DATASETS', ('datasets',))
DATA_SAMPLERS = _child('data sampler', 'DATA_SAMPLERS', ('datasets',))
TRANSFORMS = _child('transform', 'TRANSFORMS', ('datasets', 'models.views'))

MODELS = _child('model', 'MODELS', ('models', 'body_models', 'video.networks'))
MODEL_WRAPPERS = _child('model wrapper', 'MODEL_WRAPPERS', ('engine',), mmengine_registry)
WEIGHT_INITIALIZERS = _child('weight initializer', 'WEIGHT_INITIALIZERS')
BATCH_AUGMENTS = _child('batch augment', 'BATCH_AUGMENTS')
CODECS = _child('codec', 'KEYPOINT_CODECS', ('codecs',))

OPTIMIZERS = _child('optimizer', 'OPTIMIZERS', ('engine',))
OPTIM_WRAPPERS = _child('optimizer wrapper', 'OPTIM_WRAPPERS', ('engine',))
OPTIM_WRAPPER_CONSTRUCTORS = _child(
    'optimizer wrapper constructor', 'OPTIM_WRAPPER_CONSTRUCTORS', ('engine',)
)
PARAM_SCHEDULERS = _child('parameter scheduler', 'PARAM_SCHEDULERS')

METRICS = _child('metric', 'METRICS', ('evaluation',))
EVALUATORS = _child('evaluator', 'EVALUATORS', ('evaluation',))
TASK_UTILS = _child('task util', 'TASK_UTILS', ('codecs', 'models.adaptation', 'video.detectors'))

# The parents of these are MMEngine's: MMPose's import `mmpose.models` or
# `mmpose.visualization`, which need compiled packages.
VISUALIZERS = _child(
    'visualizer', 'VISUALIZERS', ('visualization',), mmengine_registry, VisualizerRegistry
)
VISBACKENDS = _child('vis_backend', 'VISBACKENDS', (), mmengine_registry)
FUNCTIONS = _child('function', 'FUNCTIONS', ('datasets',), mmengine_registry)
LOG_PROCESSORS = _child('log processor', 'LOG_PROCESSORS', (), mmengine_registry)
INFERENCERS = _child('inferencer', 'INFERENCERS', ('apis.inferencers',), mmengine_registry)
