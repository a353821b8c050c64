"""Stand-in for ``xtcocotools``, made of ``pycocotools``, where it is missing or broken.

MMPose imports ``coco``, ``cocoeval`` and ``mask`` from it. It has no wheel for Python 3.12 and
later, and its wheels do not work with NumPy 2.
"""

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Optional

from .mmpose_import import drop_leftovers

PACKAGE = 'xtcocotools'
_SOURCE_MODULES = {
    PACKAGE: 'pycocotools',
    f'{PACKAGE}.coco': 'gvhmr_da_mm.compat.coco_tools',
    f'{PACKAGE}.cocoeval': 'gvhmr_da_mm.compat.coco_tools',
    f'{PACKAGE}.mask': 'pycocotools.mask',
}
"""Modules of the stand-in, and the modules whose names they take."""


def provide_xtcocotools() -> None:
    """Make ``import xtcocotools`` find the stand-in where the real package does not work.

    Only a real package beside NumPy 2 or later is imported, to try it.
    """
    if PACKAGE in sys.modules or any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    if _real_package_works():
        return
    # First, so that a broken installed package is not found before it.
    sys.meta_path.insert(0, _Finder())


def _real_package_works() -> bool:
    spec = PathFinder.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        return False
    import numpy

    if numpy.__version__.startswith('1.'):
        return True
    before = set(sys.modules)
    try:
        importlib.import_module(f'{PACKAGE}.mask')
    except Exception:  # built for another NumPy: ValueError or ImportError
        drop_leftovers(PACKAGE, before)
        return False
    return True


class _Finder(MetaPathFinder):
    """Finder of the modules of the stand-in."""

    def find_spec(
        self, name: str, path: Optional[Sequence] = None, target: Optional[ModuleType] = None
    ) -> Optional[ModuleSpec]:
        """Return the spec of a module of the stand-in, None for any other."""
        if name not in _SOURCE_MODULES:
            return None
        return ModuleSpec(name, _Loader(), origin=__file__, is_package=name == PACKAGE)


class _Loader(Loader):
    """Loader that fills a module with the names of its source module."""

    def exec_module(self, module: ModuleType) -> None:
        """Fill the module."""
        source = importlib.import_module(_SOURCE_MODULES[module.__name__])
        names = getattr(source, '__all__', [name for name in vars(source) if name[:2] != '__'])
        for name in names:
            setattr(module, name, getattr(source, name))
        module.__doc__ = f'Stand-in made by {__name__}.'
