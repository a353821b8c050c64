"""Loading of a model for prediction."""

from pathlib import Path
from typing import Any, Optional, Union

from mmengine.device import get_device

from ..models.estimators import GVHMR
from .keypoint_model import load_keypoint_model

PathLike = Union[str, Path]


def init_model(
    config: PathLike,
    checkpoint: Optional[PathLike] = None,
    device: Optional[str] = None,
    cfg_options: Optional[dict[str, Any]] = None,
    data_root: Optional[PathLike] = None,
) -> GVHMR:
    """Load a model as MMPose's function of this name does.

    Args:
        config (str | Path): Config file, or the name of a shipped model.
        checkpoint (str | Path, optional): Its weights. Defaults to None: ``config`` names a shipped
            model, or a checkpoint that stores its config.
        device (str, optional): Defaults to None: a GPU if there is one.
        cfg_options (dict, optional): Overrides by dotted key. Defaults to None.
        data_root (str | Path, optional): Folder of the body models. Defaults to None, see
            :func:`.find_body_root`.

    Returns:
        GVHMR: In evaluation mode.

    Raises:
        MissingFilesError: If a file does not exist.
        CheckpointError: If the weights do not fit the network.
        ConfigError: If the config has no such model.
    """
    model, own = (config, None) if checkpoint is None else (checkpoint, config)
    loaded = load_keypoint_model(model, own, data_root, cfg_options)
    return loaded.estimator.to(device or get_device())
