"""Constructors of optimiser wrappers for one model, or for student and discriminator."""

import copy
from collections.abc import Iterable, Mapping
from typing import Any, Optional

import torch
from mmengine.model import is_model_wrapper
from mmengine.optim import DefaultOptimWrapperConstructor, OptimWrapper, OptimWrapperDict
from torch import nn

from ...core.checks import check_choice
from ...core.errors import ConfigError
from ...registry import OPTIM_WRAPPER_CONSTRUCTORS
from ...registry.arguments import check_fields, check_value, suggest
from .averaging_optim_wrappers import (
    AveragingAmpOptimWrapper,
    AveragingOptimWrapper,
    BFloat16OptimWrapper,
)

PRECISIONS = dict(
    fp32=AveragingOptimWrapper, fp16=AveragingAmpOptimWrapper, bf16=BFloat16OptimWrapper
)
"""Classes, not names: a name would be looked up in the default scope, which may be another."""
CLIPPING_OPTIONS = {'type', 'norm_type', 'error_if_nonfinite', 'foreach'}
"""Arguments of gradient clipping besides its limit."""
PARAMWISE_OPTIONS = {
    'bias_decay_mult', 'bias_lr_mult', 'bypass_duplicate', 'custom_keys', 'dcn_offset_lr_mult',
    'dwconv_decay_mult', 'flat_decay_mult', 'norm_decay_mult',
}  # fmt: skip
"""Fields of ``paramwise_cfg`` that MMEngine's default constructor reads; it ignores others."""
CUSTOM_OPTIONS = {'lr_mult', 'decay_mult'}
"""Fields of an entry of ``custom_keys``, besides the options of the optimiser."""


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class PrecisionOptimWrapperConstructor:
    """Build the optimiser wrapper that a precision needs.

    Args:
        optim_wrapper_cfg (dict): As for MMEngine's default constructor, plus ``precision``:
            ``'fp32'``, ``'fp16'`` (needs a GPU) or ``'bf16'``. Defaults to ``'fp32'``. An explicit
            ``type`` wins.
        paramwise_cfg (dict, optional): As for MMEngine's default constructor. Keys of its
            ``custom_keys`` are parts of parameter names as in checkpoints. Defaults to None.

    Raises:
        ConfigError: If a field of ``paramwise_cfg`` is unknown, a key of its ``custom_keys``
            matches no parameter, the precision is unknown, or ``'fp16'`` is set without a GPU.
    """

    def __init__(self, optim_wrapper_cfg: dict, paramwise_cfg: Optional[dict] = None) -> None:
        check_fields(paramwise_cfg or {}, PARAMWISE_OPTIONS, '`optim_wrapper.paramwise_cfg`')
        self.optim_wrapper_cfg = copy.deepcopy(optim_wrapper_cfg)
        self.paramwise_cfg = paramwise_cfg

    def __call__(self, model: nn.Module) -> OptimWrapper:
        """Build the wrapper for all parameters of the model."""
        wrapper = self._build(model, self.optim_wrapper_cfg)
        self._check_keys([name for name, _ in model.named_parameters()], [wrapper])
        return wrapper

    def _check_keys(self, names: list[str], wrappers: Iterable[OptimWrapper]) -> None:
        """Check that each key of ``custom_keys`` matches a parameter, and has known options."""
        known = CUSTOM_OPTIONS.union(*(wrapper.optimizer.defaults for wrapper in wrappers))
        for key, options in ((self.paramwise_cfg or {}).get('custom_keys') or {}).items():
            check_fields(options, known, f'`optim_wrapper.paramwise_cfg.custom_keys.{key}`')
            if not any(key in name for name in names):
                parts = {name.rpartition('.')[0] for name in names} - {''}
                raise ConfigError(
                    f'`optim_wrapper.paramwise_cfg.custom_keys`: no trained parameter has {key!r} '
                    f'in its name; {suggest(key, parts)}'
                )

    def _build(self, model: nn.Module, cfg: dict, name: str = '') -> OptimWrapper:
        if not isinstance(cfg, Mapping) or 'type' not in (cfg.get('optimizer') or {}):
            raise ConfigError(
                '`optim_wrapper` should be a dict with an `optimizer`, which is a dict with a '
                f'`type`, got {cfg!r:.200}'
            )
        _check_clipping(cfg.get('clip_grad'))
        cfg = copy.deepcopy(cfg)
        precision = cfg.pop('precision', 'fp32')
        check_choice(precision, PRECISIONS, 'precision')
        cfg.setdefault('type', PRECISIONS[precision])
        needs_gpu = getattr(cfg['type'], '__name__', cfg['type']).endswith('AmpOptimWrapper')
        if needs_gpu and not torch.cuda.is_available():
            raise ConfigError(
                "precision 'fp16' needs a GPU and none was found; on a CPU use 'bf16' or 'fp32', "
                'for example `--cfg-options optim_wrapper.model.precision=bf16`'
            )
        try:
            return _NamedConstructor(cfg, self.paramwise_cfg, name)(model)
        except (TypeError, ValueError, KeyError, AssertionError, RuntimeError) as error:
            raise ConfigError(
                f'no optimiser can be built from `optim_wrapper` {dict(cfg)}: {error}'
            ) from error


