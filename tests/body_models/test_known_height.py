import pytest
import torch

from gvhmr_da_mm.body_models import get_body_model
from gvhmr_da_mm.body_models.known_height import betas_of_height, body_height
from gvhmr_da_mm.core.errors import ConfigError


@pytest.fixture(scope='module')
def body(toy_root):
    return get_body_model('smplx', data_root=toy_root)


@pytest.mark.parametrize('height', [1.5, 1.78, 1.95])
def test_the_mesh_has_the_height(body, height):
    betas = torch.linspace(-0.5, 0.5, 10)
    found = betas_of_height(body, betas, height)
    vertices = body(torch.zeros(1, 63), found[None], torch.zeros(1, 3), torch.zeros(1, 3))[0]
    assert float(vertices[:, 1].max() - vertices[:, 1].min()) == pytest.approx(height, abs=2e-4)
    assert float(body_height(body, found)) == pytest.approx(height, abs=2e-4)


def test_the_own_height_changes_nothing(body):
    betas = torch.linspace(-0.5, 0.5, 10)
    height = float(body_height(body, betas))
    torch.testing.assert_close(betas_of_height(body, betas, height), betas, atol=1e-3, rtol=0)


@pytest.mark.parametrize(
    'height, said', [(178, 'in metres, 0.5 to 2.6, got 178'), (0.6, 'no plausible shape')]
)
def test_impossible_heights(body, height, said):
    with pytest.raises(ConfigError, match=said):
        betas_of_height(body, torch.zeros(10), height)
