"""Options of the stand-in body model of the goldens, and random poses."""

from pathlib import Path
from typing import Any

import pytest
import torch

GOLDEN_KEYS = ('body_pose', 'betas', 'global_orient', 'transl')


@pytest.fixture
def golden_model(goldens: Path) -> dict[str, Any]:
    """Return the options that load the goldens' body model (another vertex count than SMPL-X)."""
    return {
        'model_path': goldens / 'SMPLX_FAKE.npz',
        'support_dir': goldens / 'body_resources_fake',
    }


def random_body(
    *leading: int, pose_size: int = 63, dtype: torch.dtype = torch.float64
) -> dict[str, torch.Tensor]:
    """Return random arguments of ``fk``, ``light`` and ``forward``."""
    sizes = {'body_pose': pose_size, 'betas': 10, 'global_orient': 3, 'transl': 3}
    scales = {'body_pose': 0.4, 'betas': 1.0, 'global_orient': 1.0, 'transl': 2.0}
    return {
        key: scales[key] * torch.randn(*leading, size, dtype=dtype) for key, size in sizes.items()
    }
