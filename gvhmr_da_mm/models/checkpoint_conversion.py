"""Turn a published GVHMR checkpoint into one of ours and back, tensor by tensor unchanged."""

from collections.abc import Mapping
from typing import Any, Optional

import torch
from torch import Tensor, nn

from ..codecs import MotionCodec
from ..core.errors import CheckpointError
from .backbones import RotaryTemporalTransformer
from .checkpoint_comparison import TensorDifference, compare, require_fit
from .checkpoint_guard import STATISTICS, STUDENT
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
"""Plain entries of a published file that are kept, so that it can be written again."""
_KEPT_UNDER = 'published'


def compare_with_network(state_dict: Mapping[str, Tensor]) -> list[TensorDifference]:
    """Compare a published checkpoint with the network whose size its shapes tell.

    Args:
        state_dict (Mapping[str, Tensor]): Under the published names.

    Returns:
        list[TensorDifference]: One entry for every tensor of either, in the network's order;
        tensors without a place come last.

    Raises:
        CheckpointError: If not even the size of the network can be told.
    """
    if not any(name.startswith(PUBLISHED_PREFIX) for name in state_dict):
        raise _no_published_checkpoint(state_dict)
    sizes = infer_network_config(state_dict)
    shapes = network_shapes(**sizes)
    names = published_names(sizes['num_layers'])
    return compare(state_dict, {theirs: shapes[ours] for theirs, ours in names.items()})


def network_shapes(
    latent_dim: int, num_layers: int, mlp_ratio: float
) -> dict[str, tuple[int, ...]]:
    """Return the shape of every tensor of a network, without making one."""
    with torch.device('meta'):
        # The number of heads leaves no trace in the shapes; one head suits any size.
        backbone = RotaryTemporalTransformer(latent_dim, num_layers, 1, mlp_ratio)
        network = nn.ModuleDict(dict(backbone=backbone, head=MotionHead(latent_dim)))
    return {name: tuple(value.shape) for name, value in network.state_dict().items()}


def import_published(
    content: Mapping[str, Any], state_dict: Mapping[str, Tensor], statistics: Any
) -> dict[str, Any]:
    """Turn a published checkpoint into one of ours.

    Args:
        content (Mapping[str, Any]): All entries of the file.
        state_dict (Mapping[str, Tensor]): Its weights.
        statistics (str | Path | Mapping): Mean and deviation of the motion vector, as for
            :class:`MotionCodec`.

    Returns:
        dict[str, Any]: ``state_dict`` with weights and statistics, and ``meta``.

    Raises:
        CheckpointError: If the weights are not those of the network; all tensors are named.
        ConfigError, DataError: If the statistics are unusable.
    """
    require_fit(compare_with_network(state_dict), 'the tensors are not those of the GVHMR network')
    codec = MotionCodec(statistics)
    weights = published_to_ours(state_dict)
    weights.update((STATISTICS + name, value) for name, value in codec.state_dict().items())
    kept = {name: content[name] for name in PUBLISHED_ENTRIES if _is_plain(content.get(name))}
    return dict(state_dict=weights, meta={_KEPT_UNDER: kept})


def export_published(
    content: Mapping[str, Any], state_dict: Mapping[str, Tensor]
) -> tuple[dict[str, Any], Optional[dict[str, Tensor]]]:
    """Turn a checkpoint of ours into a published one.

    Args:
        content (Mapping[str, Any]): All entries of the file.
        state_dict (Mapping[str, Tensor]): Its weights; of an adapted model the student's are taken.

    Returns:
        tuple: The published checkpoint, and ``mean`` and ``std`` of the motion vector (151), which
        it has no place for; None if there are none.

    Raises:
        CheckpointError: If it is none of ours.
    """
    if any(name.startswith(PUBLISHED_PREFIX) for name in state_dict):
        raise CheckpointError(
            'this is a published checkpoint already; leave `--reverse` out to import it'
        )
    state_dict = dict(state_dict)
    upgrade_state_dict(state_dict)
    if any(name.startswith(STUDENT) for name in state_dict):
        names = [name for name in state_dict if name.startswith(STUDENT)]
        state_dict = {name[len(STUDENT) :]: state_dict[name] for name in names}
    weights = ours_to_published(state_dict, drop=(STATISTICS,))
    statistics = None
    if bool(state_dict.get(f'{STATISTICS}fitted', False)):
        statistics = {name: state_dict[STATISTICS + name] for name in ('mean', 'std')}
    kept = content.get('meta', {}).get(_KEPT_UNDER, {})
    return dict(kept, state_dict=weights), statistics


def _is_plain(value: Any) -> bool:
    return isinstance(value, (bool, int, float, str))


def _no_published_checkpoint(state_dict: Mapping[str, Tensor]) -> CheckpointError:
    some = ', '.join(list(state_dict)[:5])
    if any(name.startswith((STUDENT, 'backbone.')) for name in state_dict):
        return CheckpointError(
            f'this is a checkpoint of ours already (its tensors are named {some}, ...); add '
            '`--reverse` to turn it into a published one'
        )
    return CheckpointError(
        f'expected tensors named `{PUBLISHED_PREFIX}...`, as in gvhmr_siga24_release.ckpt, got '
        f'{some}, ...; this is the checkpoint of another model'
    )
