"""``xtcocotools``, which MMPose imports, made of ``pycocotools`` where it is missing or broken.

MMPose takes three modules of it: ``coco``, ``cocoeval`` and ``mask``. It has no wheel for Python
3.12 and later, and the wheels it has do not work with NumPy 2.
"""

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Optional

from .mmpose_import import drop_leftovers

NAME = 'xtcocotools'
_SOURCES = {
    NAME: 'pycocotools',
    f'{NAME}.coco': 'gvhmr_da_mm.compat.coco_tools',
    f'{NAME}.cocoeval': 'gvhmr_da_mm.compat.coco_tools',
    f'{NAME}.mask': 'pycocotools.mask',
}
"""Which module's names each module of the stand-in has."""


def provide_xtcocotools() -> None:
    """Have ``import xtcocotools`` find the stand-in where the real package does not work.

    Nothing is imported, unless the package is there with a NumPy that its wheels do not know.
    """
    if NAME in sys.modules or any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    if _real_package_works():
        return
    # In front of the finder of the package that is there and does not work.
    sys.meta_path.insert(0, _Finder())


def _real_package_works() -> bool:
    spec = PathFinder.find_spec(NAME)
    if spec is None or spec.origin is None:
        return False
    import numpy

    if numpy.__version__.startswith('1.'):
        return True
    before = set(sys.modules)
    try:
        importlib.import_module(f'{NAME}.mask')
    except Exception:  # built for another NumPy: ValueError or ImportError
        drop_leftovers(NAME, before)
        return False
    return True


class _Finder(MetaPathFinder):
    """Finds the modules of the stand-in."""

    def find_spec(
        self, name: str, path: Optional[Sequence] = None, target: Optional[ModuleType] = None
    ) -> Optional[ModuleSpec]:
        """Return how to import a module, or None if it is none of ours."""
        if name not in _SOURCES:
            return None
        return ModuleSpec(name, _Loader(), origin=__file__, is_package=name == NAME)


class _Loader(Loader):
    """Fills a module with the names of its source."""

    def exec_module(self, module: ModuleType) -> None:
        """Fill a module."""
        source = importlib.import_module(_SOURCES[module.__name__])
        names = getattr(source, '__all__', [name for name in vars(source) if name[:2] != '__'])
        for name in names:
            setattr(module, name, getattr(source, name))
        module.__doc__ = f'Stand-in made by {__name__}.'
