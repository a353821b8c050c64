"""Comparison of a checkpoint's tensors with a network's."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Optional

from ..core.errors import CheckpointError, list_some


class TensorDifference(NamedTuple):
    """Shapes of one tensor in the network and in a checkpoint.

    Args:
        name (str): Name of the tensor.
        expected (tuple[int, ...], optional): Shape in the network; None if it has no such tensor.
        found (tuple[int, ...], optional): Shape in the checkpoint; None if it is missing.
    """

    name: str
    expected: Optional[tuple[int, ...]]
    found: Optional[tuple[int, ...]]

    @property
    def fits(self) -> bool:
        """Whether both exist and have the same shape."""
        return self.expected is not None and self.expected == self.found


def compare(state_dict: Mapping[str, Any], expected: Mapping[str, Any]) -> list[TensorDifference]:
    """Compare names and shapes of the tensors of a checkpoint with those of a network.

    Args:
        state_dict (Mapping[str, Tensor | tuple]): Tensors of the checkpoint, or their shapes.
        expected (Mapping[str, Tensor | tuple]): Tensors of the network, or their shapes.

    Returns:
        list[TensorDifference]: One entry for every tensor of either, in the network's order;
        unknown tensors come last.
    """
    found = {name: _shape(value) for name, value in state_dict.items()}
    rows = [
        TensorDifference(name, _shape(value), found.pop(name, None))
        for name, value in expected.items()
    ]
    return rows + [TensorDifference(name, None, shape) for name, shape in found.items()]


def require_fit(rows: Sequence[TensorDifference], problem: str, advice: str = '') -> None:
    """Check that all tensors fit.

    Args:
        rows (Sequence[TensorDifference]): As :func:`compare` returns them.
        problem (str): First line of the error message.
        advice (str): Last line of the error message, the remedy. Defaults to ''.

    Raises:
        CheckpointError: Listing the tensors that are unknown, missing or of another shape.
    """
    shapes = [
        f'{row.name}: expected {row.expected}, got {row.found}'
        for row in rows
        if not row.fits and None not in (row.expected, row.found)
    ]
    kinds = {
        'unknown': [row.name for row in rows if row.expected is None],
        'missing': [row.name for row in rows if row.found is None],
        'of another shape': shapes,
    }
    lines = [
        f'\n  {len(names)} {kind}: {list_some(names, separator="; ")}'
        for kind, names in kinds.items()
        if names
    ]
    if lines:
        raise CheckpointError(f'{problem}:{"".join(lines)}' + (advice and f'\n{advice}'))


def _shape(value: Any) -> tuple[int, ...]:
    return value if isinstance(value, tuple) else tuple(getattr(value, 'shape', ()))
