"""Configs of models that are built and trained within a second on one CPU core."""

from pathlib import Path
from typing import Any, Union

PathLike = Union[str, Path]
IDENTITY = 'identity'


def toy_model_config(
    data_root: PathLike,
    latent_dim: int = 32,
    num_layers: int = 2,
    num_heads: int = 2,
    max_len: int = 120,
    dropout: float = 0.0,
    statistics: Any = IDENTITY,
    **changes: Any,
) -> dict:
    """Return the config of a small GVHMR.

    Args:
        data_root (str | Path): Folder with ``body_models`` and ``support``, such as a demo's.
        latent_dim (int): Channels of the network. Defaults to 32.
        num_layers (int): Transformer blocks. Defaults to 2.
        num_heads (int): Attention heads. Defaults to 2.
        max_len (int): Frames that one frame attends to. Defaults to 120.
        dropout (float): Defaults to 0.
        statistics (str | dict, optional): As for :class:`MotionCodec`. Defaults to ``'identity'``.
        changes (Any): Further fields of :class:`GVHMR`.

    Returns:
        dict: For ``MODELS.build``.
    """
    return dict(
        type='GVHMR',
        backbone=dict(
            type='RotaryTemporalTransformer',
            latent_dim=latent_dim,
            num_layers=num_layers,
            num_heads=num_heads,
            dropout=dropout,
            max_len=max_len,
        ),
        head=dict(type='MotionHead', latent_dim=latent_dim),
        body_model=dict(type='SMPLXLight', data_root=str(data_root)),
        motion_codec=dict(type='MotionCodec', statistics=statistics),
        **changes,
    )


def toy_adaptation_config(
    data_root: PathLike, estimator: Union[dict, None] = None, **changes: Any
) -> dict:
    """Return the config of a small DomainAdaptiveGVHMR that accepts every pseudo-label.

    Args:
        data_root (str | Path): As for :func:`toy_model_config`.
        estimator (dict, optional): Student and teacher. Defaults to None: the toy model.
        changes (Any): Further fields of :class:`DomainAdaptiveGVHMR`.

    Returns:
        dict: For ``MODELS.build``.
    """
    fields = dict(
        type='DomainAdaptiveGVHMR',
        estimator=estimator or toy_model_config(data_root),
        discriminator=dict(type='MotionDiscriminator', hidden_size=16, attention_size=8),
        views=[dict(type='HorizontalFlip'), dict(type='BoxJitter')],
        num_augmentations=2,
        queue_size=8,
        confidence_threshold=0.0,
    )
    return {**fields, **changes}
