"""Published checkpoint files to ours and back: exact, equal in what they compute, safe."""

import io
import os

import numpy as np
import pytest
import torch
from mmengine.runner.checkpoint import _load_checkpoint_to_model
from rich.console import Console

from gvhmr_da_mm.apis.convert_checkpoint import convert_checkpoint
from gvhmr_da_mm.core.errors import CheckpointError, ConfigError, DataError, MissingFilesError
from gvhmr_da_mm.models.checkpoint_keys import PUBLISHED_PREFIX
from gvhmr_da_mm.models.checkpoint_reading import read_checkpoint
from gvhmr_da_mm.registry import MODELS
from tests.codecs.test_published_statistics import composed
from tests.codecs.test_published_statistics import write as write_checkout
from tests.golden_cases import GoldenCase, cases
from tests.golden_models import STATISTICS, golden_model
from tests.testing import toy_adaptation_config, toy_model_config


def convert(*args, **kwargs):
    """Convert, and return what was printed."""
    output = io.StringIO()
    convert_checkpoint(*args, console=Console(file=output, width=200), **kwargs)
    return output.getvalue()


def assert_same(state, other):
    assert set(state) == set(other)
    for name, value in state.items():
        assert torch.equal(value, other[name]) and value.dtype == other[name].dtype, name


@pytest.fixture
def plain(toy_root):
    rng = np.random.default_rng(0)
    statistics = dict(mean=rng.normal(size=151), std=rng.uniform(0.1, 1, 151))
    model = MODELS.build(toy_model_config(toy_root, statistics=statistics))
    for parameter in model.parameters():
        parameter.data.normal_()
    return model


@pytest.fixture
def published(plain, tmp_path):
    """A published checkpoint file with the entries of Lightning, and the statistics beside it."""
    ours = tmp_path / 'ours.pth'
    torch.save(dict(state_dict=plain.state_dict()), ours)
    convert(ours, tmp_path / 'plain.ckpt', reverse=True)
    path = tmp_path / 'published.ckpt'
    content = torch.load(tmp_path / 'plain.ckpt')
    entries = {'epoch': 4, 'global_step': 9, 'pytorch-lightning_version': '2.3.0', 'loops': {}}
    torch.save({**entries, **content}, path)
    return path, tmp_path / 'plain.statistics.npz'


def test_round_trip_is_exact(plain, published, tmp_path):
    source, statistics = published
    printed = convert(source, tmp_path / 'a.pth', statistics)
    assert 'latent_dim=32, num_layers=2, mlp_ratio=4' in printed
    assert 'blocks.*.attn.query' in printed and 'backbone.blocks.*.attn.query' in printed
    assert_same(torch.load(tmp_path / 'a.pth')['state_dict'], plain.state_dict())
    convert(tmp_path / 'a.pth', tmp_path / 'b.ckpt', tmp_path / 'b.npz', reverse=True)
    first, second = torch.load(source), torch.load(tmp_path / 'b.ckpt')
    assert_same(first.pop('state_dict'), second.pop('state_dict'))
    del first['loops']
    assert first == second
    for name in ('mean', 'std'):
        assert np.array_equal(np.load(statistics)[name], np.load(tmp_path / 'b.npz')[name])


def test_precision_of_the_weights_is_kept(published, tmp_path):
    source, statistics = published
    content = torch.load(source)
    weights = content['state_dict']
    for index, name in enumerate(weights):
        weights[name] = weights[name].to((torch.float16, torch.bfloat16, torch.float64)[index % 3])
    torch.save(content, tmp_path / 'half.ckpt')
    convert(tmp_path / 'half.ckpt', tmp_path / 'a.pth', statistics)
    convert(tmp_path / 'a.pth', tmp_path / 'b.ckpt', reverse=True)
    assert_same(torch.load(tmp_path / 'b.ckpt')['state_dict'], weights)


