"""Find where the host would wait for a GPU, without a GPU."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

PACKAGE = 'gvhmr_da_mm'
ANSWERS = ('_local_scalar_dense', 'nonzero', 'masked_select', 'is_nonzero', 'equal', 'unique')
"""Operations whose result, or its shape, the host has to know."""


class HostSyncs(TorchDispatchMode):
    """Record the places of the package that read a tensor's value or choose by a mask.

    On a GPU these wait for all that was asked of it before. The mode sees them on any device.

    Attributes:
        places (list[str]): ``file:line function`` of each, in order.
    """

    def __init__(self) -> None:
        super().__init__()
        self.places: list[str] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple = (), kwargs: Any = None
    ) -> Any:
        """Look at one operation and carry it out."""
        name = func.overloadpacket.__name__
        by_mask = name in ('index', 'index_put', 'index_put_', '_index_put_impl_') and any(
            isinstance(index, Tensor) and index.dtype in (torch.bool, torch.uint8)
            for index in args[1]
        )
        if name in ANSWERS or by_mask:
            self.places.append(_place())
        return func(*args, **(kwargs or {}))


def _place() -> str:
    frames = [f for f in traceback.extract_stack() if f'/{PACKAGE}/' in f.filename]
    frames = [f for f in frames if '/testing/' not in f.filename]
    if not frames:
        return 'elsewhere'
    last = frames[-1]
    return f'{last.filename.rsplit("/", 1)[-1]}:{last.lineno} {last.name}'


@contextmanager
def record_host_syncs() -> Iterator[HostSyncs]:
    """Record what would wait for a GPU, with the lengths treated as on one.

    On the CPU the model asks whether a batch has padding, which costs nothing there.
    """
    with patch(
        'gvhmr_da_mm.models.estimators.motion_network.length_unless_full',
        lambda valid: valid.sum(dim=1),
    ):
        with HostSyncs() as syncs:
            yield syncs
