"""Upgrade of checkpoints that were written by earlier versions."""

from torch import Tensor

from ..core.errors import CheckpointError

REMOVED_ALIGNMENT = 'feature_alignment.'
RENAMED = {
    'discriminator.': 'critic.discriminator.',
    'calibrator.': 'critic.calibrator.',
    'motion_queue.': 'critic.queue.',
}
"""Beginnings of names: what they were and what they are."""


def upgrade_state_dict(state_dict: dict[str, Tensor]) -> None:
    """Rename and drop what earlier versions named otherwise, in place.

    Args:
        state_dict (dict[str, Tensor]): The weights of a whole checkpoint.

    Raises:
        CheckpointError: If the weights depend on a part that no longer exists.
    """
    alignment = [name for name in state_dict if REMOVED_ALIGNMENT in name]
    if any(bool(state_dict[name]) for name in alignment if name.endswith('fitted')):
        raise CheckpointError(
            f'the checkpoint maps image features by a fitted `{REMOVED_ALIGNMENT[:-1]}`, which no '
            'longer exists and without which its weights mean something else: train anew, or use '
            'the version that wrote it'
        )
    for name in alignment:  # Not fitted it changed nothing.
        del state_dict[name]
    for name in list(state_dict):
        for old, new in RENAMED.items():
            if name.startswith(old):
                state_dict[new + name[len(old) :]] = state_dict.pop(name)
