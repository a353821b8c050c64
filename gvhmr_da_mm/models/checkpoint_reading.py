"""Safe reading of checkpoints: no code of a file is run or imported.

:func:`torch.load` with ``weights_only=True`` reads tensors and plain containers. Checkpoints of
Lightning and MMEngine hold more: settings, callbacks, histories. MMEngine's histories of logged
values are restored. Objects of packages known to be in such files become an empty
:class:`StoredObject`. Every other name is refused, as a pickle may call any function that it names.

PyTorch's allow-list for ``weights_only`` exists since 2.4 only, and for MMEngine's histories it
would have to hold ``getattr``, which gives a hostile file more than their methods.
"""

import collections
import pickle
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Union

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from torch import Tensor

from ..core.errors import CheckpointError, DataError
from ..fileio.restricted_unpickler import (
    PLAIN_NAMES,
    PickledObject,
    RestrictedUnpickler,
    stand_in,
)
from ..fileio.tensor_file import is_archive, load_tensor_file
from .model_card import WEIGHTS_SUFFIX
from .model_zoo import find_checkpoint, read_model

HISTORY_BUFFER = 'mmengine.logging.history_buffer.HistoryBuffer'
"""MMEngine's history of a logged value, which every checkpoint of a training holds."""
_HISTORY_METHODS = ('current', 'max', 'mean', 'min')
_STORED_ONLY = (
    'argparse', 'functools', 'hmr4d', 'hydra', 'lightning', 'lightning_fabric',
    'lightning_utilities', 'omegaconf', 'pathlib', 'pytorch_lightning', 'torchmetrics', 'typing',
)  # fmt: skip
_PLAIN_TYPES = (bool, bytes, dict, float, int, list, range, str, tuple)
_TENSOR_PARTS = {
    'torch': ('Size', 'device'),
    'torch._utils': ('_rebuild_parameter', '_rebuild_tensor', '_rebuild_tensor_v2'),
    'torch.storage': ('TypedStorage', 'UntypedStorage'),
}


class StoredHistory(PickledObject):
    """MMEngine's history of a logged value, before it is restored."""

    pickled_as = HISTORY_BUFFER

    def restore(self) -> HistoryBuffer:
        """Return the history.

        Raises:
            CheckpointError: If it is damaged.
        """
        state = self.state if isinstance(self.state, dict) else {}
        values, counts = state.get('_log_history'), state.get('_count_history')
        length = state.get('max_length')
        arrays = isinstance(values, np.ndarray) and isinstance(counts, np.ndarray)
        if not arrays or len(values) != len(counts) or not isinstance(length, int):
            raise CheckpointError('a history of logged values is damaged')
        return HistoryBuffer(values, counts, max_length=length)


class StoredObject(PickledObject):
    """Replacement of an object whose class is not imported; its content is dropped."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Accept and ignore whatever the pickle passes to the class."""

    def __setstate__(self, state: Any) -> None:
        """Drop the state."""

    def __setitem__(self, key: Any, value: Any) -> None:
        """Drop an item of what was a dict."""

    def append(self, value: Any) -> None:
        """Drop an item of what was a list."""

    def extend(self, values: Any) -> None:
        """Drop items of what was a list."""


class Checkpoint(NamedTuple):
    """Content of a checkpoint file.

    Args:
        path (Path): The file.
        content (dict): Its entries.
        stored_only (tuple[str, ...]): Classes whose objects were not read.
    """

    path: Path
    content: dict[str, Any]
    stored_only: tuple[str, ...] = ()

    @property
    def state_dict(self) -> dict[str, Tensor]:
        """Return the weights: the entry ``state_dict``, or the content if it is tensors alone.

        Raises:
            CheckpointError: If there are none.
        """
        weights = self.content.get('state_dict', self.content)
        tensors = isinstance(weights, Mapping) and all(
            isinstance(name, str) and isinstance(value, Tensor) for name, value in weights.items()
        )
        if not tensors or not weights:
            raise CheckpointError(
                f'{self.path} should have an entry `state_dict` of named tensors, got the entries '
                f'{sorted(map(str, self.content)) or "none"}; is it the checkpoint of a model?'
            )
        return dict(weights)

    def require_plain(self) -> None:
        """Check that the file holds only tensors, plain values and histories.

        Raises:
            CheckpointError: If there are objects of other packages.
        """
        if self.stored_only:
            raise CheckpointError(
                f'{self.path} holds more than weights: objects of {", ".join(self.stored_only)}. '
                'Loading them would run code. Turn a published checkpoint into one of weights with '
                '`python tools/model_converters/gvhmr_to_mm.py`'
            )


