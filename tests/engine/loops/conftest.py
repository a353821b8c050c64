"""Runs of a model of a few weights that draws from every random number generator."""

import random

import numpy as np
import pytest
import torch
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.logging import MessageHub
from mmengine.model import BaseModel
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import Dataset, Sampler

EPOCHS, BATCHES = 3, 3


class Noisy(BaseModel):
    """Learns from numbers of every generator, and counts what it sees."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 1)
        self.register_buffer('seen', torch.zeros(EPOCHS * BATCHES * 2))
        self.register_buffer('steps', torch.zeros((), dtype=torch.long))

    def forward(self, inputs, data_samples=None, mode='tensor'):
        if mode == 'predict':
            return [torch.rand(()).item()]  # Validation may draw as well.
        inputs = torch.as_tensor(inputs, dtype=torch.float32).reshape(-1, 1)
        self.seen[self.steps] = inputs.sum()
        self.steps += 1
        noise = torch.rand(len(inputs), 1) + np.random.rand() + random.random()
        return dict(loss=self.layer(torch.cat((inputs, noise), 1)).square().mean())


class Numbers(Dataset):
    """Numbers that note when they are read."""

    metainfo = dict(name='numbers')

    def __init__(self):
        self.read = []

    def __len__(self):
        return BATCHES

    def __getitem__(self, index):
        self.read.append(int(index))
        return dict(inputs=torch.tensor(float(index)))


class JumpingSampler(Sampler):
    """A batch sampler that starts at `start_step`."""

    def __init__(self, sampler, batch_size):
        self.sampler, self.batch_size, self.start_step = sampler, batch_size, 0

    def __iter__(self):
        first, self.start_step = self.start_step, 0
        for index in list(self.sampler)[first:]:
            yield [index]

    def __len__(self):
        return BATCHES


class Drawn(BaseMetric):
    """The mean of what validation drew."""

    def process(self, data_batch, data_samples):
        self.results.extend(data_samples)

    def compute_metrics(self, results):
        return dict(drawn=float(np.mean(results)))


class Memory(Hook):
    """A hook with a state, like a guard."""

    def __init__(self):
        self.losses = []

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.losses.append(outputs['loss'].item())

    def before_train_epoch(self, runner):
        self.losses.append(-1.0)

    def state_dict(self):
        return dict(losses=list(self.losses))

    def load_state_dict(self, state_dict):
        self.losses = list(state_dict['losses'])


class At(Hook):
    """Call a function at a stage of an iteration, from 1; epochs for stages of validation."""

    priority = 'HIGHEST'

    def __init__(self, stage, number, act):
        def stage_reached(runner, *args, **kwargs):
            now = runner.epoch if 'val' in stage else runner.iter + 1
            if now == number:
                act()

        setattr(self, stage, stage_reached)


@pytest.fixture
def run(tmp_path):
    """Return a function that trains in a folder, and goes on from what is there."""

    def _run(name='run', hooks=(), validate=False, jumps=True, act=None, **checkpoint):
        MessageHub._instance_dict.clear()
        _run.count += 1
        loader = dict(
            dataset=Numbers(),
            sampler=dict(type='DefaultSampler', shuffle=True),
            batch_size=1,
            num_workers=0,
        )
        train_loader = dict(loader)
        if jumps:
            train_loader['batch_sampler'] = dict(type=JumpingSampler)
        validation = dict(
            val_dataloader=dict(loader, dataset=Numbers()),
            val_cfg=dict(type='ValLoop'),
            val_evaluator=dict(type=Drawn),
        )
        torch.manual_seed(0)  # Weights are drawn before the runner sets the seed.
        runner = Runner(
            model=Noisy(),
            work_dir=str(tmp_path / name),
            train_dataloader=train_loader,
            optim_wrapper=dict(
                optimizer=dict(type='SGD', lr=0.1, momentum=0.9), accumulative_counts=2
            ),
            param_scheduler=[
                dict(type='CosineAnnealingLR', T_max=EPOCHS * BATCHES, by_epoch=False),
                dict(type='MultiStepLR', milestones=[1, 2]),
            ],
            train_cfg=dict(type='ResumableTrainLoop', max_epochs=EPOCHS, val_interval=1),
            **(validation if validate else {}),
            custom_hooks=[Memory(), *hooks],
            default_hooks=dict(
                checkpoint=dict(type='SafeCheckpointHook', interval=1, **checkpoint),
                training_state=dict(type='TrainingStateHook'),
                logger=dict(type='LoggerHook', interval=1),
            ),
            randomness=dict(seed=3),
            resume=True,
            log_level='WARNING',
            experiment_name=f'noisy_{_run.count}_{tmp_path.name}',
            default_scope='gvhmr_da_mm',
        )
        _run.runner = runner
        runner.train()
        return runner

    _run.count = 0
    scopes = DefaultScope._instance_dict.copy()
    generators = torch.get_rng_state(), np.random.get_state(), random.getstate()
    yield _run
    torch.set_rng_state(generators[0])
    np.random.set_state(generators[1])
    random.setstate(generators[2])
    DefaultScope._instance_dict.clear()
    DefaultScope._instance_dict.update(scopes)
    MessageHub._instance_dict.clear()


@pytest.fixture
def at():
    return At
