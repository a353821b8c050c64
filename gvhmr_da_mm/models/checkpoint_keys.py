"""Names of the network's weights in published GVHMR checkpoints and in this package.

A published checkpoint is a Lightning file whose ``state_dict`` has only keys below
``pipeline.denoiser3d.``. Every one has exactly one counterpart below ``backbone.`` or ``head.`` of
the same shape, so a checkpoint can be converted back and forth without loss.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Union

from torch import Tensor

from ..core.errors import CheckpointError, list_some
from .checkpoint_comparison import compare, require_fit

PUBLISHED_PREFIX = 'pipeline.denoiser3d.'

_LINEAR = ('weight', 'bias')
_MLP = ('fc1.weight', 'fc1.bias', 'fc2.weight', 'fc2.bias')
# Published module, ours, names of the tensors below both ('' for a bare parameter).
_MODULES = (
    ('learned_pos_params', 'backbone.keypoint_embedding.invisible', ('',)),
    ('learned_pos_linear', 'backbone.keypoint_embedding.position', _LINEAR),
    ('embed_noisyobs', 'backbone.keypoint_embedding.mlp', _MLP),
    ('cliffcam_embedder.0', 'backbone.cliffcam_embedding.fc1', _LINEAR),
    ('cliffcam_embedder.3', 'backbone.cliffcam_embedding.fc2', _LINEAR),
    ('cam_angvel_embedder.0', 'backbone.cam_angvel_embedding.fc1', _LINEAR),
    ('cam_angvel_embedder.3', 'backbone.cam_angvel_embedding.fc2', _LINEAR),
    ('imgseq_embedder.0', 'backbone.image_embedding.norm', _LINEAR),
    ('imgseq_embedder.1', 'backbone.image_embedding.proj', _LINEAR),
    ('final_layer', 'head.motion', _MLP),
    ('pred_cam_head', 'head.camera', _MLP),
    ('static_conf_head', 'head.static', _MLP),
)
# The same below `blocks.{i}` and `backbone.blocks.{i}`.
_BLOCK_MODULES = (
    ('gate_msa', 'gate_attn', ('',)),
    ('gate_mlp', 'gate_ffn', ('',)),
    ('norm1', 'norm1', _LINEAR),
    ('attn.query', 'attn.query', _LINEAR),
    ('attn.key', 'attn.key', _LINEAR),
    ('attn.value', 'attn.value', _LINEAR),
    ('attn.proj', 'attn.proj', _LINEAR),
    ('norm2', 'norm2', _LINEAR),
    ('mlp', 'ffn', _MLP),
)
_BLOCK = re.compile(r'(?:^|\.)blocks\.(\d+)\.')


def published_to_ours(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the weights of a published checkpoint.

    Args:
        state_dict (Mapping[str, Tensor]): The ``state_dict`` of a published checkpoint.

    Returns:
        dict[str, Tensor]: The same tensors under our names. The published statistics are not among
        them, see :class:`MotionCodec`.

    Raises:
        CheckpointError: Listing all unknown and missing keys.
    """
    names = published_names(count_blocks(state_dict))
    _check_names(state_dict, names)
    return {names[key]: tensor for key, tensor in state_dict.items()}


def ours_to_published(
    state_dict: Mapping[str, Tensor], drop: Iterable[str] = ('motion_codec.',)
) -> dict[str, Tensor]:
    """Rename our weights to those of a published checkpoint.

    Args:
        state_dict (Mapping[str, Tensor]): State dict of an estimator.
        drop (Iterable[str]): Prefixes of keys that the published format has no place for.
            Defaults to the codec's statistics.

    Returns:
        dict[str, Tensor]: The same tensors under the published names.

    Raises:
        CheckpointError: Listing all unknown and missing keys.
    """
    network = {key: value for key, value in state_dict.items() if not key.startswith(tuple(drop))}
    names = {ours: theirs for theirs, ours in _key_pairs(count_blocks(network))}
    _check_names(network, names)
    return {names[key]: tensor for key, tensor in network.items()}


def published_names(num_layers: int) -> dict[str, str]:
    """Return our name of every published tensor of a network with ``num_layers`` blocks."""
    return dict(_key_pairs(num_layers))


def infer_network_config(state_dict: Mapping[str, Tensor]) -> dict[str, Union[int, float]]:
    """Read the sizes of the network from its weights, under either naming.

    The number of heads and the longest training sequence leave no trace in the weights and must
    come from the config (8 and 120 at full size).

    Args:
        state_dict (Mapping[str, Tensor]): Published or our state dict.

    Returns:
        dict: ``latent_dim``, ``num_layers`` and ``mlp_ratio`` of the backbone.

    Raises:
        CheckpointError: If there are no weights of its first block.
    """
    published = {ours: theirs for theirs, ours in _key_pairs(1)}
    gate, hidden = (
        state_dict.get(name, state_dict.get(published[name]))
        for name in ('backbone.blocks.0.gate_attn', 'backbone.blocks.0.ffn.fc1.bias')
    )
    if gate is None or hidden is None or not gate.numel():
        raise CheckpointError(
            'cannot infer the size of the network: expected keys below '
            f'`{PUBLISHED_PREFIX}blocks.0` or `backbone.blocks.0`, got '
            f'{list_some(list(state_dict))}'
        )
    width = gate.shape[-1]
    num_layers = count_blocks(state_dict)
    return dict(latent_dim=width, num_layers=num_layers, mlp_ratio=hidden.shape[0] / width)


def count_blocks(names: Collection[str]) -> int:
    """Return one more than the largest block index, so that a gap shows up as missing names."""
    matches = (_BLOCK.search(name) for name in names)
    found = (int(match.group(1)) for match in matches if match)
    # There are more names than blocks; a larger index can only be forged.
    return 1 + max((index for index in found if index < len(names)), default=0)


def _key_pairs(num_layers: int) -> list[tuple[str, str]]:
    """List the published and our name of every tensor."""
    modules = list(_MODULES)
    for layer in range(num_layers):
        modules += [
            (f'blocks.{layer}.{theirs}', f'backbone.blocks.{layer}.{ours}', tensors)
            for theirs, ours, tensors in _BLOCK_MODULES
        ]
    return [
        (
            PUBLISHED_PREFIX + '.'.join(filter(None, (theirs, name))),
            '.'.join(filter(None, (ours, name))),
        )
        for theirs, ours, tensors in modules
        for name in tensors
    ]


def _check_names(found: Iterable[str], names: Iterable[str]) -> None:
    rows = compare(dict.fromkeys(found, ()), dict.fromkeys(names, ()))
    require_fit(rows, 'the keys are not those of the GVHMR network')
