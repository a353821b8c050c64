"""The recipe for one GPU, small on the CPU with all its parts, the recording of graphs replaced."""

from pathlib import Path

import pytest
import torch
from mmengine.runner import Runner

from gvhmr_da_mm.apis import load_config
from gvhmr_da_mm.engine import EchoingTrainLoop
from gvhmr_da_mm.models.estimators import graphed_loss
from tests.datasets.mocap import recordings
from tests.testing import isolated_registry, tiny_config

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
EPOCHS, BATCHES = 2, 2
SMALL = {
    'model.backbone.latent_dim': 64,
    'model.backbone.num_layers': 1,
    'model.backbone.num_heads': 2,
    'model.head.latent_dim': 64,
    'model.motion_codec.statistics': 'identity',
    'default_hooks.motion_statistics': None,
}


@pytest.mark.parametrize('name', ['gvhmr_keypoints_s_cmu_gpu', 'gvhmr_keypoints_b_cmu'])
def test_the_number_of_updates(name):
    config = load_config(CONFIGS / f'{name}.py')
    loop, schedule = config.train_cfg, config.param_scheduler
    batches = config.train_dataloader.batch_sampler.batches_per_epoch
    assert loop.repeats * batches * loop.max_epochs == 20_000
    assert schedule[1].T_max == loop.max_epochs


def test_all_parts_train_together(toy_root, tmp_path, monkeypatch):
    root = tmp_path / 'data'
    root.mkdir()
    for entry in toy_root.iterdir():
        (root / entry.name).symlink_to(entry)
    path = CONFIGS / 'gvhmr_keypoints_s_cmu_gpu.py'
    shipped = load_config(path)
    for subject in ('01', *shipped.walkers, *shipped.test_subjects, *shipped.val_subjects):
        recordings.write(root / 'AMASS' / 'CMU' / subject / 'walk.npz')
    recorded, compiled = [], []

    def record(step, tensors, **_):
        recorded.append(step)
        return step

    def backend(graph, inputs):
        compiled.append(graph)
        return graph.forward

    monkeypatch.setattr(torch.cuda, 'make_graphed_callables', record)
    monkeypatch.setattr(graphed_loss, '_check_one_gpu', lambda device: None)
    config = tiny_config(path, root, tmp_path / 'run', EPOCHS, BATCHES, options=SMALL)
    config.model.compile = dict(backend=backend, fullgraph=True)
    with isolated_registry():
        torch.manual_seed(0)
        runner = Runner.from_cfg(config)
        before = {name: value.clone() for name, value in runner.model.named_parameters()}
        runner.train()
    assert isinstance(runner.train_loop, EchoingTrainLoop)
    assert runner.iter == EPOCHS * BATCHES * 5
    assert len(recorded) == 1 and len(compiled) == 2
    assert all(torch.isfinite(value).all() for value in runner.model.state_dict().values())
    changed = [n for n, value in runner.model.named_parameters() if not value.equal(before[n])]
    assert len(changed) > len(before) / 2
