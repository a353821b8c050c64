"""Errors for former keys of the model."""

from collections.abc import Iterable, Mapping
from typing import Any

from ..core.errors import ConfigError

RENAMED_KEYS = {
    'model.num_augmentations': 'model.pseudo_labeler.num_augmentations',
    'model.views': 'model.pseudo_labeler.views',
    'model.confidence': 'model.pseudo_labeler.confidence',
    'model.confidence_threshold': 'model.pseudo_labeler.threshold',
    'model.refiner': 'model.pseudo_labeler.refiner',
    'model.label_path': 'model.pseudo_labeler.trajectory',
    'model.discriminator': 'model.critic.discriminator',
    'model.discriminator_steps': 'model.critic.steps',
    'model.discriminator_weight': 'model.critic.loss_weight',
    'model.adversarial_weight': 'model.critic.adversarial_weight',
    'model.fake_target': 'model.critic.target',
    'model.calibrator': 'model.critic.calibrator',
    'model.confidence_calibration': 'model.critic.calibrator.mode',
    'model.queue_size': 'model.critic.queue.size',
    'model.queue_max_len': 'model.critic.queue.max_len',
    'model.real_weight': 'model.losses.pseudo.loss_weight',
    'model.label_world': 'model.losses.pseudo.world',
    'model.reprojection': 'model.losses.reprojection',
    'model.reprojection.confidence': 'model.losses.reprojection.min_keypoint_score',
    'model.reprojection_weight': 'model.losses.reprojection.loss_weight',
    'model.label_free': 'model.losses',
    'model.teacher': '`momentum` of MeanTeacherHook, 1 for `student`',
    'model.test_cfg.path': 'model.test_cfg.trajectory',
    'model.estimator.test_cfg.path': 'model.estimator.test_cfg.trajectory',
    'model.estimator.feature_alignment': '',
    **{
        f'{model}.{name}': f'{model}.train_cfg.{name}'
        for model in ('model', 'model.estimator')
        for name in ('keypoint_noise', 'condition_dropout', 'detected_keypoint_prob')
    },
}
"""Former keys, and the present ones; empty if the setting no longer exists."""


def check_old_model_keys(config: Mapping[str, Any], options: Iterable[str] = ()) -> None:
    """Check that neither a config nor its overrides use former keys of the model.

    Args:
        config (Mapping[str, Any]): The config.
        options (Iterable[str]): Dotted keys of overrides. Defaults to ().

    Raises:
        ConfigError: If one is used; the message names the present key.
    """
    options = list(options)
    # Longer ones first: their message is more specific.
    for old in sorted(RENAMED_KEYS, key=len, reverse=True):
        if _holds(config, old) or any(f'{key}.'.startswith(f'{old}.') for key in options):
            raise renamed_key(old, RENAMED_KEYS[old])


def renamed_key(old: str, new: str) -> ConfigError:
    """Return the error for a former key; ``new`` is empty if the setting no longer exists."""
    now = f'is now `{new}`'.replace('``', '`') if new else 'no longer exists; leave it out'
    return ConfigError(f'`{old}` {now}; see CHANGELOG.md for all keys that were renamed')


def _holds(node: Any, key: str) -> bool:
    for part in key.split('.'):
        if not isinstance(node, Mapping) or part not in node:
            return False
        node = node[part]
    return True
