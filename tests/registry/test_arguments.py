"""Checks of config values against signatures."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, Optional, Union

import pytest
import torch
from torch import nn

from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.registry.arguments import check_arguments, describe, fits, parameters_of


class Base:
    def __init__(self, size: int, *, scale: float = 1.0, name: Optional[str] = None) -> None:
        pass


class Child(Base):
    def __init__(self, *args: Any, depth: int = 1, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)


@pytest.mark.parametrize(
    'value, hint, expected',
    [
        (3, int, True),
        (3.0, int, False),
        (True, int, False),
        ('3', int, False),
        (3, float, True),
        (math.inf, float, True),
        (math.nan, float, False),
        (True, float, False),
        (0, bool, False),
        ('a', str, True),
        (b'a', str, False),
        (None, Optional[int], True),
        (None, int, False),
        (Path('a'), Union[str, Path], True),
        ([1, 2], tuple[int, ...], True),
        ([1, 'a'], tuple[int, ...], False),
        ([1, 2], tuple[int, int], True),
        ([1, 2, 3], tuple[int, int], False),
        ('ab', Sequence[str], False),
        (('a', 'b'), Sequence[str], True),
        ({}, Sequence[str], False),
        ({'a': 1}, dict[str, int], True),
        ({'a': 1, 'b': '2'}, dict[str, float], False),
        ({'a': None}, dict[str, nn.Module], True),
        ([], dict, False),
        ('b', Literal['a', 'b'], True),
        ('c', Literal['a', 'b'], False),
        (dict(type='Linear'), nn.Module, True),
        (nn.Linear(1, 1), nn.Module, True),
        (3, nn.Module, False),
        (torch.zeros(2), torch.Tensor, True),
        (len, Callable[[list], int], True),
        (3, Callable, False),
        (object(), Any, True),
    ],
)
def test_fits(value, hint, expected):
    assert fits(value, hint) is expected


def test_parameters_of_parents_count_where_they_are_passed_on():
    known, open_ended = parameters_of(Child)
    assert set(known) == {'depth', 'size', 'scale', 'name'} and not open_ended
    assert known['size'] is int


def test_functions_may_take_any_name():
    assert parameters_of(lambda first, **kwargs: None) == ({'first': Any}, True)


@pytest.mark.parametrize(
    'arguments, message',
    [
        (dict(scal=1.0), r"`model.part` \(Child\) has no field 'scal'; did you mean 'scale'"),
        (dict(zzz=1.0), "no field 'zzz'; it has depth, name, scale, size"),
        (dict(size='7'), "`model.part.size` should be a whole number, got '7'"),
        (dict(name=3), '`model.part.name` should be a text or None, got 3'),
        (dict(scale=math.nan), '`model.part.scale` should be a number, got nan'),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ConfigError, match=message):
        check_arguments(Child, arguments, 'model.part')


def test_right_arguments_pass():
    check_arguments(Child, dict(size=3, scale=2, name='a', depth=4), 'model')


def test_types_in_words():
    assert describe(Optional[Sequence[float]]) == 'a list, each a number or None'
    assert describe(tuple[int, str]) == 'a list of (a whole number, a text)'
    assert describe(Union[nn.Module, dict]) == 'Module or a dict'
    assert describe(dict[str, float]) == 'a dict, each value a number'
    assert describe(Literal['a']) == "one of ('a',)"


class Sized:
    def __init__(
        self, latent_dim: int = 1, num_layers: int = 0, offset: int = 0, dropout: float = 0
    ) -> None:
        pass


@pytest.mark.parametrize('name, value, least', [('latent_dim', 0, 1), ('num_layers', -1, 0)])
def test_sizes_and_counts_have_limits(name, value, least):
    with pytest.raises(ConfigError, match=f'`model.{name}` should be at least {least}, got'):
        check_arguments(Sized, {name: value}, 'model')
    check_arguments(Sized, {name: least, 'offset': -3}, 'model')


def test_dropout_is_a_probability():
    for value in (-0.1, 2.5):
        message = f'`model.dropout` should be from 0 to 1, got {value}'
        with pytest.raises(ConfigError, match=message):
            check_arguments(Sized, dict(dropout=value), 'model')
    check_arguments(Sized, dict(dropout=0.5), 'model')
