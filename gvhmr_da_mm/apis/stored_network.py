"""Sizes of the network that a checkpoint was trained with, from the config stored in it."""

import ast
import inspect
import logging
from collections.abc import Collection
from typing import Any, Optional

from mmengine.config import Config
from mmengine.logging import print_log

from ..config.values import target_of
from ..core.errors import CheckpointError
from ..models.checkpoint_reading import read_checkpoint

SIZES = ('latent_dim', 'num_layers', 'num_heads', 'mlp_ratio')
"""Fields of the parts of the network that have to be those of the training."""
PARTS = ('backbone', 'head')


def use_stored_sizes(config: Config, path: str, options: Optional[Collection[str]] = None) -> None:
    """Give the network of a config the sizes that a checkpoint was trained with.

    The number of heads leaves no trace in the weights: with another one they would load, and
    predict worse. Files without a config of this package, such as converted ones, change nothing;
    neither do parts of another type.

    Args:
        config (Config): Changed in place, which is logged.
        path (str): The checkpoint; addresses are left to MMEngine.
        options (Collection[str], optional): Keys that the user has set, which are not changed.
            Defaults to None.

    Raises:
        MissingFilesError: If there is no such file.
        CheckpointError: If the file cannot be read, or an option differs from the checkpoint.
    """
    if '://' in str(path):
        return
    stored = _stored_network(read_checkpoint(path).content)
    model = config._cfg_dict.get('model') or {}
    where, network = 'model', model
    if 'estimator' in model:
        where, network = 'model.estimator', model['estimator']
    changes = []
    for name in PARTS:
        part, theirs = network.get(name), stored.get(name)
        if not part or not theirs or _class_name(part['type']) != _class_name(theirs.get('type')):
            continue
        for field, default in _defaults(part, f'{where}.{name}').items():
            own, wanted = part.get(field, default), theirs.get(field, default)
            key = f'{where}.{name}.{field}'
            if own == wanted or not isinstance(wanted, (int, float)):
                continue
            if key in (options or ()):
                raise CheckpointError(
                    f'{path} was trained with `{key}={wanted}`, `--cfg-options` sets {own}: leave '
                    'the option out, the sizes of the network are taken from the checkpoint'
                )
            part[field] = wanted
            changes.append(f'{key}={wanted} (config: {own})')
    if changes:
        text = f'The network has the sizes of {path}: {", ".join(changes)}'
        # A warning, as MMEngine's logger shows no less before the run sets its level.
        print_log(text, 'current', logging.WARNING)


def _stored_network(content: dict[str, Any]) -> dict[str, Any]:
    """Return the parts of the network in the config that MMEngine stores as text; not run."""
    meta = content.get('meta')
    text = meta.get('cfg') if isinstance(meta, dict) else None
    try:
        statements = ast.parse(text).body if isinstance(text, str) else []
        models = [
            _value(statement.value)
            for statement in statements
            if isinstance(statement, ast.Assign) and ast.unparse(statement.targets) == 'model'
        ]
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return {}  # Damaged: `ast` raises any of these.
    model = models[-1] if models and isinstance(models[-1], dict) else {}
    network = model.get('estimator', model)
    parts = network.items() if isinstance(network, dict) else ()
    return {name: part for name, part in parts if isinstance(part, dict)}


def _value(node: ast.expr) -> Any:
    """Return the value of calls of ``dict``, dicts and literals; None for anything else."""
    if isinstance(node, ast.Call) and ast.unparse(node.func) == 'dict':
        return {word.arg: _value(word.value) for word in node.keywords if word.arg}
    if isinstance(node, ast.Dict):
        keys = [None if key is None else _value(key) for key in node.keys]
        return dict(zip(keys, map(_value, node.values)))
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def _defaults(part: dict, where: str) -> dict[str, Any]:
    parameters = inspect.signature(target_of(part, where)).parameters
    return {name: parameters[name].default for name in SIZES if name in parameters}


def _class_name(kind: Any) -> str:
    name = kind if isinstance(kind, str) else getattr(kind, '__name__', str(kind))
    return name.rpartition('.')[2]
