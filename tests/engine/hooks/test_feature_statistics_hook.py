"""Feature statistics are measured once, without labels, and only where they are missing."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.logging import MMLogger
from torch import nn

from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.datasets import BEDLAMDataset, EMDBDataset, MultiSourceDataset, ThreeDPWDataset
from gvhmr_da_mm.engine import FeatureStatisticsHook
from gvhmr_da_mm.models.adaptation import FeatureAlignment


def runner_with(alignment, datasets):
    model = nn.Module()
    model.feature_alignment = alignment
    loader = SimpleNamespace(dataset=MultiSourceDataset(datasets))
    logger = MMLogger.get_instance('feature_statistics_test')
    return SimpleNamespace(model=model, train_dataloader=loader, logger=logger)


def packs(root):
    return [
        BEDLAMDataset(root),
        EMDBDataset(root, split='train'),
        ThreeDPWDataset(root, split='train'),
    ]


def test_both_domains_are_measured(toy_root):
    alignment = FeatureAlignment()
    runner = runner_with(alignment, packs(toy_root))
    FeatureStatisticsHook().before_train(runner)
    assert bool(alignment.fitted)
    hook = FeatureStatisticsHook()
    real = torch.cat(hook._features(runner.train_dataloader.dataset, _real_sources(runner)))
    aligned = alignment(real[None], torch.tensor([True]))[0]
    synthetic = torch.cat(
        hook._features(
            runner.train_dataloader.dataset, runner.train_dataloader.dataset.sources['synthetic']
        )
    )
    assert torch.allclose(aligned.mean(0), synthetic.mean(0), atol=1e-4)


def _real_sources(runner):
    return runner.train_dataloader.dataset.sources['real']


def test_statistics_of_a_checkpoint_stay(toy_root):
    alignment = FeatureAlignment()
    alignment.shift.fill_(7)
    alignment.fitted.fill_(True)
    runner = runner_with(alignment, packs(toy_root))
    FeatureStatisticsHook().before_train(runner)
    assert (alignment.shift == 7).all()
    FeatureStatisticsHook(refit=True).before_train(runner)
    assert not (alignment.shift == 7).all()


def test_one_domain_alone_needs_no_alignment(toy_root):
    alignment = FeatureAlignment()
    FeatureStatisticsHook().before_train(runner_with(alignment, packs(toy_root)[:1]))
    assert not bool(alignment.fitted)


def test_models_without_alignment_are_left_alone(toy_root):
    FeatureStatisticsHook().before_train(runner_with(None, packs(toy_root)))


def test_a_number_of_clips_below_one_is_refused():
    with pytest.raises(ConfigError, match='num_clips'):
        FeatureStatisticsHook(num_clips=0)
