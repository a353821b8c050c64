"""Published names to ours and back."""

import pytest
import torch

from gvhmr_da_mm.core.errors import CheckpointError
from gvhmr_da_mm.models.backbones import RotaryTemporalTransformer
from gvhmr_da_mm.models.checkpoint_keys import (
    PUBLISHED_PREFIX,
    infer_network_config,
    ours_to_published,
    published_to_ours,
)
from gvhmr_da_mm.models.heads import MotionHead
from tests.golden_cases import cases

SIZES = dict(latent_dim=16, num_layers=2, mlp_ratio=2.0)


@pytest.fixture
def ours():
    backbone = RotaryTemporalTransformer(num_heads=2, imgseq_dim=8, **SIZES)
    return torch.nn.ModuleDict(dict(backbone=backbone, head=MotionHead(16))).state_dict()


@pytest.mark.goldens
def test_bijection_on_the_published_names(goldens):
    for case in cases(goldens, '01_network_state*.npz'):
        published = {
            name: torch.from_numpy(case.raw(f'state/{name}')) for name in case.names('state/')
        }
        sizes = infer_network_config(published)
        for name in ('latent_dim', 'num_layers'):
            assert sizes[name] == case.param(name)
        renamed = published_to_ours(published)
        assert infer_network_config(renamed) == sizes
        back = ours_to_published(renamed)
        assert back.keys() == published.keys()
        assert all(back[name] is tensor for name, tensor in published.items())
        model = torch.nn.ModuleDict(
            dict(
                backbone=RotaryTemporalTransformer(num_heads=case.param('num_heads'), **sizes),
                head=MotionHead(sizes['latent_dim']),
            )
        )
        expected = {name: value.shape for name, value in model.state_dict().items()}
        assert {name: value.shape for name, value in renamed.items()} == expected


def test_round_trip_without_the_codec(ours):
    published = ours_to_published({**ours, 'motion_codec.mean': torch.zeros(151)})
    assert all(name.startswith(PUBLISHED_PREFIX) for name in published)
    back = published_to_ours(published)
    assert back.keys() == ours.keys()
    assert all(back[name] is tensor for name, tensor in ours.items())
    assert infer_network_config(published) == infer_network_config(ours) == SIZES


def test_all_key_problems_are_listed_at_once(ours):
    published = ours_to_published(ours)
    del published[f'{PUBLISHED_PREFIX}blocks.0.gate_msa']
    del published[f'{PUBLISHED_PREFIX}final_layer.fc1.bias']
    published['pipeline.other'] = torch.zeros(1)
    with pytest.raises(CheckpointError) as error:
        published_to_ours(published)
    for part in ('1 unknown: pipeline.other', '2 missing', 'gate_msa', 'final_layer.fc1.bias'):
        assert part in str(error.value)


def test_a_made_up_block_is_unknown(ours):
    published = ours_to_published(ours)
    made_up = f'{PUBLISHED_PREFIX}blocks.1000000000000.norm1.weight'
    published[made_up] = torch.zeros(1)
    assert infer_network_config(published) == SIZES
    with pytest.raises(CheckpointError, match=f'1 unknown: {made_up}'):
        published_to_ours(published)


@pytest.mark.parametrize('convert', [published_to_ours, ours_to_published, infer_network_config])
def test_foreign_weights(convert):
    with pytest.raises(CheckpointError, match='some.weight'):
        convert({'some.weight': torch.zeros(1)})