class _NamedConstructor(DefaultOptimWrapperConstructor):
    """MMEngine's constructor for a part of a model, with parameter names of the whole model."""

    def __init__(self, cfg: dict, paramwise_cfg: Optional[dict], name: str) -> None:
        super().__init__(cfg, paramwise_cfg)
        self._name = name

    def add_params(
        self, params: list, module: nn.Module, prefix: str = '', is_dcn_module: Any = None
    ) -> None:
        super().add_params(params, module, prefix or self._name, is_dcn_module)


def _check_clipping(clip_grad: Any) -> None:
    """Raise :class:`ConfigError` for arguments that PyTorch would refuse at the first step."""
    if clip_grad is None:
        return
    is_dict = isinstance(clip_grad, Mapping)
    wanted = 'clip_value' if is_dict and clip_grad.get('type') == 'value' else 'max_norm'
    if not is_dict or wanted not in clip_grad or set(clip_grad) - CLIPPING_OPTIONS - {wanted}:
        raise ConfigError(
            f'`clip_grad` of `optim_wrapper` should be None or a dict with `{wanted}`, got '
            f'{clip_grad!r:.200}'
        )
    check_value(clip_grad.get('norm_type', 2.0), float, 'clip_grad.norm_type')
    check_value(clip_grad[wanted], float, f'clip_grad.{wanted}')


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class AdaptationOptimWrapperConstructor(PrecisionOptimWrapperConstructor):
    """Build one wrapper for the student and one for the discriminator of the critic.

    Args:
        optim_wrapper_cfg (dict): Two configs, ``model`` and ``discriminator``, each as for
            :class:`PrecisionOptimWrapperConstructor`. The second is not used if the model's critic
            is None.
        paramwise_cfg (dict, optional): Applies to both. Defaults to None.

    Raises:
        ConfigError: If a part is missing from the config or the model, or unknown, or if the
            discriminator accumulates gradients.
    """

    PARTS = {'model': 'student', 'discriminator': 'critic'}
    """Optimiser wrappers, and the parts of the model that they train."""

    def __call__(self, model: nn.Module) -> 'AdaptationOptimWrapperDict':
        """Build both wrappers."""
        if is_model_wrapper(model):
            model = model.module
        self._check_parts()
        wrappers, names = {}, []
        for part, attribute in self.PARTS.items():
            if not hasattr(model, attribute):
                raise ConfigError(
                    f'AdaptationOptimWrapperConstructor needs a model with a `{attribute}`, but '
                    f'{type(model).__name__} has none; use PrecisionOptimWrapperConstructor'
                )
            trained = getattr(model, attribute)
            if trained is not None:
                cfg = self.optim_wrapper_cfg[part]
                wrappers[part] = self._build(trained, cfg, attribute)
                names += [f'{attribute}.{name}' for name, _ in trained.named_parameters()]
        self._check_keys(names, wrappers.values())
        return AdaptationOptimWrapperDict(**wrappers)

    def _check_parts(self) -> None:
        cfg, parts = self.optim_wrapper_cfg, list(self.PARTS)
        expected = f'`optim_wrapper` of an adaptive model should have the keys {parts}'
        for part in parts:
            if part not in cfg:
                raise ConfigError(f'{expected}, but {part!r} is missing')
        unknown = sorted(set(cfg) - {*parts, 'type'})
        if unknown:
            raise ConfigError(f'{expected}, got {unknown} besides')
        discriminator = cfg['discriminator']
        is_dict = isinstance(discriminator, Mapping)
        counts = discriminator.get('accumulative_counts', 1) if is_dict else 1
        if counts != 1:
            raise ConfigError(
                f'`accumulative_counts` of the discriminator should be 1, got {counts}: it learns '
                'in some iterations only, so its last accumulation would be dropped; set that of '
                '`model`, or a larger batch size'
            )


class AdaptationOptimWrapperDict(OptimWrapperDict):
    """Two optimiser wrappers, with the iteration counts of the student's.

    MMEngine's class ignores the counts, so an incomplete last accumulation would be dropped. The
    student has a backward pass in every iteration, the discriminator in those of the real domain
    only, which is why it must not accumulate.
    """

    def initialize_count_status(self, model: nn.Module, init_counts: int, max_counts: int) -> None:
        """Set the counts of the student's wrapper."""
        self['model'].initialize_count_status(model, init_counts, max_counts)
