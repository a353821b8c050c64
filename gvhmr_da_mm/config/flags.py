"""What the flags of the training tool change in a config."""

from mmengine.config import Config

from ..core.errors import ConfigError


def use_half_precision(config: Config) -> None:
    """Train in fp16, as ``--amp`` asks for: the student, or the only model.

    Args:
        config (Config): Changed in place.

    Raises:
        ConfigError: If the config does not use a constructor with precisions.
    """
    optimizer = config.get('optim_wrapper') or {}
    # A least-squares discriminator is small, and its scores lie close together.
    part = optimizer.get('model', optimizer)
    if 'constructor' not in optimizer or 'optimizer' not in part:
        raise ConfigError(
            '`--amp` sets `precision` of `optim_wrapper`, which needs '
            '`constructor=PrecisionOptimWrapperConstructor` or '
            'AdaptationOptimWrapperConstructor'
        )
    part['precision'] = 'fp16'


def scale_learning_rate(config: Config) -> None:
    """Scale learning rates linearly with the global batch size, as ``--auto-scale-lr`` asks for.

    Args:
        config (Config): Changed in place; MMEngine does the scaling.

    Raises:
        ConfigError: If it does not say which batch size its learning rates are for.
    """
    scale = config.get('auto_scale_lr') or {}
    if 'base_batch_size' not in scale:
        raise ConfigError(
            '`--auto-scale-lr` needs the batch size that the learning rates are for: set '
            '`auto_scale_lr=dict(base_batch_size=N)` in the config, or `--cfg-options '
            'auto_scale_lr.base_batch_size=N`'
        )
    config.auto_scale_lr.enable = True
