"""Two ranks train as one does on the batch of both."""

import os

import torch
import torch.distributed as dist
from mmengine.model import BaseModel, is_model_wrapper
from mmengine.optim import OptimWrapperDict
from torch import nn

from gvhmr_da_mm.engine import PrecisionOptimWrapperConstructor, ReplicatedDataParallel
from tests.testing import free_port, run_ranks

STEPS = 4


class TwoPartModel(BaseModel):
    """A model with its own training step, as the adaptive one has."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.net = nn.Linear(3, 2)

    def forward(self, inputs, mode='tensor'):
        return self.net(inputs)

    def train_step(self, data, optim_wrapper):
        loss = self.net(data).square().mean()
        optim_wrapper['model'].update_params(loss)
        return dict(loss=loss.detach())


def optim_wrapper(model: nn.Module) -> OptimWrapperDict:
    cfg = dict(optimizer=dict(type='SGD', lr=0.1), clip_grad=dict(max_norm=0.05))
    return OptimWrapperDict(model=PrecisionOptimWrapperConstructor(cfg)(model))


def batches() -> torch.Tensor:
    return torch.randn(STEPS, 8, 3, generator=torch.Generator().manual_seed(1))


def train_rank(rank: int, port: int, folder: str) -> None:
    os.environ.update(MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port))
    dist.init_process_group('gloo', rank=rank, world_size=2)
    # Ranks start from different weights; the first one's count.
    model = TwoPartModel(seed=rank)
    torch.manual_seed(5)  # As for a run, where all ranks have one seed.
    model = ReplicatedDataParallel(model)
    wrapper = optim_wrapper(model)
    for batch in batches():
        model.train_step(batch[rank::2], wrapper)
    state = dict(model.module.state_dict(), drawn=torch.rand(3))
    torch.save(state, f'{folder}/{rank}.pth')
    dist.destroy_process_group()


def test_two_ranks_equal_one_with_the_whole_batch(tmp_path):
    run_ranks(train_rank, free_port(), str(tmp_path))
    model = TwoPartModel(seed=0)
    wrapper = optim_wrapper(model)
    for batch in batches():
        model.train_step(batch, wrapper)
    ranks = [torch.load(tmp_path / f'{rank}.pth') for rank in range(2)]
    assert not torch.equal(ranks[0]['drawn'], ranks[1]['drawn'])
    for name, value in model.state_dict().items():
        assert torch.equal(ranks[0][name], ranks[1][name])
        assert torch.allclose(ranks[0][name], value, atol=1e-6)


def test_mmengine_unwraps_it_so_that_checkpoints_have_plain_keys():
    assert is_model_wrapper(ReplicatedDataParallel(TwoPartModel(0)))
