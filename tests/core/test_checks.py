import pytest
import torch

from gvhmr_da_mm.core.checks import (
    check_at_least,
    check_choice,
    check_shape,
    fits_shape,
    shape_text,
)
from gvhmr_da_mm.core.errors import ConfigError, ShapeError


def test_letters_bind_sizes():
    assert check_shape(torch.zeros(2, 5, 17, 3), 'B L 17 3', 'kp2d') == dict(B=2, L=5)
    assert check_shape(torch.zeros(2, 5), 'B L', 'valid', B=2, L=5) == dict(B=2, L=5)


@pytest.mark.parametrize('shape', [(3, 3), (2, 3, 3), (4, 2, 3, 3)])
def test_a_star_stands_for_any_leading_dimensions(shape):
    assert check_shape(torch.zeros(shape), '* 3 3', 'R') == {}


@pytest.mark.parametrize(
    'shape, pattern, sizes',
    [
        ((2, 5, 16, 3), 'B L 17 3', {}),
        ((2, 5, 17), 'B L 17 3', {}),
        ((1, 2, 5, 17, 3), 'B L 17 3', {}),
        ((3, 5), 'B L', dict(B=2)),
        ((3, 4), 'N N', {}),
        ((3,), '* 3 3', {}),
        ((), 'B', {}),
    ],
)
def test_the_error_of_a_mismatch_has_name_expected_and_found_shape(shape, pattern, sizes):
    with pytest.raises(ShapeError) as error:
        check_shape(torch.zeros(shape), pattern, 'thing', **sizes)
    message = str(error.value)
    assert '`thing`' in message and str(tuple(shape)) in message
    assert all(part in message for part in pattern.split())
    assert all(str(size) in message for size in sizes.values())


def test_known_sizes_are_not_changed():
    sizes = dict(B=2)
    check_shape(torch.zeros(2, 7), 'B L', 'x', **sizes)
    assert sizes == dict(B=2)


def test_something_that_is_no_tensor():
    with pytest.raises(ShapeError, match='`x` should be a tensor.*list'):
        check_shape([1, 2], 'B', 'x')


def test_choices():
    check_choice('b', {'a': 1, 'b': 2}, 'option')
    with pytest.raises(ConfigError, match=r"`option` should be one of \('a', 'b'\), got 'c'"):
        check_choice('c', {'a': 1, 'b': 2}, 'option')
    with pytest.raises(ConfigError, match=r"got \['a'\]"):
        check_choice(['a'], {'a': 1}, 'option')


@pytest.mark.parametrize('value', [0, -3, float('nan')])
def test_lower_limits(value):
    check_at_least(1, first=1, second=2.5, third=None)
    with pytest.raises(ConfigError, match=f'`second` should be at least 1, got {value}'):
        check_at_least(1, first=1, second=value)


@pytest.mark.parametrize('shape', [(3,), (4, 2), (4, 3, 1)])
def test_a_shape_of_which_one_size_is_free(shape):
    assert fits_shape((4, 3), (None, 3)) and not fits_shape(shape, (None, 3))
    assert shape_text((None, 3)) == '(any, 3)'