def test_both_forms_load_alike(plain, published, toy_root, tmp_path):
    source, statistics = published
    convert(source, tmp_path / 'a.pth', statistics)
    for path in (source, tmp_path / 'a.pth'):
        estimator = toy_model_config(toy_root, statistics=str(statistics))
        for config in (estimator, toy_adaptation_config(toy_root, estimator=estimator)):
            model = MODELS.build(config)
            _load_checkpoint_to_model(model, torch.load(path))
            loaded = model if config is estimator else model.student
            assert_same(loaded.state_dict(), plain.state_dict())


def test_an_adapted_model_gives_its_student(toy_root, tmp_path):
    model = MODELS.build(toy_adaptation_config(toy_root))
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'adapted.pth')
    convert(tmp_path / 'adapted.pth', tmp_path / 'a.ckpt', reverse=True)
    convert(tmp_path / 'a.ckpt', tmp_path / 'b.pth', tmp_path / 'a.statistics.npz')
    assert_same(torch.load(tmp_path / 'b.pth')['state_dict'], model.student.state_dict())


def test_a_fitted_alignment_cannot_be_exported(toy_root, tmp_path):
    """Earlier versions could fit one."""
    weights = MODELS.build(toy_model_config(toy_root)).state_dict()
    for fitted in (False, True):
        weights['feature_alignment.fitted'] = torch.tensor(fitted)
        torch.save(dict(state_dict=weights), tmp_path / f'{fitted}.pth')
    convert(tmp_path / 'False.pth', tmp_path / 'a.ckpt', reverse=True)
    with pytest.raises(CheckpointError, match='fitted `feature_alignment`.*train anew'):
        convert(tmp_path / 'True.pth', tmp_path / 'b.ckpt', reverse=True)
    assert not (tmp_path / 'b.ckpt').exists()


@pytest.mark.goldens
@pytest.mark.parametrize('from_checkout', [False, True])
def test_converted_weights_give_the_golden_outputs(goldens, tmp_path, from_checkout):
    (state,) = cases(goldens, '01_network_state.npz')
    weights = {name: torch.from_numpy(state.raw(f'state/{name}')) for name in state.names('state/')}
    torch.save({'epoch': 1, 'state_dict': weights}, tmp_path / 'release.ckpt')
    record = GoldenCase(goldens / STATISTICS)
    mean, std = (record.raw(f'param_{name}') for name in ('mean', 'std'))
    if from_checkout:
        repository = write_checkout(tmp_path / 'GVHMR', composed(mean, std))
        convert(tmp_path / 'release.ckpt', tmp_path / 'a.pth', repository=repository)
    else:
        np.savez(tmp_path / 'stats.npz', mean=mean, std=std)
        convert(tmp_path / 'release.ckpt', tmp_path / 'a.pth', tmp_path / 'stats.npz')
    model = golden_model(goldens, torch.float64)
    for parameter in model.parameters():
        parameter.data.zero_()
    model.motion_codec.set_statistics(torch.zeros(151), torch.ones(151))
    _load_checkpoint_to_model(model, torch.load(tmp_path / 'a.pth'))
    assert np.array_equal(model.motion_codec.mean.numpy(), np.asarray(mean, np.float64))
    for case in cases(goldens, '01_network_*.npz'):
        own_size = 'param_max_len' in case and case.param('max_len') == model.backbone.max_len
        average = bool(case.param('avgbeta')) if 'param_avgbeta' in case else True
        if case.path == state.path or not own_size:
            continue
        model.head.avg_betas = average
        conditions = (case.input(n) for n in ('f_cliffcam', 'f_cam_angvel', 'f_imgseq'))
        with torch.no_grad():
            context = model.backbone(case.input('obs'), case.input('length'), *conditions)
            outputs = model.head(context, case.input('length'))
        for name, output in dict(pred_context=context, **outputs).items():
            case.check(name, output)
    convert(tmp_path / 'a.pth', tmp_path / 'back.ckpt', reverse=True)
    assert_same(torch.load(tmp_path / 'back.ckpt')['state_dict'], weights)


# What users do wrong


