"""What is timed: our way and the plain one."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import torch


@dataclass(frozen=True)
class Settings:
    """How cases are built.

    Args:
        data_root (Path): Folder of bodies and packs, such as a demo's.
        device (str): ``'cpu'`` or ``'cuda'``.
        quick (bool): Smaller sizes where a case has some. Defaults to False.
    """

    data_root: Path
    device: str = 'cpu'
    quick: bool = False


@dataclass
class Pair:
    """Two functions without arguments that do the same.

    Args:
        ours (Callable): Our way.
        plain (Callable, optional): The plain way. None if it cannot run.
        check (Callable, optional): Called with both results before anything is timed; raises if
            they differ.
    """

    ours: Callable
    plain: Optional[Callable] = None
    check: Optional[Callable] = None


@dataclass(frozen=True)
class Case:
    """A named pair.

    Args:
        name (str): Unique.
        build (Callable): Makes the :class:`Pair` from :class:`Settings`, in a process of its own.
        devices (tuple[str, ...]): Where it makes sense. Defaults to both.
        default (tuple[str, ...]): Where it runs unless it is asked for by name. Defaults to both.
        max_plain_gib (float): Memory that the plain way may take; it is not run beyond. Defaults
            to 8.
        measure_memory (bool): Whether peak memory means anything. Defaults to True.
    """

    name: str
    build: Callable[[Settings], Pair]
    devices: tuple[str, ...] = ('cpu', 'cuda')
    default: tuple[str, ...] = ('cpu', 'cuda')
    max_plain_gib: float = 8.0
    measure_memory: bool = True


def close(tolerance: float) -> Callable:
    """Return a check that two tensors, or sequences of them, agree."""

    def check(ours, plain) -> None:
        if isinstance(ours, torch.Tensor):
            ours, plain = [ours], [plain]
        for one, other in zip(ours, plain):
            torch.testing.assert_close(one, other, atol=tolerance, rtol=tolerance)

    return check
