"""Collate function whose batches are cheap to send from workers to the training process.

Every tensor that goes from one process to another takes a file descriptor and a mapping of shared
memory. MMEngine's ``pseudo_collate`` sends those of each clip one by one, about twenty, which costs
several times what reading the clip does.
"""

from collections.abc import Sequence
from typing import Any, Union

from mmengine.dataset import pseudo_collate
from torch import Tensor
from torch.utils.data import default_collate

from ..core.expanded import unexpanded
from ..registry import FUNCTIONS
from ..structures import ClipSamples


@FUNCTIONS.register_module()
def collate_clips(items: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Stack the inputs of training clips; pickle their labels stacked.

    Use it as ``collate_fn=dict(type=collate_clips)`` of a data loader. The model gets the same as
    from ``pseudo_collate``.

    Args:
        items (Sequence[dict]): Items of B clips as :func:`.pack_clip` returns them.

    Returns:
        dict: ``inputs``, :class:`ClipInputs` of tensors (B, ...), or lists where the shapes differ,
        and one expanded zero where no clip has image features; ``data_samples``, a
        :class:`ClipSamples`; whatever else the items hold as ``pseudo_collate`` returns it.
    """
    rest = [
        {key: value for key, value in item.items() if key not in ('inputs', 'data_samples')}
        for item in items
    ]
    inputs = ClipInputs({name: _column(items, name) for name in items[0]['inputs']})
    samples = ClipSamples([item['data_samples'] for item in items])
    return {**pseudo_collate(rest), 'inputs': inputs, 'data_samples': samples}


class ClipInputs(dict):
    """Inputs of a batch by name, of which the data loader can pin expanded ones too."""

    def pin_memory(self) -> 'ClipInputs':
        """Pin the inputs; the data loader calls it."""
        return type(self)(
            {
                name: [one.pin_memory() for one in value]
                if isinstance(value, list)
                else unexpanded(value).pin_memory().expand(value.shape)
                for name, value in self.items()
            }
        )


def _column(items: Sequence[dict[str, Any]], name: str) -> Union[Tensor, list[Tensor]]:
    """Stack an input of all items; absent image features become one zero that is expanded."""
    values = [item['inputs'][name] for item in items]
    same = len({value.shape for value in values}) == 1
    if name == 'f_imgseq' and same and not any(item['inputs']['has_imgfeat'] for item in items):
        return values[0].new_zeros(1, 1, 1).expand(len(items), *values[0].shape)
    return _stack(values)


def _stack(tensors: list[Tensor]) -> Union[Tensor, list[Tensor]]:
    """Stack tensors; return the list if shapes differ, for which the model raises an error."""
    if len({(tensor.shape, tensor.dtype) for tensor in tensors}) > 1:
        return tensors
    return default_collate(tensors)  # In a worker, into shared memory.
