"""Sizes of the network that a checkpoint was trained with, from the config stored in it."""

import logging
from collections.abc import Collection, Mapping
from typing import Any, Optional

from mmengine.config import Config
from mmengine.logging import print_log

from ..config.values import target_of
from ..core.errors import CheckpointError
from ..models.checkpoint_reading import read_checkpoint
from ..models.stored_config import (
    CRITIC_PARTS,
    CRITIC_SIZES,
    PARTS,
    class_name,
    sizes_of,
    stored_critic,
    stored_parts,
)


def use_stored_sizes(config: Config, path: str, options: Optional[Collection[str]] = None) -> None:
    """Give the network of a config the sizes that a checkpoint was trained with.

    The number of heads leaves no trace in the weights: with another one they would load, and
    predict worse. Discriminator and queue of an adaptation get theirs, too, unless an option sets
    them: without those of the checkpoint they would start anew. Files without a config of this
    package, such as converted ones, change nothing; neither do parts of another type.

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
    content = read_checkpoint(path).content
    stored = stored_parts(content)
    model = config._cfg_dict.get('model') or {}
    where, network = 'model', model
    if 'estimator' in model:
        where, network = 'model.estimator', model['estimator']
    changes = []
    for name in PARTS:
        part, theirs = network.get(name), stored.get(name)
        if not part or not theirs or class_name(part['type']) != class_name(theirs.get('type')):
            continue
        kind = target_of(part, f'{where}.{name}')
        sizes = sizes_of(kind, part)
        for field, wanted in sizes_of(kind, theirs).items():
            key, own = f'{where}.{name}.{field}', sizes.get(field)
            if own == wanted:
                continue
            if key in (options or ()):
                raise CheckpointError(
                    f'{path} was trained with `{key}={wanted}`, `--cfg-options` sets {own}: leave '
                    'the option out, the sizes of the network are taken from the checkpoint'
                )
            part[field] = wanted
            changes.append(f'{key}={wanted} (config: {own})')
    changes += _critic_sizes(model, content, options or ())
    if changes:
        text = f'The network has the sizes of {path}: {", ".join(changes)}'
        # A warning, as MMEngine's logger shows no less before the run sets its level.
        print_log(text, 'current', logging.WARNING)


def _critic_sizes(
    model: dict[str, Any], content: Mapping[str, Any], options: Collection[str]
) -> list[str]:
    """Give the critic of a model the sizes of the checkpoint, and return the changes."""
    theirs, critic = stored_critic(content), model.get('critic')
    held = content.get('state_dict')
    if 'estimator' not in model or not critic or theirs is None or not isinstance(held, Mapping):
        return []
    changes = []
    for name, default in CRITIC_PARTS.items():
        part, stored = critic.get(name) or dict(type=default), theirs.get(name, {})
        same = class_name(part['type']) == class_name(stored.get('type', default))
        # A file without these weights says nothing about the part.
        if not same or not any(key.startswith(f'critic.{name}.') for key in held):
            continue
        kind = target_of(part, f'model.critic.{name}')
        sizes = sizes_of(kind, part, CRITIC_SIZES)
        for field, wanted in sizes_of(kind, stored, CRITIC_SIZES).items():
            key, own = f'model.critic.{name}.{field}', sizes.get(field)
            if own != wanted and key not in options:
                part[field] = wanted
                changes.append(f'{key}={wanted} (config: {own})')
        critic[name] = part
    return changes
