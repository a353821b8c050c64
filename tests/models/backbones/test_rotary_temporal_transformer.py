"""The network against the published one, and errors of the published one."""

import pytest
import torch

from gvhmr_da_mm.core.errors import ConfigError, ShapeError
from gvhmr_da_mm.models.backbones import RotaryTemporalTransformer
from gvhmr_da_mm.models.checkpoint_keys import published_to_ours
from gvhmr_da_mm.models.heads import MotionHead
from gvhmr_da_mm.registry import MODELS
from tests.golden_cases import GoldenCase, cases


def _tiny(max_len=6, randomize=True, **kwargs):
    """Build a small eval-mode backbone in which every path matters."""
    config = dict(latent_dim=16, num_layers=2, num_heads=2, max_len=max_len, imgseq_dim=8)
    model = RotaryTemporalTransformer(**{**config, **kwargs}).double().eval()
    if randomize:
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=0.3)
    return model


def _inputs(batch, frames, imgseq_dim=8):
    shapes = dict(obs=(17, 3), f_cliffcam=(3,), f_cam_angvel=(6,), f_imgseq=(imgseq_dim,))
    return {
        name: torch.randn(batch, frames, *shape, dtype=torch.float64)
        for name, shape in shapes.items()
    }


@pytest.mark.goldens
@pytest.mark.parametrize('dtype', [torch.float64, torch.float32])
def test_goldens(goldens, dtype):
    state = GoldenCase(goldens / '01_network_state.npz')
    weights = {name: torch.from_numpy(state.raw(f'state/{name}')) for name in state.names('state/')}
    for case in cases(goldens, '01_network_*.npz', dtype):
        if case.path == state.path:
            continue
        sizes = {name: case.param(name) for name in ('latent_dim', 'num_layers', 'num_heads')}
        avg_betas = bool(case.param('avgbeta')) if 'param_avgbeta' in case else True
        backbone = RotaryTemporalTransformer(**sizes, max_len=case.param('max_len'))
        head = MotionHead(sizes['latent_dim'], avg_betas=avg_betas)
        model = torch.nn.ModuleDict(dict(backbone=backbone, head=head))
        model.load_state_dict(published_to_ours(weights))
        model.to(dtype).eval()
        length = case.input('length')
        with torch.no_grad():
            context = backbone(
                case.input('obs'),
                length,
                *(case.input(name) for name in ('f_cliffcam', 'f_cam_angvel', 'f_imgseq')),
            )
            outputs = head(context, length)
        for name, output in dict(pred_context=context, **outputs).items():
            case.check(name, output)


def test_registered_and_starts_without_effect():
    model = MODELS.build(
        dict(type='RotaryTemporalTransformer', latent_dim=16, num_layers=2, num_heads=2)
    ).eval()
    inputs = {name: value.float() for name, value in _inputs(2, 5, 1024).items()}
    token = model.keypoint_embedding(inputs['obs'])
    torch.testing.assert_close(model(length=None, **inputs), token)


def test_dropout_only_in_training():
    model = _tiny(dropout=0.5)
    inputs = _inputs(1, 5)
    torch.testing.assert_close(model(length=None, **inputs), model(length=None, **inputs))
    model.train()
    assert not torch.equal(model(length=None, **inputs), model(length=None, **inputs))


