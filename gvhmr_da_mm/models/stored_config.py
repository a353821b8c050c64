"""The config that a checkpoint was trained with, stored in it as text."""

import ast
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Optional, Union

SIZES = ('latent_dim', 'num_layers', 'num_heads', 'mlp_ratio')
"""Fields of the parts of the network that have to be those of the training."""
PARTS = ('backbone', 'head')
"""Parts of the network that have sizes."""
NETWORK_PARTS = (*PARTS, 'motion_codec')
"""Parts of the network: arguments of :class:`.MotionNetwork`."""
CRITIC_SIZES = (
    'hidden_size', 'num_layers', 'pooling', 'attention_layers', 'attention_size', 'frame_stride',
    'size', 'max_len',
)  # fmt: skip
"""Fields of the parts of the critic that its weights depend on."""
CRITIC_PARTS = {'discriminator': 'MotionDiscriminator', 'queue': 'MotionQueue'}
"""Parts of the critic of an adaptation, and their default types."""


def stored_config(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the config that trained a checkpoint, as far as it is of literals.

    Args:
        content (dict[str, Any]): The checkpoint; MMEngine stores its config as text, which is
            parsed, not run.

    Returns:
        dict[str, Any]: Its fields; classes are paths, and ``...`` stands for what is no literal.
        Empty for files without a readable config, such as converted ones.
    """
    meta = content.get('meta')
    text = meta.get('cfg') if isinstance(meta, dict) else None
    try:
        statements = ast.parse(text).body if isinstance(text, str) else []
        return {
            ast.unparse(statement.targets): _value(statement.value)
            for statement in statements
            if isinstance(statement, ast.Assign)
        }
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return {}  # Damaged: `ast` raises any of these.


def stored_parts(content: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the configs of the parts of the network that trained a checkpoint.

    Args:
        content (dict[str, Any]): The checkpoint.

    Returns:
        dict[str, dict[str, Any]]: By name, such as ``backbone``; empty for files without a readable
        config of this package, such as converted ones.
    """
    model = stored_config(content).get('model')
    return _parts_of(model.get('estimator', model) if isinstance(model, dict) else None)


def stored_critic(content: Mapping[str, Any]) -> Optional[dict[str, dict[str, Any]]]:
    """Return the configs of the parts of the critic that a checkpoint holds.

    Args:
        content (dict[str, Any]): The checkpoint.

    Returns:
        dict[str, dict[str, Any]] | None: By name, such as ``discriminator``; missing ones have the
        defaults of their classes. None if the checkpoint was made without a critic.
    """
    model = stored_config(content).get('model')
    if not isinstance(model, dict) or 'estimator' not in model or not model.get('critic', True):
        return None
    return _parts_of(model.get('critic'))


def _parts_of(network: Any) -> dict[str, dict[str, Any]]:
    parts = network.items() if isinstance(network, dict) else ()
    return {name: part for name, part in parts if isinstance(part, dict)}


def sizes_of(
    kind: Callable, part: Mapping[str, Any], fields: Iterable[str] = SIZES
) -> dict[str, Union[int, float, str]]:
    """Return the sizes of a part of the network, as far as they are numbers or choices.

    Args:
        kind (Callable): Its class, whose defaults hold for missing fields.
        part (dict[str, Any]): Its config.
        fields (Iterable[str]): Names of the sizes. Defaults to :data:`SIZES`.
    """
    parameters = inspect.signature(kind).parameters
    known = {name: parameters[name].default for name in fields if name in parameters}
    sizes = {name: part.get(name, default) for name, default in known.items()}
    return {name: size for name, size in sizes.items() if isinstance(size, _kinds(known[name]))}


def _kinds(default: Any) -> tuple[type, ...]:
    """Return the types that a size of this default may have."""
    return (str,) if isinstance(default, str) else (int, float)


def class_name(kind: Any) -> str:
    """Return the name of the ``type`` of a part, a class or its path, without the modules."""
    name = kind if isinstance(kind, str) else getattr(kind, '__name__', str(kind))
    return name.rpartition('.')[2]


def _value(node: ast.expr) -> Any:
    """Return the value of calls of ``dict``, containers and literals; ``...`` for the rest."""
    if isinstance(node, ast.Call) and ast.unparse(node.func) == 'dict':
        return {word.arg: _value(word.value) for word in node.keywords if word.arg}
    if isinstance(node, ast.Dict):
        keys = [None if key is None else _value(key) for key in node.keys]
        return dict(zip(keys, map(_value, node.values)))
    if isinstance(node, (ast.List, ast.Tuple)):
        return [_value(item) for item in node.elts]
    try:
        return ast.literal_eval(node)
    except ValueError:
        return ...
