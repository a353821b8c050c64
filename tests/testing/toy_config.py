"""Configs of small models that are built and trained within a second on one CPU core."""

from pathlib import Path
from typing import Any, Optional, Union

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
    data_root: PathLike,
    estimator: Optional[dict] = None,
    pseudo_labeler: Optional[dict] = None,
    critic: Optional[dict] = None,
    **changes: Any,
) -> dict:
    """Return the config of a small DomainAdaptiveGVHMR that accepts every pseudo-label.

    Args:
        data_root (str | Path): As for :func:`toy_model_config`.
        estimator (dict, optional): Student and teacher. Defaults to None: the toy model.
        pseudo_labeler (dict, optional): Changes of :class:`PseudoLabeler`. Defaults to None.
        critic (dict, optional): Changes of :class:`MotionCritic`. Defaults to None.
        changes (Any): Further fields of :class:`DomainAdaptiveGVHMR`.

    Returns:
        dict: For ``MODELS.build``.
    """
    views = [dict(type='HorizontalFlip'), dict(type='BoxJitter')]
    weights = dict(type='CombinedConfidence', weights=dict(discriminator=1.0), mean='arithmetic')
    labeler = dict(
        type='PseudoLabeler',
        views=views,
        num_augmentations=2,
        confidence=weights,
        threshold=0.0,
        refiner=None,
        lifter=None,
    )
    small = dict(
        type='MotionCritic',
        discriminator=dict(
            type='MotionDiscriminator', hidden_size=16, attention_size=8, frame_stride=1
        ),
        queue=dict(type='MotionQueue', size=8),
        target=None,
        adversarial_weight=1.0,
    )
    fields = dict(
        type='DomainAdaptiveGVHMR',
        estimator=estimator or toy_model_config(data_root),
        pseudo_labeler={**labeler, **(pseudo_labeler or {})},
        critic={**small, **(critic or {})},
        losses=dict(
            pseudo=dict(type='PseudoLabelLoss', world=True, loss_weight=1.0),
            reprojection=dict(type='ReprojectionLoss', loss_weight=1.0),
            contact=None,
        ),
        real_shape=True,
    )
    return {**fields, **changes}
