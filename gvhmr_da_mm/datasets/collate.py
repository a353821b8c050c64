"""Collate function whose batches are cheap to send from workers to the training process.

Every tensor that goes from one process to another takes a file descriptor and a mapping of shared
memory. MMEngine's ``pseudo_collate`` sends those of each clip one by one, about twenty, which costs
several times what reading the clip does.
"""

from collections.abc import Sequence
from typing import Any, Optional, Union

from mmengine.dataset import pseudo_collate
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample
from torch import Tensor
from torch.utils.data import default_collate

from ..core.expanded import unexpanded
from ..registry import FUNCTIONS

LABELS_KEY = 'gt_instances'


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
    samples = ClipSamples(item['data_samples'] for item in items)
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


class ClipSamples(list):
    """A list of :obj:`PoseDataSample` whose labels travel as one tensor for each field.

    From process to process, and from there to a GPU: the samples that came from a worker are
    changed in place.
    """

    stacked: Optional[dict[str, Tensor]] = None
    """The labels by name, in samples that came from a worker."""

    def __reduce__(self) -> tuple:
        labels = _stack_labels(self)
        if labels is None:
            return type(self), (list(self),)
        return _with_labels, ([_without_labels(sample) for sample in self], labels)

    def to(self, *args: Any, **kwargs: Any) -> 'ClipSamples':
        """Move the labels; arguments as ``torch.Tensor.to``."""
        if self.stacked is None:
            return type(self)(sample.to(*args, **kwargs) for sample in self)
        moved = {name: value.to(*args, **kwargs) for name, value in self.stacked.items()}
        return _with_labels(self, moved)

    def pin_memory(self) -> 'ClipSamples':
        """Pin the labels that a worker has sent; the data loader calls it."""
        if self.stacked is None:
            return self
        return _with_labels(self, {name: one.pin_memory() for name, one in self.stacked.items()})


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


def _stack_labels(samples: list[PoseDataSample]) -> Union[dict[str, Tensor], None]:
    """Stack the labels of all samples by name; None if they differ or there are none."""
    if not all(LABELS_KEY in sample for sample in samples):
        return None
    labels = [dict(sample.gt_instances.items()) for sample in samples]
    names = list(labels[0]) if labels else []
    if not names or any(list(one) != names for one in labels):
        return None
    if not all(isinstance(value, Tensor) for one in labels for value in one.values()):
        return None
    stacked = {name: _stack([one[name] for one in labels]) for name in names}
    return stacked if all(isinstance(value, Tensor) for value in stacked.values()) else None


def _without_labels(sample: PoseDataSample) -> PoseDataSample:
    bare = type(sample)()
    for key, value in sample.metainfo_items():
        bare.set_field(value, key, field_type='metainfo')
    for key, value in sample.items():
        if key != LABELS_KEY:
            bare.set_field(value, key)
    return bare


def _with_labels(samples: list[PoseDataSample], labels: dict[str, Tensor]) -> ClipSamples:
    for index, sample in enumerate(samples):
        instances = InstanceData()
        for name, stacked in labels.items():  # Assigning would check the lengths each time.
            instances.set_field(stacked[index], name)
        sample.gt_instances = instances
    result = ClipSamples(samples)
    result.stacked = labels
    return result
