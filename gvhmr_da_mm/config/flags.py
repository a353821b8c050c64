"""Config changes by flags of the training tool."""

from mmengine.config import Config

from ..core.errors import ConfigError


def use_half_precision(config: Config) -> None:
    """Set fp16 for the student, or the only model: the flag ``--amp``.

    Args:
        config (Config): Changed in place.

    Raises:
        ConfigError: If the config does not use a constructor with precisions.
    """
    optimizer = config.get('optim_wrapper') or {}
    # Not for the discriminator: it is small, and fp16 would merge its scores, which lie close.
    part = optimizer.get('model', optimizer)
    if 'constructor' not in optimizer or 'optimizer' not in part:
        raise ConfigError(
            '`--amp` sets `precision` of `optim_wrapper`, which needs '
            '`constructor=PrecisionOptimWrapperConstructor` or '
            'AdaptationOptimWrapperConstructor'
        )
    part['precision'] = 'fp16'


def scale_learning_rate(config: Config) -> None:
    """Scale learning rates linearly with the global batch size: the flag ``--auto-scale-lr``.

    Args:
        config (Config): Changed in place; MMEngine does the scaling.

    Raises:
        ConfigError: If ``auto_scale_lr.base_batch_size`` is missing.
    """
    scale = config.get('auto_scale_lr') or {}
    if 'base_batch_size' not in scale:
        raise ConfigError(
            '`--auto-scale-lr` needs the batch size that the learning rates are for: set '
            '`auto_scale_lr=dict(base_batch_size=N)` in the config, or `--cfg-options '
            'auto_scale_lr.base_batch_size=N`'
        )
    config.auto_scale_lr.enable = True