@pytest.mark.parametrize('frames, max_len', [(5, 6), (6, 6), (1, 6), (7, 6), (26, 6), (23, 7)])
def test_padding_never_changes_valid_rows(frames, max_len):
    model = _tiny(max_len)
    inputs = _inputs(3, frames)
    length = torch.tensor([frames, max(frames // 2, 1), 1])
    expected = model(length=length, **inputs)
    garbage = torch.arange(frames) >= length[:, None]
    changed = {}
    for name, value in inputs.items():
        mask = garbage.reshape(*garbage.shape, *[1] * (value.ndim - 2))
        changed[name] = value.masked_fill(mask, 1e3)
    result = model(length=length, **changed)
    assert result.isfinite().all()
    torch.testing.assert_close(result[~garbage], expected[~garbage])


@pytest.mark.parametrize('frames', [1, 5, 6])
def test_short_clip_is_the_same_alone_and_padded(frames):
    model = _tiny(max_len=6)
    inputs = _inputs(1, 6)
    padded = model(length=torch.tensor([frames]), **inputs)
    alone = model(length=None, **{name: value[:, :frames] for name, value in inputs.items()})
    torch.testing.assert_close(padded[:, :frames], alone)


@pytest.mark.parametrize('frames, length', [(7, 7), (26, 26), (26, 21)])
def test_no_length_means_all_valid_and_context_is_local(frames, length):
    model = _tiny(max_len=6, num_layers=1)
    inputs = _inputs(1, frames)
    if frames == length:
        torch.testing.assert_close(
            model(length=None, **inputs), model(length=torch.tensor([length]), **inputs)
        )
    inputs['f_cliffcam'].requires_grad_(True)
    row = frames // 2
    model(length=torch.tensor([length]), **inputs)[0, row].sum().backward()
    seen = inputs['f_cliffcam'].grad[0].abs().sum(-1).nonzero()[:, 0].tolist()
    first = min(frames - 6, max(0, row - 3))
    assert seen == list(range(first, min(max(6, min(frames, row + 3)), length)))


def test_rows_whose_band_is_padding_stay_finite():
    model = _tiny(max_len=6)
    inputs = _inputs(4, 26)
    inputs['f_imgseq'].requires_grad_(True)
    # The band of the last rows is [20, 26): nothing of these samples lies in it.
    result = model(length=torch.tensor([26, 20, 5, 0]), **inputs)
    assert result.isfinite().all()
    result.sum().backward()
    assert inputs['f_imgseq'].grad.isfinite().all()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


def test_shift_in_time_does_not_matter():
    """Rotary positions are relative: repeating a clip's frames elsewhere gives the same context."""
    model = _tiny(max_len=8, num_layers=1)
    inputs = _inputs(1, 40)
    later = {name: value.roll(5, dims=1) for name, value in inputs.items()}
    first, second = (model(length=None, **batch) for batch in (inputs, later))
    torch.testing.assert_close(first[:, 10:20], second[:, 15:25])


def test_invisible_joints_cannot_leak():
    model = _tiny()
    inputs = _inputs(1, 5)
    inputs['obs'][..., 2] = 0.5  # not above one half
    expected = model(length=None, **inputs)
    inputs['obs'][..., :2] = float('nan')
    inputs['obs'].requires_grad_(True)
    result = model(length=None, **inputs)
    torch.testing.assert_close(result, expected)
    result.sum().backward()
    assert (inputs['obs'].grad == 0).all()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


@pytest.mark.parametrize('max_len, layers', [(6, 1), (6, 3), (7, 2)])
def test_a_long_video_is_encoded_in_windows_as_in_one_piece(max_len, layers, monkeypatch):
    model = _tiny(max_len, num_layers=layers)
    pieces = []
    encode = model._encode
    monkeypatch.setattr(
        model, '_encode', lambda x, length: (pieces.append(x[0].shape[1]), encode(x, length))[1]
    )
    for frames in (10 * model.reach, 10 * model.reach + 1, 16 * model.reach + 1):
        inputs = _inputs(3, frames)
        for length in (None, torch.tensor([frames, frames - 2, 5])):
            expected = model(length=length, **inputs)
            assert pieces == [frames]
            pieces.clear()
            with torch.no_grad():
                result = model(length=length, **inputs)
            assert max(pieces) <= 10 * model.reach and result.isfinite().all()
            pieces.clear()
            ends = torch.full((3,), frames) if length is None else length
            valid = torch.arange(frames) < ends[:, None]
            torch.testing.assert_close(result[valid], expected[valid].detach())


def test_frames_beyond_its_reach_do_not_matter_to_a_frame():
    model = _tiny(max_len=6, num_layers=3)
    inputs = _inputs(1, 40)
    inputs['obs'].requires_grad_()
    for frame in (0, 20, 39):
        (gradient,) = torch.autograd.grad(
            model(length=None, **inputs)[0, frame].sum(), inputs['obs']
        )
        seen = gradient[0].flatten(1).any(dim=1).nonzero()[:, 0]
        assert (seen - frame).abs().max() < model.reach
    assert 39 - seen.min() == model.reach - 1


def test_autocast_and_half_precision():
    model = _tiny().float()
    inputs = {name: value.float() for name, value in _inputs(1, 9).items()}
    expected = model(length=None, **inputs)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        mixed = model(length=None, **inputs)
    half = model.bfloat16()(length=None, **{k: v.bfloat16() for k, v in inputs.items()})
    assert half.dtype == torch.bfloat16
    for result in (mixed, half):
        assert (result.float() - expected).abs().mean() < 0.05 * expected.abs().mean()


@pytest.mark.parametrize('name', ['obs', 'f_cliffcam', 'f_cam_angvel', 'f_imgseq', 'length'])
def test_shape_errors_name_the_input(name):
    inputs = dict(length=torch.tensor([5, 5]), **_inputs(2, 5))
    inputs[name] = inputs[name][:1]
    with pytest.raises(ShapeError, match='obs|f_cliffcam' if name == 'obs' else name):
        _tiny()(**inputs)


@pytest.mark.parametrize('config', [dict(max_len=1), dict(latent_dim=15, num_heads=3)])
def test_impossible_sizes(config):
    with pytest.raises(ConfigError, match='max_len|num_heads'):
        RotaryTemporalTransformer(**{**dict(latent_dim=16, num_layers=1, num_heads=2), **config})
