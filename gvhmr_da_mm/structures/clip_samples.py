"""Data samples of a batch whose labels are stacked."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Optional, Union

import torch
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample
from torch import Tensor
from torch.utils.data import default_collate

LABELS_KEY = 'gt_instances'
CAMERA_ONLY = 'camera_only'
"""Name of what :func:`camera_only` returns, beside the labels."""


class ClipSamples(Sequence):
    """Data samples of a batch whose labels travel as one tensor for each field.

    From process to process, and from there to a GPU. Samples with stacked labels get their own when
    one of them is asked for; they are changed in place.

    Args:
        samples (Sequence[PoseDataSample] | Callable): The samples, or a function that returns them.
        stacked (dict[str, Tensor], optional): Their labels (B, ...) by name, and ``camera_only``
            (B,). Defaults to None: the samples hold their labels.

    Attributes:
        stacked (dict[str, Tensor], optional): As given.
    """

    def __init__(
        self,
        samples: Union[Sequence[PoseDataSample], Callable[[], Sequence[PoseDataSample]]] = (),
        stacked: Optional[dict[str, Tensor]] = None,
    ) -> None:
        self._source = samples if callable(samples) else list(samples)
        self._samples = self._source if stacked is None else None
        self.stacked = stacked

    def __len__(self) -> int:
        if self.stacked is not None:
            return len(self.stacked[CAMERA_ONLY])
        return len(self._samples)

    def __getitem__(self, index: Any) -> Any:
        return self._whole()[index]

    def __iter__(self) -> Iterator[PoseDataSample]:
        return iter(self._whole())

    def __reduce__(self) -> tuple:
        labels = self.stacked or stack_labels(self)
        if labels is None:
            return type(self), (list(self),)
        return type(self), ([_without_labels(sample) for sample in self.bare()], labels)

    def to(self, *args: Any, **kwargs: Any) -> 'ClipSamples':
        """Move the labels; arguments as ``torch.Tensor.to``."""
        if self.stacked is None:
            return type(self)([sample.to(*args, **kwargs) for sample in self])
        moved = {name: value.to(*args, **kwargs) for name, value in self.stacked.items()}
        return type(self)(self._source, moved)

    def pin_memory(self) -> 'ClipSamples':
        """Pin the labels that a worker has sent; the data loader calls it."""
        if self.stacked is None:
            return self
        pinned = {name: value.pin_memory() for name, value in self.stacked.items()}
        return type(self)(self._source, pinned)

    def bare(self) -> Sequence[PoseDataSample]:
        """Return the samples, which have no labels yet if those are stacked."""
        return self._source() if callable(self._source) else self._source

    def _whole(self) -> list[PoseDataSample]:
        """Return the samples, with labels."""
        if self._samples is None:
            self._samples = list(self.bare())
            for index, sample in enumerate(self._samples):
                instances = InstanceData()
                for name, value in self.stacked.items():
                    if name != CAMERA_ONLY:  # Assigning would check the lengths each time.
                        instances.set_field(value[index], name)
                sample.gt_instances = instances
        return self._samples


def camera_only(samples: Sequence[PoseDataSample]) -> Tensor:
    """Return which clips have no valid labels in the world (B,), bool."""
    return torch.tensor([sample.get('supervision') == 'camera' for sample in samples])


def stack_labels(samples: Sequence[PoseDataSample]) -> Optional[dict[str, Tensor]]:
    """Stack the labels of samples by name, and ``camera_only``; None if they differ or are absent.

    In a worker the tensors are in shared memory.
    """
    if not all(LABELS_KEY in sample for sample in samples):
        return None
    labels = [dict(sample.gt_instances.items()) for sample in samples]
    names = list(labels[0]) if labels else []
    if not names or any(list(one) != names for one in labels):
        return None
    if not all(isinstance(value, Tensor) for one in labels for value in one.values()):
        return None
    columns = {name: [one[name] for one in labels] for name in names}
    if any(len({(v.shape, v.dtype) for v in column}) > 1 for column in columns.values()):
        return None
    columns[CAMERA_ONLY] = list(camera_only(samples))
    return {name: default_collate(column) for name, column in columns.items()}


def _without_labels(sample: PoseDataSample) -> PoseDataSample:
    bare = type(sample)()
    for key, value in sample.metainfo_items():
        bare.set_field(value, key, field_type='metainfo')
    for key, value in sample.items():
        if key != LABELS_KEY:
            bare.set_field(value, key)
    return bare
