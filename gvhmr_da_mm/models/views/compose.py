"""Composition of views."""

from collections.abc import Sequence
from typing import Any, Optional, Union

import torch
from torch import Tensor

from ...core.errors import ConfigError
from ...registry import TRANSFORMS
from ...structures.motion import MotionPrediction
from .base_view import BaseView
from .functional import Inputs


@TRANSFORMS.register_module()
class ComposeViews(BaseView):
    """Apply views in order and undo them in reverse order.

    Args:
        views (Sequence[BaseView | dict]): Views or their configs; without any, clips stay plain.

    Raises:
        ConfigError: If an element is not a view.
    """

    def __init__(self, views: Sequence[Union[BaseView, dict]]) -> None:
        self.views = [TRANSFORMS.build(view) if isinstance(view, dict) else view for view in views]
        for view in self.views:
            if not isinstance(view, BaseView):
                raise ConfigError(
                    f'`views` should hold views with `apply` and `invert`, got {type(view)}; '
                    'derive it from BaseView'
                )

    def apply(
        self, inputs: Inputs, generator: Optional[torch.Generator] = None
    ) -> tuple[Inputs, dict[str, Any]]:
        """Apply every view to what the one before it returned."""
        # Each inverse needs the inputs before its own view: the steps keep references, not copies.
        steps = []
        for view in self.views:
            augmented, state = view.apply(inputs, generator)
            steps.append((inputs, state))
            inputs = augmented
        return dict(inputs), dict(steps=steps)

    def invert(
        self,
        prediction: MotionPrediction,
        state: dict[str, Any],
        inputs: Inputs,
        root_offset: Optional[Tensor] = None,
    ) -> MotionPrediction:
        """Undo the last view first."""
        for view, (before, step) in zip(reversed(self.views), reversed(state['steps'])):
            prediction = view.invert(prediction, step, before, root_offset)
        return prediction
