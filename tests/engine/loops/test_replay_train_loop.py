"""Several training steps for each batch of the loader."""

import pytest
import torch
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner

from gvhmr_da_mm.core.errors import ConfigError


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.batches = []

    def forward(self, *args, **kwargs):
        raise NotImplementedError

    def train_step(self, batch, optim_wrapper):
        self.batches.append([int(item) for item in batch])
        optim_wrapper.update_params(self.weight.sum())
        return dict(loss=self.weight.detach())


def run(tmp_path, counts=1, **options):
    wrapper = OptimWrapper(
        torch.optim.SGD([torch.nn.Parameter(torch.zeros(()))], lr=0.1), accumulative_counts=counts
    )
    model = Model()
    runner = Runner(
        model=model,
        work_dir=str(tmp_path),
        train_dataloader=dict(
            dataset=list(range(6)),
            batch_size=2,
            sampler=dict(type='DefaultSampler', shuffle=False),
            collate_fn=lambda items: items,
        ),
        train_cfg=dict(type='ReplayTrainLoop', max_epochs=2, **options),
        optim_wrapper=wrapper,
        default_scope='gvhmr_da_mm',
        experiment_name=tmp_path.name,
    )
    runner.train()
    return runner, model.batches


def test_each_iteration_ends_with_the_new_batch(tmp_path):
    runner, batches = run(tmp_path, steps_per_batch=3, buffer_size=2)
    assert runner.iter == 6
    assert batches[2::3] == [[0, 1], [2, 3], [4, 5]] * 2
    for number in range(6):
        last = batches[max(3 * number - 1, 2) :: 3][:2]
        known = [batches[3 * number + 2], batches[max(3 * number - 1, 2)]]
        assert last and all(one in known for one in batches[3 * number : 3 * number + 2])


def test_one_step_for_each_batch_is_the_usual_loop(tmp_path):
    assert run(tmp_path, steps_per_batch=1)[1] == [[0, 1], [2, 3], [4, 5]] * 2


def test_accumulation_and_no_steps_are_refused(tmp_path):
    with pytest.raises(ConfigError, match='accumulative_counts'):
        run(tmp_path, counts=2)
    with pytest.raises(ConfigError, match='steps_per_batch'):
        run(tmp_path, steps_per_batch=0)
