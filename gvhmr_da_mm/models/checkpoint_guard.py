"""Checks that loaded weights fit the model.

MMEngine loads with ``strict=False``: weights of another architecture would leave the model at its
random start with nothing but a warning. The functions here are ``load_state_dict`` pre-hooks, so
they run for ``load_from``, ``resume``, :func:`torch.load` by hand and the test tool alike.
"""

from typing import Any

from torch import Tensor, nn

from .checkpoint_comparison import compare, require_fit
from .checkpoint_keys import PUBLISHED_PREFIX, published_to_ours
from .checkpoint_upgrade import upgrade_state_dict

STUDENT_PREFIX, TEACHER_PREFIX = 'student.', 'teacher.'
STATISTICS_PREFIX = 'motion_codec.'


def adapt_state_dict(
    module: nn.Module, state_dict: dict[str, Tensor], prefix: str, *_: Any
) -> None:
    """Convert published and adapted checkpoints for a plain model, and check that they fit.

    Args:
        module (nn.Module): The :class:`GVHMR` being loaded.
        state_dict (dict[str, Tensor]): The checkpoint, changed in place.
        prefix (str): Name of the module inside the checkpoint.

    Raises:
        CheckpointError: If keys are missing or unknown, or shapes differ.
    """
    if not prefix:
        upgrade_state_dict(state_dict)
        if any(name.startswith(STUDENT_PREFIX) for name in state_dict):
            _replace(state_dict, _strip(state_dict, STUDENT_PREFIX))
        _complete(module, state_dict)
    check_fit(module, state_dict, prefix)


def adapt_student_teacher(
    module: nn.Module, state_dict: dict[str, Tensor], prefix: str, *_: Any
) -> None:
    """Start student and teacher of an adaptive model from a plain or published checkpoint.

    Args:
        module (nn.Module): The :class:`DomainAdaptiveGVHMR` being loaded.
        state_dict (dict[str, Tensor]): The checkpoint, changed in place.
        prefix (str): Name of the module inside the checkpoint.

    Raises:
        CheckpointError: If keys are missing or unknown, or shapes differ.
    """
    if not prefix:
        upgrade_state_dict(state_dict)
    if not prefix and not any(name.startswith(STUDENT_PREFIX) for name in state_dict):
        _complete(module.student, state_dict)
        check_fit(module.student, state_dict, '')
        plain = dict(state_dict)
        adaptive = {
            f'{part}{name}': value
            for part in (STUDENT_PREFIX, TEACHER_PREFIX)
            for name, value in plain.items()
        }
        _replace(state_dict, adaptive)
        _keep_own(module, state_dict, '')
    check_fit(module, state_dict, prefix)


def check_fit(module: nn.Module, state_dict: dict[str, Tensor], prefix: str) -> None:
    """Raise :class:`CheckpointError` unless the checkpoint holds exactly the module's tensors."""
    require_fit(
        compare(_strip(state_dict, prefix), module.state_dict()),
        f'the checkpoint does not fit this {type(module).__name__}',
        'Use the config the checkpoint was trained with (it lies beside it in the work directory), '
        'or change `model.backbone` to the same latent_dim and num_layers',
    )


def _complete(module: nn.Module, state_dict: dict[str, Tensor]) -> None:
    """Rename published weights, and add the statistics that a published file lacks."""
    if any(name.startswith(PUBLISHED_PREFIX) for name in state_dict):
        _replace(state_dict, published_to_ours(dict(state_dict)))
        # The model keeps the statistics of its config; the weights were not trained for others.
        module.motion_codec.expects_statistics = True
        _keep_own(module, state_dict, STATISTICS_PREFIX)


def _keep_own(module: nn.Module, state_dict: dict[str, Tensor], prefix: str) -> None:
    """Add the module's own tensors below a prefix where the checkpoint has none."""
    for name, value in module.state_dict().items():
        if name.startswith(prefix):
            state_dict.setdefault(name, value)


def _strip(state_dict: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {n[len(prefix) :]: value for n, value in state_dict.items() if n.startswith(prefix)}


def _replace(state_dict: dict[str, Tensor], content: dict[str, Tensor]) -> None:
    state_dict.clear()
    state_dict.update(content)
