"""Conversion of published GVHMR checkpoints to this package's format and back, without loss."""

from collections.abc import Mapping
from typing import Any, Optional

import torch
from torch import Tensor, nn

from ..codecs import MotionCodec
from ..core.errors import CheckpointError
from .backbones import RotaryTemporalTransformer
from .checkpoint_comparison import TensorDifference, compare, require_fit
from .checkpoint_guard import STATISTICS_PREFIX, STUDENT_PREFIX
from .checkpoint_keys import (
    PUBLISHED_PREFIX,
    infer_network_config,
    ours_to_published,
    published_names,
    published_to_ours,
)
from .checkpoint_upgrade import upgrade_state_dict
from .heads import MotionHead

PUBLISHED_ENTRIES = ('epoch', 'global_step', 'pytorch-lightning_version')
"""Plain entries of a published file that are kept for the conversion back."""
_PUBLISHED_META_KEY = 'published'


def compare_with_network(state_dict: Mapping[str, Tensor]) -> list[TensorDifference]:
    """Compare a published checkpoint with a network of the size that its shapes imply.

    Args:
        state_dict (Mapping[str, Tensor]): Under the published names.

    Returns:
        list[TensorDifference]: One entry for every tensor of either, in the network's order;
        unknown tensors come last.

    Raises:
        CheckpointError: If the size of the network cannot be inferred.
    """
    if not any(name.startswith(PUBLISHED_PREFIX) for name in state_dict):
        raise _not_published_error(state_dict)
    sizes = infer_network_config(state_dict)
    shapes = network_shapes(**sizes)
    names = published_names(sizes['num_layers'])
    return compare(state_dict, {theirs: shapes[ours] for theirs, ours in names.items()})


def network_shapes(
    latent_dim: int, num_layers: int, mlp_ratio: float
) -> dict[str, tuple[int, ...]]:
    """Return the shape of every tensor of a network, without allocating it."""
    with torch.device('meta'):
        # The number of heads leaves no trace in the shapes; one head suits any size.
        backbone = RotaryTemporalTransformer(latent_dim, num_layers, 1, mlp_ratio)
        network = nn.ModuleDict(dict(backbone=backbone, head=MotionHead(latent_dim)))
    return {name: tuple(value.shape) for name, value in network.state_dict().items()}


def import_published(
    content: Mapping[str, Any], state_dict: Mapping[str, Tensor], statistics: Any
) -> dict[str, Any]:
    """Convert a published checkpoint to this package's format.

    Args:
        content (Mapping[str, Any]): All entries of the file.
        state_dict (Mapping[str, Tensor]): Its weights.
        statistics (str | Path | Mapping): Mean and deviation of the motion vector, as for
            :class:`MotionCodec`.

    Returns:
        dict[str, Any]: ``state_dict`` with weights and statistics, and ``meta``.

    Raises:
        CheckpointError: If the weights are not those of the network; lists the tensors.
        ConfigError, DataError: If the statistics are unusable.
    """
    require_fit(compare_with_network(state_dict), 'the tensors are not those of the GVHMR network')
    codec = MotionCodec(statistics)
    weights = published_to_ours(state_dict)
    weights.update((STATISTICS_PREFIX + name, value) for name, value in codec.state_dict().items())
    kept = {name: content[name] for name in PUBLISHED_ENTRIES if _is_plain(content.get(name))}
    return dict(state_dict=weights, meta={_PUBLISHED_META_KEY: kept})


def export_published(
    content: Mapping[str, Any], state_dict: Mapping[str, Tensor]
) -> tuple[dict[str, Any], Optional[dict[str, Tensor]]]:
    """Convert a checkpoint of this package to the published format.

    Args:
        content (Mapping[str, Any]): All entries of the file.
        state_dict (Mapping[str, Tensor]): Its weights; of an adapted model the student's are taken.

    Returns:
        tuple: The published checkpoint, and ``mean`` and ``std`` of the motion vector (151), which
        the published format cannot hold; None if they are not fitted.

    Raises:
        CheckpointError: If it is not a checkpoint of this package.
    """
    if any(name.startswith(PUBLISHED_PREFIX) for name in state_dict):
        raise CheckpointError(
            'expected a checkpoint of this package, got a published one; leave `--reverse` out to '
            'import it'
        )
    state_dict = dict(state_dict)
    upgrade_state_dict(state_dict)
    if any(name.startswith(STUDENT_PREFIX) for name in state_dict):
        names = [name for name in state_dict if name.startswith(STUDENT_PREFIX)]
        state_dict = {name[len(STUDENT_PREFIX) :]: state_dict[name] for name in names}
    weights = ours_to_published(state_dict, drop=(STATISTICS_PREFIX,))
    statistics = None
    if bool(state_dict.get(f'{STATISTICS_PREFIX}fitted', False)):
        statistics = {name: state_dict[STATISTICS_PREFIX + name] for name in ('mean', 'std')}
    kept = content.get('meta', {}).get(_PUBLISHED_META_KEY, {})
    return dict(kept, state_dict=weights), statistics


def _is_plain(value: Any) -> bool:
    return isinstance(value, (bool, int, float, str))


def _not_published_error(state_dict: Mapping[str, Tensor]) -> CheckpointError:
    some = ', '.join(list(state_dict)[:5])
    if any(name.startswith((STUDENT_PREFIX, 'backbone.')) for name in state_dict):
        return CheckpointError(
            f'expected a published checkpoint, got one of this package (with tensors {some}, ...); '
            'add `--reverse` to convert it to the published format'
        )
    return CheckpointError(
        f'expected tensors named `{PUBLISHED_PREFIX}...`, as in gvhmr_siga24_release.ckpt, got '
        f'{some}, ...; this is the checkpoint of another model'
    )
