"""Makes every loading of weights either fit or fail with a reason.

MMEngine loads with ``strict=False``: weights of another architecture would leave the model at its
random start with nothing but a warning. The functions here are ``load_state_dict`` pre-hooks, so
they run for ``load_from``, ``resume``, :func:`torch.load` by hand and the test tool alike.
"""

from collections.abc import Iterable
from typing import Any

from torch import Tensor, nn

from ..core.errors import CheckpointError
from .checkpoint_keys import PUBLISHED_PREFIX, published_to_ours

STUDENT, TEACHER = 'student.', 'teacher.'
STATISTICS = 'motion_codec.'
SHOWN = 5


def adapt_state_dict(
    module: nn.Module, state_dict: dict[str, Tensor], prefix: str, *_: Any
) -> None:
    """Accept published and adapted checkpoints in a plain model, and check that they fit.

    Args:
        module (nn.Module): The :class:`GVHMR` being loaded.
        state_dict (dict[str, Tensor]): The checkpoint, changed in place.
        prefix (str): Where the module is inside the checkpoint.

    Raises:
        CheckpointError: If keys are missing or shapes differ.
    """
    optional: tuple[str, ...] = ()
    if not prefix:
        if any(name.startswith(PUBLISHED_PREFIX) for name in state_dict):
            _replace(state_dict, published_to_ours(dict(state_dict)))
            # The published file has no statistics: the model keeps those of its config, and must
            # not fit others, which the weights were not trained for.
            module.motion_codec.expects_statistics = True
            optional = (STATISTICS,)
        elif any(name.startswith(STUDENT) for name in state_dict):
            _replace(state_dict, _strip(state_dict, STUDENT))
    check_fit(module, state_dict, prefix, optional)


def adapt_student_teacher(
    module: nn.Module, state_dict: dict[str, Tensor], prefix: str, *_: Any
) -> None:
    """Start student and teacher of an adaptive model from a plain or published checkpoint.

    Args:
        module (nn.Module): The :class:`DomainAdaptiveGVHMR` being loaded.
        state_dict (dict[str, Tensor]): The checkpoint, changed in place.
        prefix (str): Where the module is inside the checkpoint.

    Raises:
        CheckpointError: If keys are missing or shapes differ.
    """
    if prefix or any(name.startswith(STUDENT) for name in state_dict):
        check_fit(module, state_dict, prefix)
        return
    if any(name.startswith(PUBLISHED_PREFIX) for name in state_dict):
        _replace(state_dict, published_to_ours(dict(state_dict)))
        module.motion_codec.expects_statistics = True
        for name, value in module.student.state_dict().items():
            if name.startswith(STATISTICS):
                state_dict.setdefault(name, value)
    check_fit(module.student, state_dict, '')
    plain = dict(state_dict)
    adaptive = {
        f'{part}{name}': value for part in (STUDENT, TEACHER) for name, value in plain.items()
    }
    for name, value in module.state_dict().items():
        adaptive.setdefault(name, value)
    _replace(state_dict, adaptive)


def check_fit(
    module: nn.Module,
    state_dict: dict[str, Tensor],
    prefix: str,
    optional: Iterable[str] = (),
) -> None:
    """Raise :class:`CheckpointError` unless the checkpoint holds all of the module's tensors."""
    missing, different = [], []
    for name, value in module.state_dict().items():
        found = state_dict.get(prefix + name)
        if found is None:
            if not name.startswith(tuple(optional)):
                missing.append(name)
        elif isinstance(value, Tensor) and found.shape != value.shape:
            different.append(f'{name}: {tuple(value.shape)} here, {tuple(found.shape)} in the file')
    if not missing and not different:
        return
    lines = [f'the checkpoint does not fit this {type(module).__name__}:']
    if different:
        lines.append(f'  {len(different)} tensor(s) of another shape, {_some(different)}')
    if missing:
        lines.append(f'  {len(missing)} tensor(s) missing, {_some(missing)}')
    lines.append(
        'Use the config the checkpoint was trained with (it lies beside it in the work directory), '
        'or change `model.backbone` to the same latent_dim and num_layers'
    )
    raise CheckpointError('\n'.join(lines))


def _some(items: list[str]) -> str:
    return 'such as ' + '; '.join(items[:SHOWN]) if len(items) > SHOWN else '; '.join(items)


def _strip(state_dict: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {n[len(prefix) :]: value for n, value in state_dict.items() if n.startswith(prefix)}


def _replace(state_dict: dict[str, Tensor], content: dict[str, Tensor]) -> None:
    state_dict.clear()
    state_dict.update(content)
