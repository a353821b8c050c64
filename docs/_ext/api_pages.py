"""Pages of the API reference, written before a build: one for each part of the package.

A page holds what the part registers, by registry, and what else it exports, so that a new class or
function is on the site as soon as it can be used.
"""

import importlib
import inspect
import pkgutil
from pathlib import Path
from types import ModuleType
from typing import Any, Optional

from docutils import nodes
from mmengine.registry import Registry
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

import gvhmr_da_mm
from gvhmr_da_mm import registry

FOLDER = 'reference/api'
LEFT_OUT = ('cli',)
"""Parts that only tools use."""
MODULES = {
    'core': ('camera', 'errors', 'gravity_view', 'rotation', 'trajectory'),
    'evaluation': ('functional',),
}
"""Modules that are shown although their package does not export them."""
HEADINGS = {'en': 'Functions and other classes', 'zh_TW': '函式與其他類別'}


def registered_parts() -> dict[str, list[Any]]:
    """Return what this package registers, by the name of the registry."""
    found = {}
    for name, one in vars(registry).items():
        if isinstance(one, Registry):
            one.import_from_location()
            own = {part for part in one.module_dict.values() if _is_own(part)}
            found[name] = sorted(own, key=lambda part: part.__name__)
    return found


def exported(module: ModuleType) -> list[Any]:
    """Return the classes and functions that a module exports or, without ``__all__``, defines."""
    names = getattr(module, '__all__', None) or [
        name
        for name, value in vars(module).items()
        if getattr(value, '__module__', None) == module.__name__ and name[0] != '_'
    ]
    return [value for value in map(vars(module).get, names) if _is_own(value)]


def _is_own(value: Any) -> bool:
    is_part = inspect.isclass(value) or inspect.isfunction(value)
    return is_part and value.__module__.partition('.')[0] == gvhmr_da_mm.__name__


def _entry(part: Any, package: ModuleType) -> str:
    is_exported = getattr(package, part.__name__, None) is part
    module = package.__name__ if is_exported else part.__module__
    if inspect.isfunction(part):
        return f'.. autofunction:: {module}.{part.__name__}\n'
    return f'.. autoclass:: {module}.{part.__name__}\n   :members:\n'


def page(room: str, registered: dict[str, list[Any]], heading: str) -> str:
    """Return the page of a part of the package, empty if there is nothing to show.

    Args:
        room (str): Name of the package below ``gvhmr_da_mm``.
        registered (dict[str, list]): See :func:`registered_parts`.
        heading (str): Heading of what is not registered.
    """
    package = importlib.import_module(f'{gvhmr_da_mm.__name__}.{room}')
    sections = {
        f'``{name}``': [part for part in parts if part.__module__.split('.')[1] == room]
        for name, parts in registered.items()
    }
    modules = [importlib.import_module(f'{package.__name__}.{m}') for m in MODULES.get(room, ())]
    known = {part for parts in registered.values() for part in parts}
    others = {part for module in (package, *modules) for part in exported(module)} - known
    sections[heading] = sorted(others, key=lambda part: (part.__module__, part.__name__))
    body = [
        f'{title}\n{"-" * 2 * len(title)}\n\n' + '\n'.join(_entry(part, package) for part in parts)
        for title, parts in sections.items()
        if parts
    ]
    if not body:
        return ''
    summary = (package.__doc__ or '').partition('\n')[0]
    return '\n'.join([f'{room}\n{"=" * len(room)}\n', f'{summary}\n', *body])


def write_pages(app: Sphinx) -> None:
    """Write the pages of all parts into the folder ``reference/api`` of the source."""
    folder = Path(app.srcdir) / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    registered = registered_parts()
    rooms = {found.name for found in pkgutil.iter_modules(gvhmr_da_mm.__path__) if found.ispkg}
    pages = {
        folder / f'{room}.rst': page(room, registered, HEADINGS[app.config.language])
        for room in rooms - {*LEFT_OUT}
    }
    for old in set(folder.glob('*.rst')) - {path for path, text in pages.items() if text}:
        old.unlink()
    for path, text in pages.items():
        if text and (not path.exists() or path.read_text(encoding='utf-8') != text):
            path.write_text(text, encoding='utf-8')


def resolve_short_name(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.TextElement
) -> Optional[nodes.reference]:
    """Resolve a reference to a class or function that is named without its module."""
    if node.get('refdomain') != 'py':
        return None
    target = node['reftarget'].rpartition('.')[2]
    objects = env.get_domain('py').objects
    matches = [place for name, place in objects.items() if name.rpartition('.')[2] == target]
    if len(matches) != 1:
        return None
    uri = app.builder.get_relative_uri(node['refdoc'], matches[0].docname)
    return nodes.reference('', '', content, internal=True, refuri=f'{uri}#{matches[0].node_id}')


def setup(app: Sphinx) -> dict:
    """Connect both steps to a build."""
    app.connect('builder-inited', write_pages)
    app.connect('missing-reference', resolve_short_name)
    return dict(parallel_read_safe=True, parallel_write_safe=True)
