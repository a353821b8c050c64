import pytest
import torch

from gvhmr_da_mm.core.errors import CheckpointError, MissingFilesError, ShapeError
from gvhmr_da_mm.registry import MODELS
from gvhmr_da_mm.video.networks import HMR2FeatureNetwork, TokenDecoder, VisionTransformer
from tests.video.networks.published import (
    BACKBONE,
    HEAD,
    LAYER,
    published_feature,
    weights_to_publish,
)


@pytest.fixture
def crops():
    return torch.randint(0, 256, (3, 3, 256, 256), generator=torch.Generator().manual_seed(1))


def lightning_file(path, weights):
    torch.save({'state_dict': weights, 'epoch': 10, 'callbacks': {}}, path)
    return path


def test_published_weights_give_the_published_feature(tmp_path, crops):
    weights = weights_to_publish()
    path = lightning_file(tmp_path / 'hmr2.ckpt', weights)
    network = MODELS.build(
        dict(type='HMR2FeatureNetwork', backbone=BACKBONE, head=HEAD, checkpoint=path)
    ).eval()
    with torch.no_grad():
        feature = network(crops)
    assert feature.shape == (3, 1024)
    torch.testing.assert_close(
        feature, published_feature(weights, crops.float()), rtol=1e-4, atol=1e-4
    )


def test_only_the_strip_in_the_middle_counts(crops):
    network = HMR2FeatureNetwork(BACKBONE, HEAD).eval()
    changed = crops.clone()
    changed[..., :32] = 0
    changed[..., 224:] = 255
    with torch.no_grad():
        torch.testing.assert_close(network(changed), network(crops))
        # 12 patches of 16 with a border of 2 end at column 189 of the strip.
        changed[..., 221] = 255 - changed[..., 221]
        assert (network(changed) - network(crops)).abs().max() > 1e-6


def test_full_size_has_the_shapes_of_the_published_network():
    with torch.device('meta'):
        network = HMR2FeatureNetwork()
    state = network.state_dict()
    assert len(network.backbone.blocks) == 32 and len(network.head.layers) == 6
    assert state['backbone.pos_embed'].shape == (1, 193, 1280)
    assert state['backbone.blocks.31.attn.qkv.weight'].shape == (3840, 1280)
    assert state['backbone.blocks.0.fc1.weight'].shape == (5120, 1280)
    assert state['head.layers.5.cross_attn.to_kv.weight'].shape == (1024, 1280)
    assert state['head.layers.0.self_attn.to_q.weight'].shape == (512, 1024)
    assert state['head.to_token.weight'].shape == (1024, 1)
    tokens = network.backbone(torch.empty(1, 3, 256, 192, device='meta'))
    assert tokens.shape == (1, 192, 1280)
    assert network.head(tokens).shape == (1, 1024)


@pytest.mark.parametrize(
    'change, said',
    [
        (lambda w: w.pop(f'{LAYER}.1.1.fn.to_q.weight'), 'missing: head.layers.1.cross_attn.to_q'),
        (lambda w: w.update({'backbone.cls_token': torch.zeros(1)}), 'unknown: backbone.cls_token'),
        (
            lambda w: w.update({'backbone.pos_embed': torch.zeros(1, 192, 32)}),
            r'backbone.pos_embed: expected \(1, 193, 32\), got \(1, 192, 32\)',
        ),
        (lambda w: w.clear() or w.update(x=torch.zeros(1)), 'missing'),
    ],
)
def test_other_weights_are_refused(tmp_path, change, said):
    weights = weights_to_publish()
    change(weights)
    path = lightning_file(tmp_path / 'other.ckpt', weights)
    with pytest.raises(CheckpointError, match=said):
        HMR2FeatureNetwork(BACKBONE, HEAD, checkpoint=path)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(MissingFilesError, match='no checkpoint'):
        HMR2FeatureNetwork(BACKBONE, HEAD, checkpoint=tmp_path / 'none.ckpt')


def test_crops_of_another_size_are_refused():
    with pytest.raises(ShapeError, match='crops'):
        HMR2FeatureNetwork(BACKBONE, HEAD)(torch.zeros(1, 3, 224, 224))


def test_registered():
    assert MODELS.get('VisionTransformer') is VisionTransformer
    assert MODELS.get('TokenDecoder') is TokenDecoder