def read_checkpoint(
    path: Union[str, Path], map_location: Any = 'cpu', mmap: bool = True
) -> Checkpoint:
    """Read the tensors, plain values and histories of a checkpoint.

    Args:
        path (str | Path): A file of :func:`torch.save`, as MMEngine and Lightning write them; the
            weights file of a model with a card, or the name of a shipped one.
        map_location (Any): Where tensors go, as for :func:`torch.load`; those of models with a
            card stay on the CPU. Defaults to ``'cpu'``.
        mmap (bool): Map tensors into memory where the format allows it, instead of reading them.
            Defaults to True.

    Returns:
        Checkpoint: The content.

    Raises:
        MissingFilesError: If there is no such file and no such shipped model.
        CheckpointError: If reading it would run code, it is damaged, or it is not a checkpoint.
    """
    path = find_checkpoint(path)
    if path.suffix == WEIGHTS_SUFFIX:
        return Checkpoint(path, read_model(path))
    stored_only: set[str] = set()
    try:
        options = dict(map_location=map_location, mmap=mmap and is_archive(path))
        try:
            content = load_tensor_file(path, **options)
        except pickle.UnpicklingError:
            module = _restricted_module(path, stored_only)
            content = torch.load(str(path), pickle_module=module, weights_only=False, **options)
        content = _restore_histories(content)
    except DataError as error:
        raise CheckpointError(str(error)) from error
    except (CheckpointError, PermissionError):
        raise
    except Exception as error:  # a damaged pickle can raise nearly anything
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise CheckpointError(
            f'{path} cannot be read: expected a file of `torch.save` with tensors. It is damaged, '
            f'half-downloaded or something else; copy or download it again. ({reason})'
        ) from error
    if not isinstance(content, Mapping):
        raise CheckpointError(
            f'{path} should hold a dict with an entry `state_dict`, got {type(content).__name__}'
        )
    return Checkpoint(path, dict(content), tuple(sorted(stored_only)))


def _restricted_module(path: Path, stored_only: set[str]) -> types.SimpleNamespace:
    """Return a replacement of the module ``pickle`` for :func:`torch.load`."""

    class Unpickler(RestrictedUnpickler):
        def find_class(self, module: str, name: str) -> Any:
            known = _known_name(module, name)
            if known is not None:
                return known
            full = f'{module}.{name}'
            if full == HISTORY_BUFFER:
                return StoredHistory
            if module.partition('.')[0] in _STORED_ONLY:
                stored_only.add(full)
                return stand_in(module, name, StoredObject)
            raise CheckpointError(
                f'{path} was not loaded: it refers to `{full}`, which is not a tensor and could '
                'run code on this machine. Nothing in it was run. Take the file from its official '
                'source; if you wrote it yourself, save its `state_dict` alone'
            )

    def load(file: Any, **options: Any) -> Any:
        return Unpickler(file, **options).load()

    return types.SimpleNamespace(__name__='restricted_pickle', Unpickler=Unpickler, load=load)


def _known_name(module: str, name: str) -> Any:
    """Return the object that a pickled tensor or plain value names; None for other names."""
    if (module, name) in PLAIN_NAMES:
        return PLAIN_NAMES[module, name]
    if module in ('builtins', '__builtin__'):
        plain = {kind.__name__: kind for kind in _PLAIN_TYPES}
        return {**plain, 'getattr': _history_method}.get(name)
    if module == 'collections' and name in ('OrderedDict', 'defaultdict', 'Counter'):
        return getattr(collections, name)
    if name in _TENSOR_PARTS.get(module, ()):
        owner = {'torch': torch, 'torch._utils': torch._utils, 'torch.storage': torch.storage}
        return getattr(owner[module], name)
    if module == 'torch' and isinstance(getattr(torch, name, None), torch.dtype):
        return getattr(torch, name)
    return None


def _history_method(owner: Any, name: str) -> StoredObject:
    """Replace ``getattr``, with which MMEngine's histories name their own methods."""
    if owner is StoredHistory and name in _HISTORY_METHODS:
        return StoredObject()
    raise pickle.UnpicklingError(f'refused to read the attribute {name!r} of {owner!r}')


def _restore_histories(content: Any) -> Any:
    """Replace stored histories, at any depth of mappings, by MMEngine's."""
    if isinstance(content, StoredHistory):
        return content.restore()
    if isinstance(content, dict):
        for key, value in content.items():
            if isinstance(value, (dict, StoredHistory)):
                content[key] = _restore_histories(value)
    return content