def test_statistics_are_asked_for(published, tmp_path):
    source, statistics = published
    for given, options in (('neither', {}), ('both', dict(repository=tmp_path))):
        path = statistics if options else None
        with pytest.raises(ConfigError, match=f'--stats FILE.npz.*--gvhmr-repo DIR.*{given}'):
            convert(source, tmp_path / 'a.pth', path, **options)
    with pytest.raises(MissingFilesError, match='none.npz'):
        convert(source, tmp_path / 'a.pth', tmp_path / 'none.npz')
    np.savez(tmp_path / 'half.npz', mean=np.zeros(151))
    with pytest.raises(DataError, match=r"half.npz.*\['std'\] missing"):
        convert(source, tmp_path / 'a.pth', tmp_path / 'half.npz')
    assert not (tmp_path / 'a.pth').exists()


def test_all_differences_are_shown(published, tmp_path):
    source, statistics = published
    content = torch.load(source)
    weights = content['state_dict']
    del weights[f'{PUBLISHED_PREFIX}blocks.1.gate_msa']
    weights[f'{PUBLISHED_PREFIX}final_layer.fc2.bias'] = torch.zeros(150)
    weights['pipeline.other'] = torch.zeros(2, 3)
    torch.save(content, source)
    output = io.StringIO()
    with pytest.raises(CheckpointError, match='not those of the GVHMR network') as error:
        convert_checkpoint(
            source, tmp_path / 'a.pth', statistics, console=Console(file=output, width=200)
        )
    printed = output.getvalue()
    for text in (
        'gate_msa',
        'missing, expected',
        '[150], expected [151]',
        '[2, 3], expected no such tensor',
    ):
        assert text in printed
    for text in (
        'missing: pipeline.denoiser3d.blocks.1.gate_msa',
        'final_layer.fc2.bias: expected (151,), got (150,)',
        'unknown: pipeline.other',
    ):
        assert text in str(error.value)
    assert not (tmp_path / 'a.pth').exists()


def test_the_wrong_direction_is_named(published, tmp_path):
    source, statistics = published
    with pytest.raises(CheckpointError, match='leave `--reverse` out'):
        convert(source, tmp_path / 'a.ckpt', reverse=True)
    convert(source, tmp_path / 'ours.2.pth', statistics)
    with pytest.raises(CheckpointError, match='add `--reverse`'):
        convert(tmp_path / 'ours.2.pth', tmp_path / 'b.pth', statistics)
    with pytest.raises(ConfigError, match='`--gvhmr-repo` is not used with `--reverse`'):
        convert(tmp_path / 'ours.2.pth', tmp_path / 'b.pth', repository='x', reverse=True)


@pytest.mark.parametrize('reverse', [False, True])
def test_another_model_is_named(tmp_path, reverse):
    torch.save(dict(state_dict={'layer.weight': torch.zeros(2)}), tmp_path / 'other.ckpt')
    with pytest.raises(CheckpointError, match='layer.weight'):
        convert(tmp_path / 'other.ckpt', tmp_path / 'a.pth', tmp_path / 's.npz', reverse=reverse)


def test_nothing_is_overwritten(published, tmp_path):
    source, statistics = published
    before = source.read_bytes()
    with pytest.raises(ConfigError, match='exists already'):
        convert(source, source, statistics)
    convert(source, tmp_path / 'a.pth', statistics)
    with pytest.raises(ConfigError, match='exists already'):
        convert(tmp_path / 'a.pth', tmp_path / 'c.ckpt', statistics, reverse=True)
    assert source.read_bytes() == before and not (tmp_path / 'c.ckpt').exists()


def test_a_failed_write_leaves_nothing(published, tmp_path, monkeypatch):
    source, statistics = published
    read_checkpoint(source)

    def full(*_):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'replace', full)
    with pytest.raises(CheckpointError, match='a.pth could not be written.*No space left'):
        convert(source, tmp_path / 'a.pth', statistics)
    assert not list(tmp_path.glob('a.pth*'))
