"""Registries of scope ``gvhmr_da_mm``: one child for every kind MMPose and MMEngine know.

A name that is not found here is looked up in MMPose and then in MMEngine, so configs mix our parts
with theirs. Every kind is defined, even where we register nothing, because MMEngine warns about
kinds a scope lacks. Locations are imported on first use, never by importing this file.
"""

from typing import Optional

from mmengine import registry as mmengine_registry
from mmengine.registry import Registry
from mmpose import registry as mmpose_registry

SCOPE = 'gvhmr_da_mm'


class VisualizerRegistry(Registry):
    """Finds MMPose's visualizers by config alone where its compiled dependencies are missing."""

    def get(self, key: str) -> Optional[type]:
        """Return what is registered under a name.

        Args:
            key (str): The name, with a scope or without.
        """
        if key.startswith('mmpose.'):
            from .compat import import_mmpose  # imported when wanted, as all of MMPose

            import_mmpose('visualization')
        return super().get(key)


def _child(
    name: str,
    attribute: str,
    locations: tuple = (),
    parent=mmpose_registry,
    kind: type[Registry] = Registry,
) -> Registry:
    """Create the child of ``parent.<attribute>`` that imports ``locations`` on first use."""
    return kind(
        name,
        parent=getattr(parent, attribute),
        scope=SCOPE,
        locations=[f'{SCOPE}.{location}' for location in locations],
    )


RUNNERS = _child('runner', 'RUNNERS')
RUNNER_CONSTRUCTORS = _child('runner constructor', 'RUNNER_CONSTRUCTORS')
LOOPS = _child('loop', 'LOOPS', ('engine',))
HOOKS = _child('hook', 'HOOKS', ('engine',))

DATASETS = _child('dataset', 'DATASETS', ('datasets',))
DATA_SAMPLERS = _child('data sampler', 'DATA_SAMPLERS', ('datasets',))
TRANSFORMS = _child('transform', 'TRANSFORMS', ('datasets', 'models.adaptation.views'))

MODELS = _child('model', 'MODELS', ('models', 'body_models', 'features.networks'))
MODEL_WRAPPERS = _child('model wrapper', 'MODEL_WRAPPERS', ('engine',), mmengine_registry)
WEIGHT_INITIALIZERS = _child('weight initializer', 'WEIGHT_INITIALIZERS')
BATCH_AUGMENTS = _child('batch augment', 'BATCH_AUGMENTS')
CODECS = _child('codec', 'KEYPOINT_CODECS', ('codecs',))

OPTIMIZERS = _child('optimizer', 'OPTIMIZERS')
OPTIM_WRAPPERS = _child('optimizer wrapper', 'OPTIM_WRAPPERS', ('engine',))
OPTIM_WRAPPER_CONSTRUCTORS = _child(
    'optimizer wrapper constructor', 'OPTIM_WRAPPER_CONSTRUCTORS', ('engine',)
)
PARAM_SCHEDULERS = _child('parameter scheduler', 'PARAM_SCHEDULERS')

METRICS = _child('metric', 'METRICS', ('evaluation',))
EVALUATORS = _child('evaluator', 'EVALUATORS', ('evaluation',))
TASK_UTILS = _child(
    'task util', 'TASK_UTILS', ('codecs', 'models.adaptation', 'features.detectors')
)

# The parents of these four are MMEngine's: MMPose's import `mmpose.models` or
# `mmpose.visualization`, which need compiled packages.
VISUALIZERS = _child(
    'visualizer', 'VISUALIZERS', ('visualization',), mmengine_registry, VisualizerRegistry
)
VISBACKENDS = _child('vis_backend', 'VISBACKENDS', (), mmengine_registry)
LOG_PROCESSORS = _child('log processor', 'LOG_PROCESSORS', (), mmengine_registry)
INFERENCERS = _child('inferencer', 'INFERENCERS', (), mmengine_registry)
