"""Two gloo ranks train as one process does on the batch of both, adaptation included."""

import copy
from types import SimpleNamespace

import pytest
import torch
import torch.distributed as dist
from mmengine.dist import get_dist_info

from gvhmr_da_mm.datasets import AlternatingMultiSourceSampler, SourceRange
from gvhmr_da_mm.engine import AdaptationOptimWrapperConstructor, ReplicatedDataParallel
from gvhmr_da_mm.registry import MODELS
from tests.testing import free_port, run_ranks, toy_adaptation_config, toy_batch, toy_model_config

CLIPS, FRAMES = 4, 16
DOMAINS = ('synthetic', 'real', 'synthetic', 'real', 'real', 'synthetic')
# Ranks have different numbers of valid frames, detections and kept pseudo-labels.
LENGTHS = [16, 5, 12, 16]
SCENARIOS = {
    'float32': dict(
        dtype=torch.float32,
        # A clip is trusted if anything of it was detected. Single precision could order scores of
        # the discriminator, which lie close together, in one way here and in another there.
        threshold=1e-3,
        confidence=dict(type='CombinedConfidence', weights=dict(reprojection=1.0)),
        student=dict(optimizer=dict(type='SGD', lr=1e-4)),
        loss=dict(type='GVHMRLoss'),
    ),
    'float64': dict(
        dtype=torch.float64,
        threshold=0.8,
        confidence=dict(
            type='CombinedConfidence', weights=dict(discriminator=1.0), mean='arithmetic'
        ),
        student=dict(
            optimizer=dict(type='AdamW', lr=1e-3),
            clip_grad=dict(max_norm=0.5),
            accumulative_counts=2,
        ),
        loss=dict(type='GVHMRLoss', normalize_by_valid=True),
    ),
}


def build(data_root, scenario):
    """Return a model in which nothing is random, and its optimisers."""
    torch.manual_seed(3)
    estimator = toy_model_config(
        data_root,
        num_layers=1,
        train_cfg=dict(condition_dropout=0.0, detected_keypoint_prob=1.0),
        loss=scenario['loss'],
    )
    config = toy_adaptation_config(
        data_root,
        estimator,
        pseudo_labeler=dict(
            views=[dict(type='HorizontalFlip')],
            threshold=scenario['threshold'],
            confidence=scenario['confidence'],
            refiner=dict(type='KeypointRefiner', steps=3),
        ),
        critic=dict(
            discriminator=dict(
                type='MotionDiscriminator',
                hidden_size=16,
                attention_size=8,
                dropout=0.0,
                frame_stride=1,
            ),
            calibrator=dict(
                type='ConfidenceCalibrator', mode='quantile', size=32, min_scores=CLIPS
            ),
            queue=dict(type='MotionQueue', size=8, max_len=FRAMES),
        ),
        losses=dict(
            pseudo=dict(type='PseudoLabelLoss', world=True, loss_weight=1.0),
            reprojection=dict(type='ReprojectionLoss', loss_weight=10.0),
            contact=dict(type='ContactConsistencyLoss', probability=0.3, loss_weight=1.0),
        ),
    )
    model = MODELS.build(config).to(scenario['dtype'])
    # The embeddings of the conditions start at zero: let all of them count.
    for parameter in model.student.parameters():
        parameter.data.add_(0.02 * torch.randn_like(parameter))
    model.teacher.load_state_dict(model.student.state_dict())
    model.critic.queue.sample = lambda num: newest(model.critic.queue, num)
    model.train()
    parts = dict(model=scenario['student'], discriminator=dict(optimizer=dict(type='SGD', lr=1e-2)))
    return model, AdaptationOptimWrapperConstructor(copy.deepcopy(parts))(model)


def newest(queue, num):
    """Return this rank's part of the newest clips instead of drawing some."""
    rank, world_size = get_dist_info()
    total = num * world_size
    slots = int(queue.num_pushed) - total + torch.arange(rank * num, (rank + 1) * num)
    slots = slots % len(queue.body_pose)
    return queue.body_pose[slots], queue.valid[slots]


