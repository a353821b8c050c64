from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.adaptation.budget import FULL, Budget
from benchmarks.adaptation.methods import METHODS, Method
from benchmarks.adaptation.run_config import (
    describe,
    final_checkpoint,
    method_config,
    real_sources,
    source_config,
    spread_threshold,
)
from gvhmr_da_mm.apis import load_config
from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.datasets import MultiSourceDataset
from gvhmr_da_mm.engine import ConfidenceThresholdHook

NETWORK_ALONE = {'source', 'plain', 'published', 'oracle'}
CONFIGS = Path(__file__).resolve().parents[3] / 'configs'


def build(method, root, tmp_path, budget=FULL):
    method = METHODS[method] if isinstance(method, str) else method
    return method_config(method, CONFIGS, root, budget, 1, tmp_path / 'm' / 'seed_1', 'x.pth')


@pytest.mark.parametrize('name', METHODS)
def test_every_method_has_the_same_budget(name, toy_root, tmp_path):
    config = build(name, toy_root, tmp_path)
    assert config.train_cfg.max_epochs * FULL.batches_per_epoch == FULL.steps == 300
    assert config.train_dataloader.batch_sampler.batches_per_epoch == FULL.batches_per_epoch
    assert config.train_dataloader.batch_size == FULL.batch_size
    assert config.param_scheduler.model[0].T_max == config.train_cfg.max_epochs
    assert config.optim_wrapper.model.optimizer.lr == 5e-4
    assert config.load_from == 'x.pth' and config.randomness.seed == 1
    assert len(config.visualizer.vis_backends) == 1
    assert final_checkpoint(config).name == 'epoch_6.pth'


@pytest.mark.parametrize('name', METHODS)
def test_a_method_survives_a_dump(name, toy_root, tmp_path):
    config = build(name, toy_root, tmp_path)
    config.dump(tmp_path / 'config.py')
    again = load_config(tmp_path / 'config.py')
    assert again.model.losses == config.model.losses
    assert again.model.estimator.backbone.latent_dim == 96


def test_what_the_methods_are(toy_root, tmp_path):
    config = {name: build(name, toy_root, tmp_path) for name in METHODS}
    ratio = {
        n: c.train_dataloader.batch_sampler.get('alternating_ratio', 1) for n, c in config.items()
    }
    assert ratio == {n: 0 if n == 'source' else 1 for n in METHODS}

    demo = load_config(CONFIGS / 'da_demo.py')
    for part in ('pseudo_labeler', 'critic', 'losses'):
        assert config['full'].model[part] == demo.model[part]

    plain, published = config['plain'].model, config['published'].model
    assert (
        config['plain'].default_hooks.mean_teacher.momentum
        == demo.default_hooks.mean_teacher.momentum
    )
    assert config['plain'].default_hooks.confidence_threshold.end == 0
    assert plain.pseudo_labeler.num_augmentations == 1 and plain.critic.adversarial_weight == 0
    for model in (plain, published):
        assert model.losses.pseudo.loss_weight == 1
        assert model.losses.reprojection.loss_weight == 0 and model.losses.contact is None
        assert model.pseudo_labeler.refiner is None and model.critic.target is None
    assert config['published'].default_hooks.mean_teacher.momentum == 1
    assert [view.type.__name__ for view in published.pseudo_labeler.views] == ['HorizontalFlip']
    assert published.critic.adversarial_weight == 1
    discriminator = published.critic.discriminator
    assert discriminator.hidden_size == demo.model.critic.discriminator.hidden_size
    assert discriminator.frame_stride == 1


def test_source_free_differs_from_the_full_method_by_its_data_alone(toy_root, tmp_path):
    full, free = (build(name, toy_root, tmp_path) for name in ('full', 'source_free'))
    assert free.model == full.model
    assert free.default_hooks.pop('source_free').type == 'SourceFreeHook'
    assert free.default_hooks == full.default_hooks
    assert MultiSourceDataset(free.train_dataloader.dataset.datasets).sources.keys() == {'real'}
    assert real_sources(free) == real_sources(full)
    # The discriminator that it starts from is trained beside the source.
    learns = {name: build(name, toy_root, tmp_path).model.critic for name in METHODS}
    learns = {name for name, critic in learns.items() if critic.get('learn_from_synthetic')}
    assert learns == {'source'}


def test_real_clips_of_the_methods(toy_root, tmp_path):
    for name in METHODS:
        real = real_sources(build(name, toy_root, tmp_path))
        labels = 'labels' if name == 'oracle' else 'none'
        assert [d.get('real_supervision', 'none') for d in real] == [labels, labels]
        assert {d.get('transductive', False) for d in real} == {name == 'full_transductive'}
        assert {d.subset for d in real} == {'all'}


