"""Training on a GPU: scaled gradients, steps that do not wait, exact resume, NCCL."""

import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from gvhmr_da_mm.datasets import collate_clips
from gvhmr_da_mm.engine import AdaptationOptimWrapperConstructor, PrecisionOptimWrapperConstructor
from gvhmr_da_mm.models.estimators import GraphedLoss
from gvhmr_da_mm.registry import MODELS
from tests.testing import toy_adaptation_config, toy_batch, toy_model_config

pytestmark = pytest.mark.cuda
ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / 'configs' / 'da_tiny_bedlam_emdb_3dpw.py'
OPTIONS = (
    'model.estimator.backbone.latent_dim=32',
    'model.estimator.backbone.num_layers=1',
    'model.estimator.backbone.num_heads=2',
    'model.estimator.head.latent_dim=32',
    'train_dataloader.batch_size=2',
    'train_dataloader.batch_sampler.batches_per_epoch=4',
    'train_cfg.val_interval=100',
    'default_hooks.checkpoint.interval=1',
    'randomness.seed=1',
    'randomness.deterministic=True',
)


@pytest.fixture
def adaptive(toy_root, device):
    refiner = dict(type='KeypointRefiner', steps=2)
    config = toy_adaptation_config(toy_root, pseudo_labeler=dict(refiner=refiner))
    return MODELS.build(config).train().to(device)


def optimisers(model, **options):
    parts = {
        name: dict(optimizer=dict(type='AdamW', lr=1e-3), **options)
        for name in ('model', 'discriminator')
    }
    return AdaptationOptimWrapperConstructor(parts)(model)


def test_scaled_gradients_and_the_guard(device):
    if device.type == 'cpu':
        pytest.skip('fp16 needs a GPU')
    model = torch.nn.Linear(8, 1).to(device)
    wrapper = PrecisionOptimWrapperConstructor(
        dict(optimizer=dict(type='AdamW', lr=0.1), precision='fp16', clip_grad=dict(max_norm=1.0))
    )(model)
    wrapper.guard_steps = True
    before = model.weight.detach().clone()
    for factor, changes in ((math.nan, False), (1.0, True)):
        for _ in range(40):  # The scale is found in the first steps.
            with wrapper.optim_context(model):
                loss = factor * model(torch.ones(4, 8, device=device)).square().mean()
            wrapper.update_params(loss)
        assert torch.isfinite(model.weight).all()
        assert torch.equal(model.weight, before) is not changes
    assert wrapper.last_skip is None


@pytest.mark.parametrize('precision', ['fp32', 'bf16', 'fp16'])
def test_both_domains(adaptive, device, precision):
    if device.type == 'cpu' and precision == 'fp16':
        pytest.skip('fp16 needs a GPU')
    wrapper = optimisers(adaptive, precision=precision)
    for domain in ('synthetic', 'real', 'synthetic', 'real'):
        values = adaptive.train_step(toy_batch(domain), wrapper)
        assert all(math.isfinite(float(value)) for value in values.values())
    assert all(torch.isfinite(value).all() for value in adaptive.state_dict().values())


def test_a_step_does_not_wait(adaptive, device):
    """Logging and the choice of clips to refine may; here nothing is refined or logged."""
    adaptive.pseudo_labeler.refiner = None
    wrapper = optimisers(adaptive)
    for part in wrapper.values():
        part.update_params = lambda loss: loss.backward()
    for domain in ('synthetic', 'real'):
        batch = adaptive.data_preprocessor(toy_batch(domain), training=True)
        adaptive.train_step(batch, wrapper)  # fills caches
        if device.type == 'cpu':
            continue
        torch.cuda.set_sync_debug_mode('error')
        try:
            adaptive.train_step(batch, wrapper)
        finally:
            torch.cuda.set_sync_debug_mode('default')


