"""Models with the weights and the body of the golden cases."""

from pathlib import Path

import torch

from gvhmr_da_mm.models import GVHMR
from tests.golden_cases import GoldenCase

STATISTICS = '02_endecoder.npz'


def golden_body(folder: Path) -> dict:
    """Return the config of the golden cases' stand-in body."""
    return dict(
        type='SMPLXLight',
        model_path=folder / 'SMPLX_FAKE.npz',
        support_dir=folder / 'body_resources_fake',
    )


def golden_model(folder: Path, dtype: torch.dtype) -> GVHMR:
    """Build the network of ``01_network_state.npz`` in evaluation mode."""
    case = GoldenCase(folder / '01_network_state.npz', dtype)
    size = {name: case.param(name) for name in ('latent_dim', 'num_layers', 'num_heads', 'max_len')}
    statistics = GoldenCase(folder / STATISTICS)
    model = GVHMR(
        backbone=dict(type='RotaryTemporalTransformer', **size),
        head=dict(type='MotionHead', latent_dim=size['latent_dim']),
        body_model=golden_body(folder),
        motion_codec=dict(
            type='MotionCodec',
            statistics=dict(mean=statistics.raw('param_mean'), std=statistics.raw('param_std')),
        ),
        compat='published',
    ).to(dtype)
    state = {name: torch.from_numpy(case.raw(f'state/{name}')) for name in case.names('state/')}
    model.load_state_dict(state, strict=False)
    return model.eval()
