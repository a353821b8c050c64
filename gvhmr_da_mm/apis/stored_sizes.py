"""Sizes of the network that a checkpoint was trained with, from the config stored in it."""

import logging
from collections.abc import Collection
from typing import Optional

from mmengine.config import Config
from mmengine.logging import print_log

from ..config.values import target_of
from ..core.errors import CheckpointError
from ..models.checkpoint_reading import read_checkpoint
from ..models.stored_config import PARTS, class_name, sizes_of, stored_parts


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
    stored = stored_parts(read_checkpoint(path).content)
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
    if changes:
        text = f'The network has the sizes of {path}: {", ".join(changes)}'
        # A warning, as MMEngine's logger shows no less before the run sets its level.
        print_log(text, 'current', logging.WARNING)
