"""Upgrade of names in checkpoints: of earlier versions, and of compiled models."""

import re

from torch import Tensor

from ..core.errors import CheckpointError

REMOVED_PREFIX = 'feature_alignment.'
RENAMED_PREFIXES = {
    'discriminator.': 'critic.discriminator.',
    'calibrator.': 'critic.calibrator.',
    'motion_queue.': 'critic.queue.',
}
"""Old and new prefixes of names."""
LSTM_LAYER = re.compile(r'^(critic\.discriminator\.lstm)\.((?:weight|bias)_[ih]h_l)(\d+)$')
"""Name of a weight of the discriminator when its LSTM was one module."""
COMPILED_PREFIX = '_orig_mod.'
"""What ``torch.compile(module)`` puts before the names of the module."""


def upgrade_state_dict(state_dict: dict[str, Tensor]) -> None:
    """Rename and drop weights of earlier versions and of compiled models, in place.

    Args:
        state_dict (dict[str, Tensor]): The weights of a whole checkpoint.

    Raises:
        CheckpointError: If the weights depend on a part that no longer exists.
    """
    for name in [name for name in state_dict if COMPILED_PREFIX in name]:
        state_dict[name.replace(COMPILED_PREFIX, '')] = state_dict.pop(name)
    alignment = [name for name in state_dict if REMOVED_PREFIX in name]
    if any(bool(state_dict[name]) for name in alignment if name.endswith('fitted')):
        raise CheckpointError(
            f'the checkpoint needs its fitted `{REMOVED_PREFIX[:-1]}` of image features, which '
            'no longer exists: train anew, or use the version that wrote it'
        )
    for name in alignment:  # Unless it was fitted it had no effect.
        del state_dict[name]
    for name in list(state_dict):
        for old, new in RENAMED_PREFIXES.items():
            if name.startswith(old):
                state_dict[new + name[len(old) :]] = state_dict.pop(name)
    for name in list(state_dict):
        if LSTM_LAYER.match(name):
            state_dict[LSTM_LAYER.sub(r'\1.\3.\g<2>0', name)] = state_dict.pop(name)
