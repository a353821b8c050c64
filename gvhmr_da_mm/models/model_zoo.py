"""Models with a card: weights in safetensors format, some shipped with this package."""

from pathlib import Path
from typing import Any, Union

import torch
from torch import Tensor

from ..core.errors import CheckpointError, DataError, MissingFilesError
from ..fileio.safetensors_file import TensorFile
from ..registry.arguments import suggest
from .model_card import CARD_SUFFIX, WEIGHTS_SUFFIX, ModelCard

FOLDER = Path(__file__).resolve().parents[1] / 'weights'
"""The shipped models."""
DEFAULT_MODEL = 'gvhmr-keypoints-b'
"""The shipped model that is used where none is named."""


def list_models() -> list[str]:
    """Return the names of the shipped models; each can be given in place of a checkpoint."""
    return sorted(path.stem for path in FOLDER.glob(f'*{CARD_SUFFIX}'))


def find_checkpoint(name: Union[str, Path]) -> Path:
    """Return the file of a checkpoint or of a shipped model.

    Args:
        name (str | Path): A file, or a name of :func:`list_models`; a file goes first.

    Raises:
        MissingFilesError: If there is neither; the message names the nearest model.
    """
    path, shipped = Path(name), list_models()
    if path.is_file():
        return path
    if str(name) in shipped:
        path = FOLDER / f'{name}{WEIGHTS_SUFFIX}'
        if path.is_file():
            return path
        raise MissingFilesError(f'{path}, a shipped model, does not exist: install again')
    raise MissingFilesError(
        f'there is no checkpoint {str(name)!r}, nor a shipped model of that name; '
        + (suggest(str(name), shipped) if shipped else 'this version ships none')
    )


def read_card(name: Union[str, Path]) -> ModelCard:
    """Return the card of a model.

    Args:
        name (str | Path): A name of :func:`list_models`, or the weights file.

    Raises:
        MissingFilesError: If there is no such model, or no card.
        CheckpointError: If the card is damaged or of another version.
    """
    return ModelCard.read(find_checkpoint(name))


def read_model(path: Path) -> dict[str, Any]:
    """Read a model with a card as a checkpoint of training.

    Args:
        path (Path): The weights file.

    Returns:
        dict[str, Any]: ``state_dict``, in single precision where the file has half, and ``meta``
        with ``cfg``, the config of the model as MMEngine stores it.

    Raises:
        MissingFilesError: If there is no card.
        CheckpointError: If a file is damaged, of another version, or they do not belong together.
    """
    card = ModelCard.read(path)
    card.check_weights(path)
    try:
        file = TensorFile(path)
        weights = {name: _to_tensor(file[name]) for name in sorted(file)}
    except DataError as error:
        raise CheckpointError(str(error)) from error
    return dict(state_dict=weights, meta=dict(cfg=f'model = {card.config["model"]!r}'))


def _to_tensor(array: Any) -> Tensor:
    tensor = torch.from_numpy(array)
    return tensor.float() if tensor.dtype == torch.float16 else tensor.clone()
