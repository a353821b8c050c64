"""Ways to spoil what a pack holds."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

FOREIGN = (None, True, 0, -3, 1.5, 'text', [], {}, [1, 'two'], {'a': {'b': 1}})
"""Values that no field should have."""
NUMBERS = (float('nan'), float('inf'), -float('inf'), 1e30, -1e9, 0.0, -1.0)


class Change(NamedTuple):
    """What was changed.

    Attributes:
        content (Any): The new content; the old one is untouched.
        what (str): In words.
        where (tuple): Keys down to it.
    """

    content: Any
    what: str
    where: tuple


def mutate_content(content: Any, rng: np.random.Generator) -> Change:
    """Change one thing in nested dicts, lists and tensors.

    Args:
        content (Any): What a pack holds; not changed.
        rng (np.random.Generator): Decides.
    """
    where, value = _choose(content, rng)
    if not where:
        return Change(_foreign(rng), 'whole content replaced', where)
    if isinstance(value, Tensor):
        new, what = _spoil_tensor(value, rng)
    elif isinstance(value, (list, tuple)):
        new, what = _spoil_list(value, rng)
    else:
        new, what = _foreign(rng), 'value replaced'
    draw = rng.random()
    if draw < 0.12:
        return Change(_without(content, where), 'key deleted', where)
    if draw < 0.2:
        return Change(_renamed(content, where, rng), 'key renamed', where)
    if draw < 0.28:
        new, what = _foreign(rng), 'value replaced'
    elif draw < 0.34:
        new, what = {where[-1]: value}, 'nested once more'
    return Change(_with(content, where, new), what, where)


def _choose(content: Any, rng: np.random.Generator) -> tuple[tuple, Any]:
    """Walk down to a random value; rarely stop above the leaves."""
    where: tuple = ()
    while isinstance(content, Mapping) and content and (not where or rng.random() > 0.08):
        if not where and rng.random() < 0.02:
            break
        keys = list(content)
        key = keys[int(rng.integers(len(keys)))]
        where, content = (*where, key), content[key]
    return where, content


def _foreign(rng: np.random.Generator) -> Any:
    options = (*FOREIGN, torch.zeros(0), torch.zeros(3, 2), torch.tensor(1.0))
    return options[int(rng.integers(len(options)))]


def _with(content: Any, where: tuple, value: Any) -> Any:
    if not where:
        return value
    return {**content, where[0]: _with(content[where[0]], where[1:], value)}


def _without(content: Any, where: tuple) -> Any:
    if len(where) == 1:
        return {key: value for key, value in content.items() if key != where[0]}
    return {**content, where[0]: _without(content[where[0]], where[1:])}


def _renamed(content: Any, where: tuple, rng: np.random.Generator) -> Any:
    if len(where) > 1:
        return {**content, where[0]: _renamed(content[where[0]], where[1:], rng)}
    names = (f'{where[0]}_', str(where[0]).upper(), 7, '', (1, 2))
    new = names[int(rng.integers(len(names)))]
    return {new if key == where[0] else key: value for key, value in content.items()}


def _spoil_list(value: Any, rng: np.random.Generator) -> tuple[Any, str]:
    options = (
        value[::-1],
        value[:1],
        type(value)(),
        [*value, *value],
        [str(item) for item in value],
        [-5, 10],
        [0, 10**9],
        [10, 10],
        [0.5, 20.5],
        [float('nan'), 3],
        torch.tensor([0, 5]),
        [None, None],
        [[0, 3, 5]],
        [2**70, 2**71],
    )
    index = int(rng.integers(len(options)))
    return options[index], f'list replaced by {options[index]!r:.60}'


def _spoil_tensor(value: Tensor, rng: np.random.Generator) -> tuple[Any, str]:
    operations = [
        *(_cast(dtype) for dtype in _DTYPES),
        *(_fill(number) for number in NUMBERS),
        *(_fill_some(number) for number in NUMBERS),
        _OPERATIONS['truncated'],
        *_OPERATIONS.values(),
    ]
    operation = operations[int(rng.integers(len(operations)))]
    return operation(value, rng), operation.__name__


_DTYPES = (torch.int64, torch.float16, torch.bool, torch.complex64, torch.uint8, torch.float64)


def _cast(dtype: torch.dtype) -> Any:
    def cast(value: Tensor, rng: np.random.Generator) -> Tensor:
        return value.float().nan_to_num().to(dtype)

    cast.__name__ = f'cast to {dtype}'
    return cast


def _fill(number: float) -> Any:
    def fill(value: Tensor, rng: np.random.Generator) -> Tensor:
        return torch.full(value.shape, number)

    fill.__name__ = f'filled with {number}'
    return fill


def _fill_some(number: float) -> Any:
    def fill_some(value: Tensor, rng: np.random.Generator) -> Tensor:
        spoiled = value.float().clone()
        count = max(int(0.01 * spoiled.numel()), 1)
        places = torch.from_numpy(rng.integers(max(spoiled.numel(), 1), size=count))
        if spoiled.numel():
            spoiled.view(-1)[places] = number
        return spoiled

    fill_some.__name__ = f'some values {number}'
    return fill_some


def _truncated(value: Tensor, rng: np.random.Generator) -> Tensor:
    if not value.ndim:
        return value[None]
    axis = int(rng.integers(value.ndim))
    return value.narrow(axis, 0, int(rng.integers(value.shape[axis]))).clone()


def _swapped(value: Tensor, rng: np.random.Generator) -> Tensor:
    return value.mT.contiguous() if value.ndim > 1 else value[..., None]


def _mirrored(value: Tensor, rng: np.random.Generator) -> Tensor:
    return value.flip(-1) if value.ndim else -value


_OPERATIONS = {
    'truncated': _truncated,
    'axes swapped': _swapped,
    'reversed': _mirrored,
    'zero frames': lambda value, rng: value[:0] if value.ndim else torch.zeros(0),
    'one axis more': lambda value, rng: value[None],
    'one axis less': lambda value, rng: value[0] if value.ndim and len(value) else value[None],
    'sparse': lambda value, rng: value.float().to_sparse(),
    'doubled': lambda value, rng: torch.cat((value, value)) if value.ndim else value,
    'negated': lambda value, rng: -value.float(),
    'times 1000': lambda value, rng: value.float() * 1000,
    'with gradient': lambda value, rng: value.float().clone().requires_grad_(),
    'a list': lambda value, rng: value.flatten()[:50].tolist(),
    'a number': lambda value, rng: float(value.float().sum()),
    'random': lambda value, rng: torch.from_numpy(rng.normal(size=value.shape)),
}
for _name, _operation in _OPERATIONS.items():
    _operation.__name__ = _name
