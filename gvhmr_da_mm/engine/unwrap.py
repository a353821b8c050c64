"""Finding the model behind a wrapper for distributed training."""

from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import nn


def unwrap_model(runner: Runner) -> nn.Module:
    """Return the runner's model, without the wrapper that distributed training puts around it."""
    model = runner.model
    return model.module if is_model_wrapper(model) else model
