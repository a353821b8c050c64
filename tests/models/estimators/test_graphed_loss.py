"""Supervised losses by a CUDA graph: what can be seen without a GPU (see also tests/cuda)."""

import copy
import pickle

import pytest
import torch

from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.models.estimators import graphed_loss
from gvhmr_da_mm.registry import MODELS
from tests.testing import toy_inputs, toy_model_config, toy_samples


class OnGpu(torch.Tensor):
    """A tensor of the CPU that says it is on a GPU."""

    @property
    def device(self):
        return torch.device('cuda')


@pytest.fixture
def recorded(monkeypatch):
    """Replace the recording of graphs; return the number of tensors of each."""
    sizes = []

    def record(step, tensors, **options):
        sizes.append(len(tensors))
        assert not torch.is_autocast_cache_enabled()
        return step

    monkeypatch.setattr(torch.cuda, 'make_graphed_callables', record)
    return sizes


def as_they_are(inputs, labels):
    return dict(inputs=inputs, labels=labels)


def call(graphed, model, inputs, labels):
    inputs = dict(inputs, valid=inputs['valid'].as_subclass(OnGpu))
    return graphed(model, as_they_are, inputs, labels)


def test_inputs_and_labels_arrive_as_they_were(recorded):
    model, graphed = torch.nn.Linear(1, 1), graphed_loss.GraphedLoss()
    inputs = dict(
        kp2d=torch.rand(2, 3, 17, 3), f=torch.zeros(1, 1, 1).expand(2, 3, 8), valid=torch.ones(2, 3)
    )
    labels = dict(betas=torch.rand(2, 10), camera_only=torch.tensor([True, False]))
    for _ in range(2):
        seen = call(graphed, model, inputs, labels)
        for given, arrived in ((inputs, seen['inputs']), (labels, seen['labels'])):
            assert list(given) == list(arrived)
            assert all(torch.equal(given[name], arrived[name]) for name in given)
    assert recorded == [5]
    assert torch.is_autocast_cache_enabled()


def test_a_batch_of_other_shapes_is_computed_without_the_graph(recorded):
    model, graphed = torch.nn.Linear(1, 1), graphed_loss.GraphedLoss()
    for size in (4, 3):
        inputs, labels = dict(valid=torch.ones(size, 2)), dict(betas=torch.rand(size, 10))
        seen = call(graphed, model, inputs, labels)
        assert len(seen['labels']['betas']) == size
    assert recorded == [2]


def test_on_the_cpu_it_is_refused(toy_root):
    model = MODELS.build(toy_model_config(toy_root, cuda_graph=True)).train()
    inputs = toy_inputs(2, 5)
    with pytest.raises(ConfigError, match=r'cuda_graph=True.*on cpu'):
        model(inputs, toy_samples(inputs), mode='loss')


def test_a_copy_of_a_model_records_its_own_graph(recorded):
    graphed = graphed_loss.GraphedLoss()
    inputs, labels = dict(valid=torch.ones(4, 2)), dict(betas=torch.rand(4, 10))
    call(graphed, torch.nn.Linear(1, 1), inputs, labels)
    for other in (copy.deepcopy(graphed), pickle.loads(pickle.dumps(graphed))):
        call(other, torch.nn.Linear(1, 1), inputs, labels)
    assert recorded == [2, 2, 2]


@pytest.fixture
def on_gpu(monkeypatch):
    """Record as on a GPU."""
    monkeypatch.setattr(graphed_loss, '_check_one_gpu', lambda device: None)


def test_the_compiled_network_is_recorded_and_prediction_compiles_nothing(
    toy_root, recorded, on_gpu
):
    compiled = []

    def backend(graph, inputs):
        compiled.append(graph)
        return graph.forward

    config = toy_model_config(toy_root, train_cfg=dict(detected_keypoint_prob=1.0))
    plain = MODELS.build(config).train()
    config.update(cuda_graph=True, compile=dict(backend=backend, fullgraph=True))
    model = MODELS.build(config).train()
    model.load_state_dict(plain.state_dict())
    inputs = toy_inputs(2, 12)
    found, expected = [], []
    for losses, one in ((found, model), (expected, plain)):
        for _ in range(2):
            torch.manual_seed(0)
            losses.append(one(inputs, toy_samples(inputs), mode='loss'))
            sum(losses[-1].values()).backward()
    assert len(recorded) == 1 and len(compiled) == 2  # Backbone and head, in the first step.
    for one, other in zip(found, expected):
        for name, value in other.items():
            torch.testing.assert_close(one[name], value)
    for length in (12, 9, 70):
        inputs = toy_inputs(1, length)
        results = [one.eval()(inputs, None, mode='predict') for one in (model, plain)]
        first, second = (result[0].pred_instances.body_pose for result in results)
        torch.testing.assert_close(first, second)
    assert len(compiled) == 2
    inputs = toy_inputs(2, 12)
    model.train()(inputs, toy_samples(inputs), mode='loss')
    assert len(compiled) == 2
