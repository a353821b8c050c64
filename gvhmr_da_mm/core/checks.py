"""Declarative shape checks for public boundaries."""

from torch import Tensor

from .errors import ShapeError


def check_shape(tensor: Tensor, pattern: str, name: str, **sizes: int) -> dict[str, int]:
    """Check a tensor against a pattern such as ``'B L 17 3'``.

    Args:
        tensor (Tensor): The tensor to check.
        pattern (str): Dimensions separated by spaces: a number must match exactly, a letter binds a
            size (the same letter twice must agree), and a leading ``*`` stands for any dimensions.
        name (str): What to call the tensor in the error.
        sizes (int): Letters whose sizes are already known.

    Returns:
        Dict[str, int]: The size bound to each letter.

    Raises:
        ShapeError: If the shape does not match.
    """
    wanted = pattern.split()
    if not isinstance(tensor, Tensor):
        raise ShapeError(f'`{name}` should be a tensor of shape ({pattern}), got {type(tensor)}')
    shape = list(tensor.shape)
    bound = dict(sizes)
    any_leading = bool(wanted) and wanted[0] == '*'
    if any_leading:
        wanted = wanted[1:]
        shape = shape[max(len(shape) - len(wanted), 0) :]
    matches = len(shape) == len(wanted)
    for dim, size in zip(wanted, shape):
        expected = int(dim) if dim.isdigit() else bound.setdefault(dim, size)
        matches = matches and expected == size
    if not matches:
        known = f' with {sizes}' if sizes else ''
        raise ShapeError(
            f'`{name}` should have shape ({", ".join(pattern.split())}){known}, '
            f'got {tuple(tensor.shape)}'
        )
    return bound
