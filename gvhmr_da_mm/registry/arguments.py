"""Checks of the values of a config against the signature of a class or function."""

import collections.abc
import difflib
import functools
import inspect
import math
import typing
from collections.abc import Callable, Iterable, Mapping
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Literal, TypeVar, Union

import numpy as np

from ..core.checks import is_number
from ..core.errors import ConfigError

_PLAIN_TYPES = {int: 'a whole number', float: 'a number', bool: 'True or False', str: 'a text'}
_SIZE_SUFFIXES = ('_dim', '_size', '_heads')
_COUNT_SUFFIXES = ('_layers', '_len', '_frames', '_steps')
_SEQUENCES = (list, tuple, collections.abc.Sequence, collections.abc.Iterable)
_MAPPINGS = (dict, Mapping, collections.abc.MutableMapping)
Checked = TypeVar('Checked', bound=Callable)


def parameters_of(target: Callable) -> tuple[dict[str, Any], bool]:
    """Return the arguments that a class or function takes by keyword.

    Args:
        target (Callable): A class whose ``**kwargs`` go to its parents, or a function.

    Returns:
        tuple[dict[str, Any], bool]: Names and types (``Any`` without annotation), and whether any
        other name is accepted too.
    """
    functions = [target]
    if inspect.isclass(target):
        functions = [vars(parent)['__init__'] for parent in target.__mro__ if _has_init(parent)]
    known: dict[str, Any] = {}
    for function in functions:
        signature = inspect.signature(function)
        hints = _hints(function)
        for name, parameter in signature.parameters.items():
            if parameter.kind in (parameter.KEYWORD_ONLY, parameter.POSITIONAL_OR_KEYWORD):
                known.setdefault(name, hints.get(name, Any))
        kinds = {parameter.kind for parameter in signature.parameters.values()}
        if inspect.Parameter.VAR_KEYWORD not in kinds:
            return _without_self(known), False
    return _without_self(known), True


def _has_init(parent: type) -> bool:
    return parent is not object and inspect.isfunction(vars(parent).get('__init__'))


def _without_self(known: dict[str, Any]) -> dict[str, Any]:
    return {name: hint for name, hint in known.items() if name != 'self'}


def _hints(function: Callable) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function)
    except (NameError, TypeError, AttributeError):  # Names that exist for type checkers alone.
        return {}


def check_arguments(target: Callable, arguments: Mapping[str, Any], where: str) -> None:
    """Check names and types of the arguments of a class or function.

    Args:
        target (Callable): The class or function.
        arguments (Mapping[str, Any]): Arguments by name, without ``type``.
        where (str): Their place in the config for the error, such as ``model.backbone``.

    Raises:
        ConfigError: If a name is unknown or a value has a wrong type.
    """
    known = check_names(target, arguments, where)
    for name, value in arguments.items():
        if name in known:
            check_value(value, known[name], f'{where}.{name}')
            _check_size(value, name, where)


def checks_flags(function: Checked) -> Checked:
    """Let a function that users call refuse values of its flags that are neither True nor False.

    Python takes any value for a truth value: ``fit='no'`` would be True. Configs are checked before
    anything is built.
    """
    signature = inspect.signature(function)
    hints = _hints(function)
    flags = {name: hint for name, hint in hints.items() if bool in (hint, *typing.get_args(hint))}
    where = function.__qualname__.replace('.__call__', '')

    @functools.wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        given = signature.bind_partial(*args, **kwargs).arguments
        for name in given.keys() & flags.keys():
            check_value(given[name], flags[name], f'{where}.{name}')
        return function(*args, **kwargs)

    return checked


def check_names(target: Callable, names: Iterable[str], where: str) -> dict[str, Any]:
    """Raise :class:`ConfigError` for a name that a class or function does not take.

    Returns:
        dict[str, Any]: Accepted names and their types.
    """
    known, open_ended = parameters_of(target)
    if not open_ended:
        check_fields(names, known, f'`{where}` ({_name(target)})')
    return known


def check_fields(names: Iterable[str], known: Iterable[str], where: str) -> None:
    """Raise :class:`ConfigError` for a name that is not known.

    Args:
        names (Iterable[str]): Names of fields.
        known (Iterable[str]): Those that are read.
        where (str): What has the fields, as it is shown.
    """
    for name in names:
        if name not in known:
            raise ConfigError(f'{where} has no field {name!r}; {suggest(name, known)}')