def test_a_recorded_step_is_the_plain_one(toy_root, device):
    if device.type == 'cpu':
        pytest.skip('CUDA graphs need a GPU')
    options = dict(condition_dropout=0.0, detected_keypoint_prob=1.0)
    size = dict(latent_dim=32, num_layers=2, num_heads=2)
    config = toy_model_config(toy_root, **size, cuda_graph=True, train_cfg=options)
    model = MODELS.build(config).train().to(device)
    for parameter in model.parameters():
        parameter.data.add_(0.02 * torch.randn_like(parameter))
    for precision in (torch.float32, torch.bfloat16):
        model.graphed_loss = GraphedLoss()
        with torch.autocast('cuda', dtype=precision, enabled=precision != torch.float32):
            for seed in range(3):
                torch.manual_seed(seed)
                batch = model.data_preprocessor(toy_batch('synthetic', 4), training=True)
                batch['inputs']['has_kp2d'][:] = True
                recorded = gradients(model, batch)
                labels = model.require_labels(batch['data_samples'], device)
                model.graphed_loss, graph = None, model.graphed_loss
                plain = gradients(model, batch)
                model.graphed_loss = graph
                assert labels['betas'].is_cuda and recorded.keys() == plain.keys()
                for name, value in plain.items():
                    torch.testing.assert_close(recorded[name], value, rtol=1e-3, atol=1e-4)


def gradients(model, batch):
    model.zero_grad()
    losses = model(**batch, mode='loss')
    sum(losses.values()).backward()
    found = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    return {**found, **{name: loss.detach().clone() for name, loss in losses.items()}}


def test_pinned_loader(toy_root, device):
    batch = toy_batch('real', 4)
    clips = [
        dict(
            inputs={name: value[index] for name, value in batch['inputs'].items()},
            data_samples=batch['data_samples'][index],
        )
        for index in range(4)
    ]
    loader = torch.utils.data.DataLoader(
        clips,
        batch_size=2,
        num_workers=1,
        collate_fn=collate_clips,
        pin_memory=device.type != 'cpu',
    )
    for loaded in loader:
        kp2d = loaded['inputs']['kp2d']
        assert kp2d.is_pinned() == (device.type != 'cpu')
        assert kp2d.to(device, non_blocking=True).shape[0] == 2


def train(root, work_dir, epochs, *more, gpu=True, options=()):
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get('PYTHONPATH')])])
    environment = dict(
        os.environ, PYTHONPATH=path, OMP_NUM_THREADS='1', CUBLAS_WORKSPACE_CONFIG=':4096:8'
    )
    if not gpu:
        environment['CUDA_VISIBLE_DEVICES'] = ''
    command = [
        sys.executable, ROOT / 'tools' / 'train.py', CONFIG, '--data-root', root,
        '--work-dir', work_dir, '--no-validate', *more, '--cfg-options', *OPTIONS, *options,
        f'train_cfg.max_epochs={epochs}',
    ]  # fmt: skip
    done = subprocess.run(
        [str(word) for word in command], env=environment, cwd=work_dir.parent, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    return torch.load(work_dir / f'epoch_{epochs}.pth', map_location='cpu', weights_only=False)


def differing(first, second):
    first, second = first['state_dict'], second['state_dict']
    assert first.keys() == second.keys()
    return [
        f'{name}: {(first[name].double() - value.double()).abs().max():.2g}'
        for name, value in second.items()
        if not torch.equal(first[name], value)
    ]


def test_resume_is_exact_and_crosses_devices(toy_root, tmp_path):
    whole = train(toy_root, tmp_path / 'whole', 2)
    half = train(toy_root, tmp_path / 'parts', 1)
    same_half = torch.load(
        tmp_path / 'whole' / 'epoch_1.pth', map_location='cpu', weights_only=False
    )
    assert differing(half, same_half) == [], 'training is not deterministic'
    resumed = train(toy_root, tmp_path / 'parts', 2, '--resume')
    assert resumed['meta']['iter'] == whole['meta']['iter'] == 8
    assert differing(resumed, whole) == []
    on_cpu = train(toy_root, tmp_path / 'parts', 3, '--resume', gpu=False)
    back = train(toy_root, tmp_path / 'parts', 4, '--resume')
    assert on_cpu['meta']['iter'] == 12 and back['meta']['iter'] == 16
    assert all(torch.isfinite(value).all() for value in back['state_dict'].values())


def test_one_rank(toy_root, tmp_path, device, monkeypatch):
    """NCCL; in a dry run gloo."""
    for name, value in dict(RANK=0, WORLD_SIZE=1, LOCAL_RANK=0, MASTER_ADDR='127.0.0.1',
                            MASTER_PORT=29633).items():  # fmt: skip
        monkeypatch.setenv(name, str(value))
    backend = 'gloo' if device.type == 'cpu' else 'nccl'
    options = (f'env_cfg.dist_cfg.backend={backend}',)
    ranked = train(toy_root, tmp_path / 'run', 1, '--launcher', 'pytorch', options=options)
    assert ranked['meta']['iter'] == 4
