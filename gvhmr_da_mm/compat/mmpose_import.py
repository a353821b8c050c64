"""Import of MMPose's model and visualisation packages without compiled mmcv operations.

``mmpose.models`` and ``mmpose.visualization`` import four names from ``mmcv.ops``, ``mmdet`` and
``torchvision``, none of which a pip-only installation has. Stand-ins replace modules that are
missing or broken, only during the import.
"""

import importlib
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_LOCK = threading.RLock()

# Module that MMPose imports from: (names it imports, modules that a stand-in has to provide).
_NEEDED = {
    'mmcv.ops': (('MultiScaleDeformableAttention',), ('mmcv.ops',)),
    'mmdet.utils': (('ConfigType', 'reduce_mean'), ('mmdet', 'mmdet.utils')),
    'torchvision.transforms': (('ToPILImage',), ('torchvision', 'torchvision.transforms')),
}


def import_mmpose(name: str) -> ModuleType:
    """Import ``mmpose.<name>``, with stand-ins for packages that are not installed.

    Use it in place of ``import mmpose.models``, ``mmpose.visualization`` or ``mmpose.apis``. In the
    full MMPose environment it is a plain import.

    Args:
        name (str): The subpackage, e.g. ``'models'`` or ``'visualization'``.

    Returns:
        module: The imported module.

    Raises:
        ImportError: If MMPose is not installed or has no such subpackage.
    """
    full_name = f'mmpose.{name}'
    module = sys.modules.get(full_name)
    if module is None:
        with mmpose_stand_ins():
            module = importlib.import_module(full_name)
    if 'mmpose.visualization' in sys.modules:
        _add_tostring_rgb()
    return module


@contextmanager
def mmpose_stand_ins() -> Iterator[list[str]]:
    """Put stand-ins into ``sys.modules`` where the real module is missing or broken.

    Note:
        The stand-ins have neither ``__path__`` nor ``__getattr__``: every other import from those
        packages fails as before, so guards such as ``try: from mmcv.ops import DeformConv2d``
        still see an absent package. The stand-ins are removed when the context ends.

    Yields:
        list[str]: The names of the replaced modules, e.g. ``['mmdet.utils']``.
    """
    with _LOCK:
        replaced = [name for name in _NEEDED if not _real_module_works(name)]
        added = {}
        for name in replaced:
            added.update(_make_stand_ins(name))
        sys.modules.update(added)
        try:
            yield replaced
        finally:
            for name, module in added.items():
                if sys.modules.get(name) is module:
                    del sys.modules[name]


def _real_module_works(name: str) -> bool:
    """Return whether the real module has all names MMPose imports; drop leftovers if not."""
    attributes, provided = _NEEDED[name]
    before = set(sys.modules)
    try:
        module = importlib.import_module(name)
        return all(hasattr(module, attribute) for attribute in attributes)
    except Exception:  # a package built for another torch raises RuntimeError, OSError, ...
        # Only the modules to be replaced: `mmcv` itself works even where `mmcv.ops` does not.
        drop_leftovers(provided[0], before)
        return False


def drop_leftovers(root: str, before: set) -> None:
    """Remove modules that a failed import left half-initialised, at or below ``root``."""
    for leftover in set(sys.modules) - before:
        if leftover == root or leftover.startswith(f'{root}.'):
            del sys.modules[leftover]


def _add_tostring_rgb() -> None:
    """Add the canvas method that MMPose's 3D visualizer calls and Matplotlib 3.10 removed."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    if not hasattr(FigureCanvasAgg, 'tostring_rgb'):
        FigureCanvasAgg.tostring_rgb = _canvas_rgb


def _canvas_rgb(canvas: Any) -> bytes:
    """Return the image of a canvas (H, W, 3), 8-bit RGB, row by row."""
    height, width = canvas.get_width_height()[::-1]
    pixels = memoryview(canvas.buffer_rgba()).cast('B')
    rgb = bytearray(3 * height * width)
    for channel in range(3):
        rgb[channel::3] = pixels[channel::4]
    return bytes(rgb)


def _make_stand_ins(name: str) -> dict[str, ModuleType]:
    """Make the stand-in modules for ``name``."""
    from . import stand_ins  # needs torch: kept out of the import of this module

    attributes, provided = _NEEDED[name]
    modules = {}
    for module_name in provided:
        module = ModuleType(module_name, f'Stand-in made by {__name__}.')
        module.__spec__ = ModuleSpec(module_name, loader=None, origin=stand_ins.__file__)
        modules[module_name] = module
    for attribute in attributes:
        setattr(modules[name], attribute, getattr(stand_ins, attribute))
    return modules
