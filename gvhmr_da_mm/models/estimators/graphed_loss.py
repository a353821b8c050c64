"""Supervised loss that a GPU runs as one CUDA graph."""

from collections.abc import Callable
from typing import Any, Optional

import torch
from mmengine.dist import get_world_size
from torch import Tensor, nn

from ...core.errors import ConfigError
from ...core.expanded import unexpanded

LossFunction = Callable[[dict[str, Tensor], dict[str, Tensor]], dict[str, Tensor]]
WARM_UP_STEPS = 3


class GraphedLoss:
    """Compute losses and their gradients by CUDA graphs, recorded at the first batch.

    A step of a small network launches thousands of kernels, which takes the CPU longer than it
    takes the GPU to run them. A graph launches them all at once; of a network that is compiled it
    records the compiled kernels. Random numbers are new in each step. Other batches than those of
    the recorded shapes are computed without the graph.

    The gradients of one step share their memory with those of the next: they cannot be accumulated.

    Raises:
        ConfigError: On a device that is not a GPU, or in a distributed run.

    Source: ``torch.cuda.make_graphed_callables``.
    """

    def __init__(self) -> None:
        self._graph: Optional[Callable[..., dict[str, Tensor]]] = None
        self._recorded: Optional[tuple] = None

    def __deepcopy__(self, memo: dict[int, Any]) -> 'GraphedLoss':
        return type(self)()  # A graph belongs to the weights that it was recorded with.

    def __reduce__(self) -> tuple:
        return type(self), ()

    def __call__(
        self,
        model: nn.Module,
        function: LossFunction,
        inputs: dict[str, Tensor],
        labels: dict[str, Tensor],
    ) -> dict[str, Tensor]:
        """Return the losses of a batch.

        Args:
            model (nn.Module): Owner of the weights.
            function (Callable): Computes scalars from ``inputs`` and ``labels``; it must not wait
                for the device.
            inputs (dict[str, Tensor]): Batched inputs.
            labels (dict[str, Tensor]): Batched labels.
        """
        _check_one_gpu(inputs['valid'].device)
        layout = _Layout(inputs, labels)
        tensors = layout.pack(inputs, labels)
        shapes = (layout, tuple((t.shape, t.dtype) for t in tensors), _trainable(model))
        if self._recorded is None:
            self._recorded = shapes
            self._graph = _record(_Step(model, function, layout), tensors)
        if shapes != self._recorded:
            return function(inputs, labels)
        return self._graph(*tensors)


def _check_one_gpu(device: torch.device) -> None:
    if device.type != 'cuda' or get_world_size() > 1:
        raise ConfigError(
            f'`cuda_graph=True` of the model needs one GPU, but the batch is on {device} and '
            f'there are {get_world_size()} rank(s). Set it to False'
        )


class _Layout:
    """Order of the tensors of a batch; expanded ones are packed as what they repeat."""

    def __init__(self, inputs: dict[str, Tensor], labels: dict[str, Tensor]) -> None:
        self.names = (tuple(inputs), tuple(labels))
        self.expanded = {name: value.shape for name, value in inputs.items() if 0 in value.stride()}

    def __eq__(self, other: object) -> bool:
        return (self.names, self.expanded) == (other.names, other.expanded)

    __hash__ = None

    def pack(self, inputs: dict[str, Tensor], labels: dict[str, Tensor]) -> tuple[Tensor, ...]:
        """Return the tensors of a batch in order."""
        unique = [unexpanded(value) for value in inputs.values()]
        return (*unique, *labels.values())

    def unpack(self, tensors: tuple[Tensor, ...]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return inputs and labels."""
        inputs = dict(zip(self.names[0], tensors))
        for name, shape in self.expanded.items():
            inputs[name] = inputs[name].expand(shape)
        return inputs, dict(zip(self.names[1], tensors[len(inputs) :]))


class _Step(nn.Module):
    """The loss as a module of a list of tensors, which recording needs."""

    def __init__(self, model: nn.Module, function: LossFunction, layout: _Layout) -> None:
        super().__init__()
        self.model, self.function, self.layout = model, function, layout
        self.training = model.training

    def forward(self, *tensors: Tensor) -> dict[str, Tensor]:
        return self.function(*self.layout.unpack(tensors))


def _record(step: _Step, tensors: tuple[Tensor, ...]) -> Callable[..., dict[str, Tensor]]:
    # A cached cast of a weight would be that of the recorded step forever.
    caches = torch.is_autocast_cache_enabled()
    torch.set_autocast_cache_enabled(False)
    try:
        return torch.cuda.make_graphed_callables(
            step,
            tuple(tensor.clone() for tensor in tensors),
            num_warmup_iters=WARM_UP_STEPS,
            allow_unused_input=True,
        )
    finally:
        torch.set_autocast_cache_enabled(caches)


def _trainable(model: nn.Module) -> tuple[bool, ...]:
    return tuple(parameter.requires_grad for parameter in model.parameters())
