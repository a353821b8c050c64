"""Pool of the clips that were read last, on the device of the model."""

from collections.abc import Sequence
from typing import Any

import torch
from mmpose.structures import PoseDataSample
from torch import Tensor

from ..core.errors import DataError
from ..core.expanded import unexpanded
from ..structures import ClipSamples
from .batch_samples import without_labels

Batch = dict[str, dict[str, Tensor]]
"""``inputs`` and ``labels`` (B, ...) by name."""


class ClipPool:
    """Hold the latest clips and put batches of them together.

    What all frames of a clip repeat, such as absent image features, takes the room of one frame.

    Args:
        size (int): Clips that it holds; then the oldest make room for new ones.
        device (torch.device): Where they are kept.

    Attributes:
        count (int): Clips that it holds now.
    """

    def __init__(self, size: int, device: torch.device) -> None:
        self.size, self.device = size, device
        self.count = 0
        self._next = 0
        self._metainfo: list[dict[str, Any]] = []
        self._stores: Batch = {}
        self._shapes: dict[str, torch.Size] = {}

    @property
    def num_bytes(self) -> int:
        """Memory of the whole pool."""
        stores = (store for part in self._stores.values() for store in part.values())
        return sum(store.numel() * store.element_size() for store in stores)

    def add(
        self,
        inputs: dict[str, Tensor],
        labels: dict[str, Tensor],
        samples: Sequence[PoseDataSample],
    ) -> None:
        """Take in clips; the first ones decide on the shapes.

        Args:
            inputs (dict[str, Tensor]): Inputs (B, ...) by name.
            labels (dict[str, Tensor]): Labels (B, ...) by name.
            samples (Sequence[PoseDataSample]): The B samples; only their metainfo is kept.

        Raises:
            DataError: If there are more clips than the pool holds, or their fields, shapes or types
                are not those of the clips before.
        """
        number = len(samples)
        if number > self.size:
            raise DataError(
                f'a batch has {number} clips, but the pool holds {self.size}: raise `pool_clips` '
                'of EchoingTrainLoop or lower `train_dataloader.batch_size`'
            )
        batch = dict(inputs=_rows(inputs), labels=_rows(labels))
        if not self._stores:
            self._stores = {
                part: {name: row.new_empty(self.size, *row.shape[1:]) for name, row in rows.items()}
                for part, rows in batch.items()
            }
            self._shapes = {name: value.shape[1:] for name, value in inputs.items()}
        self._check(batch)
        places = (torch.arange(number, device=self.device) + self._next) % self.size
        for part, rows in batch.items():
            for name, row in rows.items():
                self._stores[part][name].index_copy_(0, places, row)
        for index, sample in enumerate(without_labels(samples), start=self._next):
            place = index % self.size
            self._metainfo[place : place + 1] = [dict(sample.metainfo_items())]
        self._next = (self._next + number) % self.size
        self.count = min(self.count + number, self.size)

    def draw(self, indices: Tensor) -> dict:
        """Return a batch of clips.

        Args:
            indices (Tensor): Below ``count`` (B,), on the CPU.

        Returns:
            dict: ``inputs``, and ``data_samples`` with stacked labels; single samples are made when
            they are asked for.
        """
        places = indices.to(self.device, non_blocking=True)
        drawn = {
            part: {name: store.index_select(0, places) for name, store in stores.items()}
            for part, stores in self._stores.items()
        }
        inputs = {
            name: value.expand(-1, *self._shapes[name]) for name, value in drawn['inputs'].items()
        }
        metainfo = [self._metainfo[index] for index in indices.tolist()]
        samples = ClipSamples(
            lambda: [PoseDataSample(metainfo=one) for one in metainfo], drawn['labels']
        )
        return dict(inputs=inputs, data_samples=samples)

    def _check(self, batch: Batch) -> None:
        for part, stores in self._stores.items():
            for name in sorted(stores.keys() | batch[part].keys()):
                known, new = stores.get(name), batch[part].get(name)
                if known is None or new is None:
                    raise DataError(
                        f'clips of one pool should have the same {part}, but only some have '
                        f'`{name}`. Train without `EchoingTrainLoop`, or on datasets that agree'
                    )
                found = [(tuple(value.shape[1:]), value.dtype) for value in (known, new)]
                if found[0] != found[1]:
                    raise DataError(
                        f'clips of one pool should have equal shapes and types, but `{name}` is '
                        f'{found[0]} in the first batch and {found[1]} in another one. Pad clips '
                        'to one length (`max_len` of the datasets), or train without '
                        '`EchoingTrainLoop`'
                    )


def _rows(values: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors (B, ...) whose clips repeat nothing."""
    rows = {name: unexpanded(value) for name, value in values.items()}
    return {name: row.expand(len(values[name]), *row.shape[1:]) for name, row in rows.items()}
