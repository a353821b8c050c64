"""Turn a published GVHMR checkpoint into one of ours and back, tensor by tensor unchanged."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Optional

import torch
from torch import Tensor, nn

from ..codecs import MotionCodec
from ..core.errors import CheckpointError
from .backbones import RotaryTemporalTransformer
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


class TensorDifference(NamedTuple):
    """One tensor of a checkpoint beside the one that the network has.

    Args:
        published (str): Name in a published checkpoint; '' if the network has no such tensor.
        ours (str): Name here; '' if the network has no such tensor.
        expected (tuple[int, ...], optional): Shape in the network; None if it has no such tensor.
        found (tuple[int, ...], optional): Shape in the checkpoint; None if it is missing.
    """

    published: str
    ours: str
    expected: Optional[tuple[int, ...]]
    found: Optional[tuple[int, ...]]

    @property
    def fits(self) -> bool:
        """Whether both are there and have the same shape."""
        return self.expected is not None and self.expected == self.found


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
    sizes = _infer_sizes(state_dict)
    names = published_names(sizes['num_layers'])
    shapes = network_shapes(**sizes)
    found = {name: tuple(value.shape) for name, value in state_dict.items()}
    rows = [
        TensorDifference(theirs, ours, shapes[ours], found.pop(theirs, None))
        for theirs, ours in names.items()
    ]
    return rows + [TensorDifference(name, '', None, shape) for name, shape in found.items()]


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
    wrong = [row for row in compare_with_network(state_dict) if not row.fits]
    if wrong:
        lines = [f'  {r.published}: {r.expected or "no such tensor"} expected, '
                 f'{r.found or "none"} in the file' for r in wrong]  # fmt: skip
        raise CheckpointError(
            f'{len(wrong)} tensor(s) are not those of the GVHMR network:\n' + '\n'.join(lines)
        )
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


def _infer_sizes(state_dict: Mapping[str, Tensor]) -> dict[str, Any]:
    """Read the sizes even where other tensors are missing, for a complete list of differences."""
    block = f'{PUBLISHED_PREFIX}blocks.0.'
    gate, hidden = (state_dict.get(block + name) for name in ('gate_msa', 'mlp.fc1.bias'))
    if gate is None or hidden is None or not gate.numel():
        return infer_network_config(state_dict)
    blocks = [name.split('.')[3] for name in state_dict if name.startswith(block[:-2])]
    num_layers = 1 + max(int(number) for number in blocks if number.isdigit())
    width = gate.shape[-1]
    return dict(latent_dim=width, num_layers=num_layers, mlp_ratio=hidden.shape[0] / width)


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
