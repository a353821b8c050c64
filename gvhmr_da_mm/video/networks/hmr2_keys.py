"""Mapping of tensor names from the public 4D-Humans checkpoint to this package."""

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from ...models.checkpoint_comparison import compare, require_fit

_TENSOR = r'(weight|bias)'
# Full match of a published name -> new name; `{}` are the groups of the expression.
_RULES = (
    (rf'backbone\.patch_embed\.proj\.{_TENSOR}', 'backbone.patch_embed.{}'),
    (r'backbone\.pos_embed', 'backbone.pos_embed'),
    (rf'backbone\.last_norm\.{_TENSOR}', 'backbone.last_norm.{}'),
    (rf'backbone\.blocks\.(\d+)\.(norm[12])\.{_TENSOR}', 'backbone.blocks.{}.{}.{}'),
    (rf'backbone\.blocks\.(\d+)\.attn\.(qkv|proj)\.{_TENSOR}', 'backbone.blocks.{}.attn.{}.{}'),
    (rf'backbone\.blocks\.(\d+)\.mlp\.(fc[12])\.{_TENSOR}', 'backbone.blocks.{}.{}.{}'),
    (rf'smpl_head\.transformer\.to_token_embedding\.{_TENSOR}', 'head.to_token.{}'),
    (r'smpl_head\.transformer\.pos_embedding', 'head.pos_embed'),
)
_LAYER = r'smpl_head\.transformer\.transformer\.layers\.(\d+)\.'
_LAYER_RULES = (
    (rf'0\.norm\.{_TENSOR}', 'self_attn.norm.{}'),
    (rf'0\.fn\.to_out\.0\.{_TENSOR}', 'self_attn.to_out.{}'),
    (rf'1\.norm\.{_TENSOR}', 'cross_attn.norm.{}'),
    (r'1\.fn\.to_(q|kv)\.weight', 'cross_attn.to_{}.weight'),
    (rf'1\.fn\.to_out\.0\.{_TENSOR}', 'cross_attn.to_out.{}'),
    (rf'2\.norm\.{_TENSOR}', 'mlp_norm.{}'),
    (rf'2\.fn\.net\.0\.{_TENSOR}', 'fc1.{}'),
    (rf'2\.fn\.net\.3\.{_TENSOR}', 'fc2.{}'),
)
_ALL_RULES = _RULES + tuple(
    (_LAYER + theirs, f'head.layers.{{}}.{ours}') for theirs, ours in _LAYER_RULES
)
_SELF_QKV = re.compile(_LAYER + r'0\.fn\.to_qkv\.weight')
_NOT_NEEDED = re.compile(r'smpl_head\.(dec(pose|shape|cam)\.|init_)')
_NETWORK = ('backbone.', 'smpl_head.')


def hmr2_to_ours(
    published: Mapping[str, Tensor], expected: Mapping[str, Tensor], source: str = 'checkpoint'
) -> dict[str, Tensor]:
    """Rename the weights of HMR2.0 that the feature needs.

    Args:
        published (Mapping[str, Tensor]): The file's ``state_dict``. Only keys below ``backbone.``
            and ``smpl_head.`` are used, without the regressors of pose, shape and camera.
        expected (Mapping[str, Tensor]): State dict of the network that will load them.
        source (str): Name of the file in errors. Defaults to ``checkpoint``.

    Returns:
        dict[str, Tensor]: All of ``expected``'s keys.

    Raises:
        CheckpointError: If tensors are missing, unknown or of another shape; it lists them.
    """
    renamed: dict[str, Tensor] = {}
    unknown = {}
    for key, tensor in published.items():
        if key.startswith(_NETWORK) and not _NOT_NEEDED.match(key):
            ours = _rename(key, tensor)
            renamed.update(ours)
            if not ours:
                unknown[key] = tensor
    require_fit(
        compare({**renamed, **unknown}, expected),
        f'{source} does not hold the weights of this HMR2.0 network; expected the file of '
        '4D-Humans, `epoch=10-step=25000.ckpt`, and a network of its size',
    )
    return renamed


def _rename(key: str, tensor: Tensor) -> dict[str, Tensor]:
    """Return the renamed tensors of a published one; empty if the name is unknown."""
    joint = _SELF_QKV.fullmatch(key)
    if joint:
        layer = f'head.layers.{joint[1]}.self_attn'
        query, key_value = torch.tensor_split(tensor, [len(tensor) // 3])
        return {f'{layer}.to_q.weight': query, f'{layer}.to_kv.weight': key_value}
    for theirs, ours in _ALL_RULES:
        match = re.fullmatch(theirs, key)
        if match:
            return {ours.format(*match.groups()): tensor}
    return {}
