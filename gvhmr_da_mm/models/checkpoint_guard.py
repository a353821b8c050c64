"""Checks that loaded weights fit the model.

MMEngine loads with ``strict=False``: weights of another architecture would leave the model at its
random start with nothing but a warning. The functions here are ``load_state_dict`` pre-hooks, so
they run for ``load_from``, ``resume``, :func:`torch.load` by hand and the test tool alike.
"""

import logging
from typing import Any

from mmengine.logging import print_log
from torch import Tensor, nn

from .checkpoint_comparison import compare, require_fit
from .checkpoint_keys import PUBLISHED_PREFIX, published_to_ours
from .checkpoint_upgrade import upgrade_state_dict

STUDENT_PREFIX, TEACHER_PREFIX = 'student.', 'teacher.'
STATISTICS_PREFIX = 'motion_codec.'
QUEUE_PREFIX = 'critic.queue.'
_CRITIC_PARTS = {
    # The calibrator holds the distribution of the discriminator's scores.
    'model.critic.discriminator': ('critic.discriminator.', 'critic.calibrator.'),
    'model.critic.queue': (QUEUE_PREFIX,),
}


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

    A checkpoint of a student alone, as ``publish_model.py`` writes it, starts the teacher as its
    copy, and may have no queue of true motion.
    Parts of the critic that do not fit start anew, with a warning: no prediction depends on them.

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
        check_fit(module.student, state_dict, '', 'model.estimator')
        plain = dict(state_dict)
        adaptive = {
            f'{part}{name}': value
            for part in (STUDENT_PREFIX, TEACHER_PREFIX)
            for name, value in plain.items()
        }
        _replace(state_dict, adaptive)
        _keep_own(module, state_dict, '')
    elif not prefix:
        if not any(
            name.startswith(TEACHER_PREFIX) for name in state_dict
        ):  # Of `publish_model.py`.
            for name, value in _strip(state_dict, STUDENT_PREFIX).items():
                state_dict[f'{TEACHER_PREFIX}{name}'] = value
            _keep_own(module, state_dict, QUEUE_PREFIX)
        _restart_critic(module, state_dict)
    check_fit(module, state_dict, prefix)


def check_fit(
    module: nn.Module, state_dict: dict[str, Tensor], prefix: str, where: str = 'model'
) -> None:
    """Check that a checkpoint holds exactly the tensors of a module.

    Args:
        module (nn.Module): The module being loaded.
        state_dict (dict[str, Tensor]): The checkpoint.
        prefix (str): Name of the module inside the checkpoint.
        where (str): Key of the module in the config, for the error. Defaults to ``'model'``.

    Raises:
        CheckpointError: If keys are missing or unknown, or shapes differ; names the parts.
    """
    own = module.state_dict()
    rows = compare(_strip(state_dict, prefix), own)
    differing = {_config_key(row.name, where) for row in rows if not row.fits}
    parts = dict.fromkeys(_config_key(name, where) for name in own)
    names = ', '.join(f'`{part}`' for part in parts if part in differing)
    require_fit(
        rows,
        f'the checkpoint does not fit this {type(module).__name__}',
        'Use the config the checkpoint was trained with (it lies beside it in the work directory), '
        f'or set the fields of {names} as there (latent_dim and num_layers, for instance)',
    )


def _config_key(name: str, where: str) -> str:
    """Return the key in the config of the part that a tensor belongs to."""
    for role in (STUDENT_PREFIX, TEACHER_PREFIX):
        if name.startswith(role):
            return _config_key(name[len(role) :], f'{where}.estimator')
    return f'{where}.{name.partition(".")[0]}'


def _restart_critic(module: nn.Module, state_dict: dict[str, Tensor]) -> None:
    """Replace parts of the critic that do not fit by the module's own."""
    rows = compare(state_dict, module.state_dict())
    for part, prefixes in _CRITIC_PARTS.items():
        own = [row for row in rows if row.name.startswith(prefixes)]
        if all(row.fits for row in own):
            continue
        for row in own:
            state_dict.pop(row.name, None)
        for prefix in prefixes:
            _keep_own(module, state_dict, prefix)
        first = next(row for row in own if not row.fits)
        end = 'the config has no such part' if module.critic is None else 'the part starts anew'
        print_log(
            f'The checkpoint does not fit `{part}`, and its tensors are left out ({first.name}: '
            f'expected {first.expected}, got {first.found}): {end}',
            'current',
            logging.WARNING,
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
