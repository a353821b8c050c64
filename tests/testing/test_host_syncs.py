"""A training step asks the GPU for nothing but what is logged."""

from contextlib import nullcontext

import pytest
import torch

from gvhmr_da_mm.models.adaptation import ConfidenceCalibrator
from gvhmr_da_mm.registry import MODELS
from tests.testing import toy_adaptation_config, toy_batch
from tests.testing.host_syncs import HostSyncs, record_host_syncs


@pytest.mark.parametrize(
    'ask',
    [
        lambda x: x.sum().item(),
        lambda x: bool((x > 0).any()),
        lambda x: x[x > 0],
        lambda x: (x > 0).nonzero(),
    ],
)
def test_questions_are_seen(ask):
    with HostSyncs() as syncs:
        ask(torch.randn(5))
    assert syncs.places


def test_other_operations_are_not():
    x = torch.randn(5)
    with HostSyncs() as syncs:
        torch.where(x > 0, x, 0.0)[torch.tensor([1, 0])].masked_fill(x[:2] > 0, 1.0)
    assert not syncs.places


class _Updates:
    """An optimiser wrapper that logs nothing."""

    def __init__(self, model):
        self.optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)

    def optim_context(self, model):
        return nullcontext()

    def update_params(self, loss):
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad()


def test_training_steps_never_wait(toy_root):
    model = MODELS.build(
        toy_adaptation_config(
            toy_root,
            pseudo_labeler=dict(
                confidence=dict(type='CombinedConfidence'),
                lifter=dict(type='PoseLifter'),
                trajectory=dict(type='FootContactOdometry'),
            ),
            critic=dict(
                calibrator=dict(type='ConfidenceCalibrator', mode='quantile'),
                target=dict(type='NearestMotionTarget'),
            ),
            losses={},
            student_view=dict(type='KeypointDrop'),
        )
    ).train()
    wrappers = {
        'model': _Updates(model.student),
        'discriminator': _Updates(model.critic),
    }
    for domain in ('synthetic', 'real'):
        # What is still in lists on the CPU is looked at before it goes to the GPU.
        batch = model.data_preprocessor(toy_batch(domain), training=True)
        model.train_step(batch, wrappers)  # Fills caches.
        with record_host_syncs() as syncs:
            model.train_step(batch, wrappers)
        assert not syncs.places, domain


def test_calibrator_never_waits():
    calibrator = ConfidenceCalibrator('quantile', size=8, min_scores=4)
    with HostSyncs() as syncs:
        calibrator.update(torch.rand(20))
        calibrator(torch.rand(2, 3))
    assert not syncs.places
