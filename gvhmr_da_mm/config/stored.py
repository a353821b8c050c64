"""Config of a model from its checkpoint or its card, without the config file of its training."""

from pathlib import Path
from typing import Any, Optional, Union

from mmengine.config import Config

from ..core.errors import ConfigError
from ..models import GVHMR
from ..models.checkpoint_reading import read_checkpoint
from ..models.stored_config import stored_config
from ..registry import SCOPE
from .loading import finish_config
from .values import target_of

PathLike = Union[str, Path]
_REMEDY = 'Name the config file of its training'


def load_stored_config(
    model: PathLike, options: Optional[dict] = None, data_root: Optional[PathLike] = None
) -> Config:
    """Return a config with the ``model`` of a checkpoint, without what made its training fast.

    Args:
        model (str | Path): A checkpoint, or the name of a shipped model.
        options (dict, optional): ``--cfg-options`` by dotted key. Defaults to None.
        data_root (str | Path, optional): Folder of the body models. Defaults to None: that of the
            checkpoint; cards name none.

    Returns:
        Config: With ``model`` and ``default_scope``.

    Raises:
        MissingFilesError: If there is no such checkpoint, or the data root is no folder.
        CheckpointError: If it cannot be read.
        ConfigError: If it holds no config, or one with classes of other packages or with values
            that are no literals; if an override is wrong.
    """
    network = stored_config(read_checkpoint(model).content).get('model')
    if not isinstance(network, dict):
        raise ConfigError(f'{model} holds no config of its model. {_REMEDY}')
    check_stored(network, 'model', str(model))
    drop_speed_keys(network)
    config = Config(dict(model=network, default_scope=SCOPE), format_python_code=False)
    finish_config(config, options, data_root)
    return config


def drop_speed_keys(network: dict) -> None:
    """Remove what made a training fast from the config of a network, or of its adaptation."""
    for key in GVHMR.SPEED_KEYS:
        network.get('estimator', network).pop(key, None)


def check_stored(value: Any, where: str, path: str) -> None:
    """Check that a stored config is of literals and of classes of this package.

    A config builds whatever its ``type`` names, so that one of a file could call any function.

    Args:
        value (Any): A part of the config.
        where (str): Its dotted key.
        path (str): The file, for messages.

    Raises:
        ConfigError: Names the key.
    """
    if value is ...:
        raise ConfigError(f'{path}: `{where}` of the stored config is no literal. {_REMEDY}')
    if isinstance(value, dict):
        if 'type' in value:
            _check_type(value, where, path)
        for key, item in value.items():
            check_stored(item, f'{where}.{key}', path)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            check_stored(item, f'{where}.{index}', path)


def _check_type(part: dict[str, Any], where: str, path: str) -> None:
    name = part['type']
    # Checked before it is looked up, which imports the module.
    ours = isinstance(name, str) and ('.' not in name or name.startswith(f'{SCOPE}.'))
    found = target_of(part, where) if ours else None
    if not isinstance(found, type) or not found.__module__.startswith(f'{SCOPE}.'):
        raise ConfigError(
            f'{path}: `{where}.type` of the stored config should be a class of this package, got '
            f'{name!r}, which was not run. {_REMEDY}'
        )