def suggest(name: str, known: Iterable[str]) -> str:
    """Return a hint for an unknown name: the most similar known ones, or else all."""
    close = difflib.get_close_matches(str(name), known, n=3, cutoff=0.5)
    if close:
        return f'did you mean {" or ".join(map(repr, close))}?'
    return f'it has {", ".join(sorted(map(str, known))) or "none"}'


def _check_size(value: Any, name: str, where: str) -> None:
    """Check the range of sizes, counts and dropout rates, which are known by their name."""
    if name == 'dropout' and isinstance(value, Real) and not 0 <= value <= 1:
        raise ConfigError(f'`{where}.dropout` should be from 0 to 1, got {value}')
    if not isinstance(value, Integral) or isinstance(value, bool):
        return
    least = 1 if name.endswith(_SIZE_SUFFIXES) else 0 if name.endswith(_COUNT_SUFFIXES) else None
    if least is not None and value < least:
        raise ConfigError(f'`{where}.{name}` should be at least {least}, got {value}')


def check_value(value: Any, hint: Any, where: str) -> None:
    """Raise :class:`ConfigError` unless a value fits an annotated type."""
    if not fits(value, hint):
        raise ConfigError(f'`{where}` should be {describe(hint)}, got {value!r:.80}')


def fits(value: Any, hint: Any) -> bool:
    """Return whether a value fits an annotated type; unknown types accept any value.

    Integers fit float, lists fit all sequences, and a config (a dict) fits the class that is built
    from it.
    """
    origin, inner = typing.get_origin(hint) or hint, typing.get_args(hint)
    if hint is Any or isinstance(hint, (str, typing.TypeVar)):
        return True
    if hint is None or hint is type(None):
        return value is None
    if origin is Union or type(hint).__name__ == 'UnionType':
        return any(fits(value, option) for option in inner)
    if origin is Literal:
        return value in inner
    if origin in (int, float, bool, str, Path):
        return _fits_plain(value, origin)
    if origin in _MAPPINGS:
        return isinstance(value, Mapping) and _fits_values(value, inner)
    if origin in _SEQUENCES:
        return _fits_sequence(value, origin, inner)
    if origin is type or origin in (Callable, collections.abc.Callable):
        return callable(value) or isinstance(value, (str, Mapping))
    if inspect.isclass(origin):
        return isinstance(value, (origin, Mapping))
    return True


def _fits_plain(value: Any, kind: type) -> bool:
    if kind is bool:
        return isinstance(value, (bool, np.bool_))
    if kind is int:
        return isinstance(value, Integral) and not isinstance(value, bool)
    if kind is float:
        return is_number(value) and not math.isnan(value)
    return isinstance(value, (str, Path) if kind is Path else kind)


def _fits_values(value: Mapping, inner: tuple) -> bool:
    # Other values may be None in a config, which leaves that part out.
    plain = inner and inner[-1] in _PLAIN_TYPES
    return not plain or all(fits(item, inner[-1]) for item in value.values())


def _fits_sequence(value: Any, kind: Any, inner: tuple) -> bool:
    if not isinstance(value, (list, tuple)):
        # Other iterables are objects, such as a generator or a dataset.
        plain = isinstance(value, (str, bytes, Mapping, Real, type(None)))
        return not plain and isinstance(value, collections.abc.Iterable)
    if kind is tuple and inner and inner[-1] is not Ellipsis:
        return len(value) == len(inner) and all(map(fits, value, inner))
    return not inner or all(fits(item, inner[0]) for item in value)


def describe(hint: Any) -> str:
    """Return the description of a type in words."""
    origin, inner = typing.get_origin(hint) or hint, typing.get_args(hint)
    if hint is None or hint is type(None):
        return 'None'
    if origin is Union or type(hint).__name__ == 'UnionType':
        return ' or '.join(dict.fromkeys(map(describe, inner)))
    if origin is Literal:
        return f'one of {inner}'
    if origin in _PLAIN_TYPES:
        return _PLAIN_TYPES[origin]
    if origin in _MAPPINGS:
        plain = inner and inner[-1] in _PLAIN_TYPES
        return 'a dict' + (f', each value {describe(inner[-1])}' if plain else '')
    if origin in _SEQUENCES:
        if origin is tuple and inner and inner[-1] is not Ellipsis:
            return f'a list of ({", ".join(map(describe, inner))})'
        return 'a list' + (f', each {describe(inner[0])}' if inner else '')
    return _name(origin)


def _name(target: Any) -> str:
    return getattr(target, '__name__', str(target))
