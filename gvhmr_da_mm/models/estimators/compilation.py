"""Compilation of networks in place."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def uncompiled(*modules: nn.Module) -> Iterator[None]:
    """Run modules within the context as if :meth:`torch.nn.Module.compile` had not been called.

    For inputs of many shapes, each of which would be compiled anew.

    Args:
        modules (nn.Module): Compiled in place or not; submodules are left alone.
    """
    compiled = [module._compiled_call_impl for module in modules]
    for module in modules:
        module._compiled_call_impl = None
    try:
        yield
    finally:
        for module, call in zip(modules, compiled):
            module._compiled_call_impl = call
