"""Data preprocessor that stacks clips to a batch on the device."""

from typing import Any

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from ...core.errors import DataError
from ...core.expanded import unexpanded
from ...registry import MODELS


@MODELS.register_module()
class MotionDataPreprocessor(BaseDataPreprocessor):
    """Stack the clips that the data loader collates, and move them to the device.

    Note:
        The loader's default collate function makes a list of every input; clips of one batch must
        have the same number of frames, which the training datasets ensure by padding.
    """

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Stack and move a batch.

        Args:
            data (dict): ``inputs``, a dict of lists of tensors (or tensors already stacked), and
                ``data_samples``, a list of :class:`PoseDataSample`.
            training (bool): Not used.

        Returns:
            dict: ``inputs`` as a dict of tensors with a leading batch dimension, and
            ``data_samples``.

        Raises:
            DataError: If the clips of the batch differ in length or in their inputs.
        """
        inputs = {name: self._stack(name, value) for name, value in data['inputs'].items()}
        samples = data.get('data_samples')
        if hasattr(samples, 'to'):  # Samples that move their labels together.
            samples = samples.to(self.device, non_blocking=self._non_blocking)
        else:
            samples = self.cast_data(samples)
        inputs = {name: self._move(value) for name, value in inputs.items()}
        return dict(inputs=inputs, data_samples=samples)

    def _move(self, value: Tensor) -> Tensor:
        """Move a tensor to the device; one that is expanded travels as what it repeats."""
        return self.cast_data(unexpanded(value)).expand(value.shape)

    @staticmethod
    def _stack(name: str, value: Any) -> Tensor:
        if isinstance(value, Tensor):
            return value
        shapes = {tuple(item.shape) for item in value}
        if len(shapes) > 1:
            raise DataError(
                f'clips of one batch should have equal shapes, but `{name}` has {sorted(shapes)}; '
                'use a batch size of 1 for whole sequences or pad the clips to one length'
            )
        # A long video is not copied, and stays expanded.
        return value[0][None] if len(value) == 1 else torch.stack(list(value))
