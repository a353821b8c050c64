"""A real Runner around a model of one weight."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.logging import MessageHub, MMLogger
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapperDict
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from torch import nn


class ToyAdaptation(BaseModel):
    """Records what the hooks do to it.

    Every other iteration is synthetic. ``rates`` are the selection rates of the real ones.
    """

    def __init__(self, rates=None):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))
        self.critic = nn.Parameter(torch.zeros(()))
        self.register_buffer('teacher', torch.zeros(()))
        self.pseudo_labeler = SimpleNamespace(threshold=-1.0)
        self.thresholds, self.momenta, self.students = [], [], []
        self.rates = list(rates or [])
        self.student_every = 1

    def forward(self, inputs, data_samples=None, mode='tensor'):
        loss = dict(loss=(self.weight - 1).square())
        return [loss] if mode == 'predict' else loss

    def train_step(self, data, optim_wrapper):
        self.thresholds.append(self.pseudo_labeler.threshold)
        step = len(self.thresholds)
        if isinstance(optim_wrapper, OptimWrapperDict):
            if step % self.student_every == 0:
                optim_wrapper['model'].update_params((self.weight - 1).square())
            optim_wrapper['discriminator'].update_params((self.critic - 1).square())
        else:
            optim_wrapper.update_params((self.weight - 1).square())
        real = bool(self.rates) and step % 2 == 0
        return dict(selection_rate=torch.tensor(self.rates.pop(0))) if real else {}

    def update_teacher(self, momentum):
        self.momenta.append(momentum)
        self.students.append(self.weight.item())
        self.teacher.lerp_(self.weight.detach(), momentum)


@pytest.fixture
def run(tmp_path):
    """Train a toy model with hooks for some epochs of 6 iterations and return the runner."""
    runners = []

    def _run(
        hooks, model=None, epochs=3, iters=None, optim_wrapper=None, resume=False, dataset=None,
        **kwargs,
    ):  # fmt: skip
        loop = dict(by_epoch=True, max_epochs=epochs)
        if iters is not None:
            loop = dict(by_epoch=False, max_iters=iters, val_interval=10**6)
        # mmengine keeps hubs by name: a new one must not inherit another test's history.
        MessageHub._instance_dict.clear()
        runner = Runner(
            model=model or ToyAdaptation(),
            work_dir=str(tmp_path),
            train_dataloader=dict(
                dataset=[torch.zeros(1) for _ in range(6)] if dataset is None else dataset,
                sampler=dict(type='DefaultSampler', shuffle=False),
                batch_size=1,
                num_workers=0,
            ),
            optim_wrapper=optim_wrapper or dict(optimizer=dict(type='SGD', lr=0.1)),
            train_cfg=loop,
            custom_hooks=hooks,
            default_hooks=dict(
                checkpoint=dict(type='CheckpointHook', interval=1, by_epoch=iters is None),
                logger=dict(type='LoggerHook', interval=1),
            ),
            resume=resume,
            log_level='WARNING',
            experiment_name=f'toy_{len(runners)}_{tmp_path.name}',
            default_scope='gvhmr_da_mm',
            **kwargs,
        )
        runners.append(runner)
        runner.train()
        return runner

    scopes = DefaultScope._instance_dict.copy()
    yield _run
    # MMEngine keeps scopes, hubs and loggers of every runner: leave none to other tests.
    DefaultScope._instance_dict.clear()
    DefaultScope._instance_dict.update(scopes)
    MessageHub._instance_dict.clear()


@pytest.fixture
def toy():
    return ToyAdaptation


@pytest.fixture
def warnings_of(monkeypatch):
    """Collect what is logged as a warning by MMEngine's loggers."""
    messages = []
    original = MMLogger.callHandlers

    def record(self, entry):
        if entry.levelname == 'WARNING':
            messages.append(entry.getMessage())
        original(self, entry)

    monkeypatch.setattr(MMLogger, 'callHandlers', record)
    return messages
