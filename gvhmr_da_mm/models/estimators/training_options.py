"""Options of the inputs of training."""

from ...core.errors import ConfigError

DEFAULT_TRAIN_CFG = dict(
    keypoint_noise=dict(type='KeypointNoise'),
    condition_dropout=0.1,
    detected_keypoint_prob=0.5,
)


def training_options(train_cfg: dict) -> dict:
    """Complete ``train_cfg`` by the defaults, and check it.

    Args:
        train_cfg (dict): As for :class:`GVHMR`.

    Returns:
        dict: All options.

    Raises:
        ConfigError: If a key is unknown or a probability is none.
    """
    unknown = sorted(set(train_cfg) - set(DEFAULT_TRAIN_CFG))
    if unknown:
        raise ConfigError(
            f'`train_cfg` of the model should have keys of {tuple(DEFAULT_TRAIN_CFG)}, got '
            f'{unknown}'
        )
    options = {**DEFAULT_TRAIN_CFG, **train_cfg}
    for name in ('condition_dropout', 'detected_keypoint_prob'):
        if not isinstance(options[name], (int, float)) or not 0 <= options[name] <= 1:
            raise ConfigError(
                f'`train_cfg.{name}` of the model should be a probability in [0, 1], got '
                f'{options[name]!r}'
            )
    return options
