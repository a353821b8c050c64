"""The plain view."""

from typing import Any, Optional

import torch

from ...registry import TRANSFORMS
from .base_view import BaseView
from .functional import Inputs


@TRANSFORMS.register_module()
class Identity(BaseView):
    """Leave the inputs as they are."""

    def apply(
        self, inputs: Inputs, generator: Optional[torch.Generator] = None
    ) -> tuple[Inputs, dict[str, Any]]:
        """Return a shallow copy of the inputs and an empty state."""
        return dict(inputs), {}