def batches(dtype):
    """Return the batches of this rank."""
    rank, world_size = get_dist_info()
    part = slice(rank * CLIPS // world_size, (rank + 1) * CLIPS // world_size)
    for seed, domain in enumerate(DOMAINS):
        batch = toy_batch(domain, CLIPS, FRAMES, lengths=LENGTHS, seed=seed, dtype=dtype)
        if domain == 'real':
            batch['inputs']['kp2d'][0][:, 5:, 2] = 0.0
            batch['inputs']['kp2d'][3][4:, :, 2] = 0.0
            batch['inputs']['kp2d'][2][:, :, 2] *= seed % 2
        inputs = {name: values[part] for name, values in batch['inputs'].items()}
        yield dict(inputs=inputs, data_samples=batch['data_samples'][part])


def train(data_root, name):
    """Train, and return gradients, log values and all states."""
    scenario = SCENARIOS[name]
    model, wrapper = build(data_root, scenario)
    gradients = []
    for part in wrapper.values():
        part.optimizer.register_step_pre_hook(
            lambda optimizer, *_: gradients.append(
                [p.grad.clone() for g in optimizer.param_groups for p in g['params']
                 if p.grad is not None]
            )
        )  # fmt: skip
    run = ReplicatedDataParallel(model)
    wrapper.initialize_count_status(model, 0, len(DOMAINS))
    logs = []
    for batch in batches(scenario['dtype']):
        logs.append(run.train_step(batch, wrapper))
        model.update_teacher(0.1)
    return dict(gradients=gradients, logs=logs, state=model.state_dict())


class Sources:
    """What the sampler needs of a dataset: 30 synthetic clips, 20 and 7 real ones."""

    sources = dict(
        synthetic=[SourceRange('a', 0, 30, None)],
        real=[SourceRange('b', 30, 50, None), SourceRange('c', 50, 57, None)],
    )

    def __len__(self):
        return 57


def schedule(batch_size):
    """Return the domain and the clips of each step of two epochs, on this rank."""
    inner = SimpleNamespace(dataset=Sources(), seed=5, epoch=0, shuffle=True)
    sampler = AlternatingMultiSourceSampler(inner, batch_size, alternating_ratio=2.0)
    places = [(epoch, step) for epoch in range(2) for step in range(len(sampler))]
    return [(sampler.domain(*place), sampler.batch(*place)) for place in places]


def train_rank(rank, port, data_root, folder):
    torch.set_num_threads(1)
    dist.init_process_group('gloo', init_method=f'tcp://127.0.0.1:{port}', rank=rank, world_size=2)
    results = {name: train(data_root, name) for name in SCENARIOS}
    torch.save(dict(results, schedule=schedule(batch_size=2)), f'{folder}/{rank}.pth')
    dist.destroy_process_group()


@pytest.fixture(scope='module')
def ranks(toy_root, tmp_path_factory):
    """Return what each of two ranks has got, for each scenario."""
    folder = tmp_path_factory.mktemp('ranks')
    run_ranks(train_rank, free_port(), toy_root, str(folder))
    return [torch.load(folder / f'{rank}.pth', weights_only=False) for rank in range(2)]


@pytest.fixture(scope='module', params=SCENARIOS)
def runs(request, toy_root, ranks):
    """Return the tolerance, the run of one process and those of two ranks."""
    # Adam's first steps of the refiner are the signs of gradients, which enlarges rounding.
    tolerance = 2e-3 if request.param == 'float32' else 1e-9
    return tolerance, train(toy_root, request.param), [rank[request.param] for rank in ranks]


def largest(tensors):
    return max(tensor.abs().max().item() for tensor in tensors)


def test_ranks_share_the_domain_and_the_clips_of_each_batch(ranks):
    first, second = (rank['schedule'] for rank in ranks)
    alone = schedule(batch_size=4)
    assert len(first) == len(second) == len(alone)
    assert {domain for domain, _ in alone} == {'synthetic', 'real'}
    for (domain, ours), (same_domain, theirs), (expected, whole) in zip(first, second, alone):
        assert domain == same_domain == expected
        assert ours + theirs == whole


def test_gradients_are_those_of_the_whole_batch(runs):
    tolerance, alone, (first, _) = runs
    assert len(first['gradients']) == len(alone['gradients']) > len(DOMAINS) // 2
    for ours, whole in zip(first['gradients'], alone['gradients']):
        assert len(ours) == len(whole)
        scale = largest(whole)
        assert scale > 0
        assert largest(a - b for a, b in zip(ours, whole)) < tolerance * scale


def test_weights_teacher_queue_and_calibrator_too(runs):
    tolerance, alone, (first, second) = runs
    assert first['state'].keys() == alone['state'].keys()
    for name, value in alone['state'].items():
        assert torch.equal(first['state'][name], second['state'][name]), name
        assert torch.allclose(first['state'][name].double(), value.double(), atol=tolerance), name
    assert alone['state']['critic.calibrator.num_seen'] == CLIPS * DOMAINS.count('real')
    assert alone['state']['critic.queue.num_pushed'] == CLIPS * DOMAINS.count('synthetic')


def test_all_ranks_log_the_means_over_all_clips(runs):
    tolerance, alone, (first, second) = runs
    chosen = []
    for ours, others, whole in zip(first['logs'], second['logs'], alone['logs']):
        assert ours.keys() == others.keys() == whole.keys()
        for name, value in whole.items():
            assert ours[name] == others[name], name
            # Log values are exchanged in single precision.
            wanted = pytest.approx(float(value), rel=max(tolerance, 1e-5), abs=1e-6)
            assert float(ours[name]) == wanted, name
        chosen.append(float(whole.get('selection_rate', 0)))
    assert any(0 < rate < 1 for rate in chosen), chosen