def test_what_is_tested(toy_root, tmp_path):
    config = build('full', toy_root, tmp_path)
    assert [m.get('dataset') for m in config.test_evaluator] == ['emdb1', 'emdb2', '3dpw']
    config = build('full', toy_root, tmp_path, replace(FULL, hold_out=True))
    assert {d.subset for d in real_sources(config)} == {'fit'}
    names = [metric.get('dataset') for metric in config.test_evaluator]
    assert names == ['emdb1', 'emdb2', '3dpw', 'val_emdb', 'val_emdb', 'val_3dpw']
    assert not any(d['flip_test'] for d in config.test_dataloader.dataset.datasets.values())


def test_held_out_clips_are_those_of_the_shipped_validation(toy_root, tmp_path):
    """A choice by the one would otherwise not be one by the other."""
    shipped = load_config(CONFIGS / '_base_' / 'datasets' / 'val_held_out.py')
    config = build('full', toy_root, tmp_path, replace(FULL, hold_out=True))

    def kind_of(part):
        return getattr(part['type'], '__name__', part['type'])

    def numbers(evaluator):
        protocols = [(kind_of(each), each.get('protocol')) for each in evaluator]
        return [
            (kind, {name: value for name, value in protocol.items() if name != 'dataset'})
            for kind, protocol in protocols
            if protocol
        ]

    def clips(loader):
        datasets = loader.dataset.datasets.values()
        held_out = (each for each in datasets if each.get('subset') == 'val')
        return [(kind_of(each), each['split']) for each in held_out]

    assert numbers(config.test_evaluator) == numbers(shipped.val_evaluator)
    assert clips(config.test_dataloader) == clips(shipped.val_dataloader) != []


@pytest.mark.parametrize('name', METHODS)
def test_every_network_is_tested_alone_and_refined(name, toy_root, tmp_path):
    config = build(name, toy_root, tmp_path)
    usual, other = config.model.estimator.test_cfg, config.retest_cfg
    alone, refined = (usual, other) if name in NETWORK_ALONE else (other, usual)
    assert not any(alone.values())
    assert refined.refiner.type.__name__ == 'KeypointRefiner'
    assert refined.trajectory.type.__name__ == 'FootContactOdometry'
    assert not refined.flip_test and not refined.postprocess


def test_source_run(toy_root, tmp_path):
    config = source_config(CONFIGS, toy_root, FULL, 2, tmp_path / 'seed_2')
    assert config.train_cfg.max_epochs * FULL.batches_per_epoch == FULL.source_steps == 700
    assert config.param_scheduler[0].T_max == 14
    assert config.test_cfg is None and config.test_dataloader is None


def test_overrides_of_a_variant(toy_root, tmp_path):
    options = {
        'model.losses.pseudo.loss_weight': 0.7,
        'model.pseudo_labeler.trajectory': dict(type='FootContactOdometry', weight=0.25),
    }
    config = build(Method('mine', 'variant', options=options), toy_root, tmp_path)
    assert config.model.losses.pseudo.loss_weight == 0.7
    trajectory = dict(config.model.pseudo_labeler.trajectory)
    assert trajectory.pop('type').endswith('FootContactOdometry')
    assert trajectory == dict(weight=0.25)
    with pytest.raises(ConfigError, match="'mine'.*loss_weigt.*loss_weight"):
        build(
            Method('mine', 'variant', options={'model.losses.pseudo.loss_weigt': 1}),
            toy_root,
            tmp_path,
        )


@pytest.mark.parametrize('steps', [300, 120, 5])
def test_threshold_reaches_its_end_within_the_run(steps, toy_root, tmp_path):
    config = build('published', toy_root, tmp_path)
    spread_threshold(config, steps)
    fields = dict(config.default_hooks.confidence_threshold)
    fields.pop('type')
    hook = ConfidenceThresholdHook(**fields)
    reached = [hook.threshold_at(step) for step in range(steps)]
    assert reached[0] == 0.6
    assert reached[-1] == (0.9 if steps > 6 else 0.8)


def test_description_depends_on_what_matters(toy_root, tmp_path):
    here = describe(build('full', toy_root, tmp_path), toy_root)
    elsewhere = describe(build('full', toy_root, tmp_path / 'other'), toy_root)
    assert here == elsewhere
    assert str(toy_root) not in str(here)
    assert describe(build('plain', toy_root, tmp_path), toy_root) != here
    assert describe(build('full', toy_root, tmp_path, Budget(epochs=3)), toy_root) != here
