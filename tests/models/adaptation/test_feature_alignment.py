"""Image features of real video are moved to where the synthetic ones are."""

import pytest
import torch

from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.models.adaptation import FeatureAlignment

CHANNELS = 5


def domains():
    generator = torch.Generator().manual_seed(3)
    synthetic = [torch.randn(n, CHANNELS, generator=generator) * 2 + 1 for n in (40, 70)]
    real = [torch.randn(n, CHANNELS, generator=generator) * 5 - 3 for n in (50, 20)]
    return synthetic, real


def test_features_pass_unchanged_before_fitting():
    features = torch.randn(2, 4, CHANNELS)
    alignment = FeatureAlignment(channels=CHANNELS)
    assert torch.equal(alignment(features, torch.tensor([True, False])), features)


@pytest.mark.parametrize('mode', ['mean', 'mean_std'])
def test_real_features_get_the_statistics_of_synthetic_ones(mode):
    synthetic, real = domains()
    alignment = FeatureAlignment(mode, CHANNELS)
    alignment.fit(synthetic, real)
    frames = torch.cat(real)[None]
    aligned = alignment(frames, torch.tensor([True]))[0]
    assert torch.allclose(aligned.mean(0), torch.cat(synthetic).mean(0), atol=1e-5)
    std = torch.cat(synthetic if mode == 'mean_std' else real).std(0)
    assert torch.allclose(aligned.std(0), std, atol=1e-4)


def test_synthetic_clips_of_a_mixed_batch_stay_as_they_are():
    alignment = FeatureAlignment(channels=CHANNELS)
    alignment.fit(*domains())
    features = torch.randn(2, 4, CHANNELS)
    aligned = alignment(features, torch.tensor([True, False]))
    assert torch.equal(aligned[1], features[1])
    assert not torch.allclose(aligned[0], features[0])


def test_statistics_travel_with_the_checkpoint():
    alignment = FeatureAlignment(channels=CHANNELS)
    alignment.fit(*domains())
    copy = FeatureAlignment(channels=CHANNELS)
    copy.load_state_dict(alignment.state_dict())
    features, is_real = torch.randn(1, 4, CHANNELS), torch.tensor([True])
    assert bool(copy.fitted)
    assert torch.equal(copy(features, is_real), alignment(features, is_real))


def test_unknown_mode_is_named():
    with pytest.raises(ConfigError, match="'coral'"):
        FeatureAlignment('coral')
