"""Full-size models of the shipped configs with random weights, and inputs for them."""

from typing import Any, Optional

import torch
from mmengine.config import Config
from torch import Tensor, nn

from benchmarks.speed.case import Settings
from benchmarks.speed.paths import ROOT
from gvhmr_da_mm.config.loading import set_data_root
from gvhmr_da_mm.models import DomainAdaptiveGVHMR
from gvhmr_da_mm.registry import MODELS
from tests.testing import toy_inputs


def full_config(name: str, settings: Settings) -> Config:
    """Read a shipped config with motion statistics that need no data."""
    config = Config.fromfile(str(ROOT / 'configs' / name))
    set_data_root(config, settings.data_root)
    estimator = config.model.get('estimator', config.model)
    estimator.motion_codec.update(statistics='identity')
    return config


def full_model(
    name: str, settings: Settings, model: Optional[dict] = None, **estimator_changes: Any
) -> nn.Module:
    """Build the model of a config, with trained-looking (non-zero) gates."""
    config = full_config(name, settings)
    config.model.update(model or {})
    for key, value in estimator_changes.items():
        config.model.get('estimator', config.model)[key].update(value)
    built = MODELS.build(config.model)
    generator = torch.Generator().manual_seed(0)
    for parameter in built.parameters():
        parameter.data.copy_(0.02 * torch.randn(parameter.shape, generator=generator))
    if isinstance(built, DomainAdaptiveGVHMR):
        built.teacher.load_state_dict(built.student.state_dict())
    return built.to(settings.device)


def inputs_of(batch: int, frames: int, settings: Settings) -> dict[str, Tensor]:
    """Return network inputs without padding."""
    inputs = toy_inputs(batch, frames)
    return {name: value.to(settings.device) for name, value in inputs.items()}
