"""Encoding, decoding and the statistics of the motion vector."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from gvhmr_da_mm.codecs import MotionCodec
from gvhmr_da_mm.core.errors import ConfigError, DataError, MissingFilesError, ShapeError
from gvhmr_da_mm.core.layout import MOTION
from gvhmr_da_mm.core.rotation import axis_angle_to_matrix, matrix_to_axis_angle
from gvhmr_da_mm.registry import CODECS
from tests.golden_cases import cases

NAMES = dict(
    body_pose='body_pose_R',
    betas='betas',
    global_orient='R_c',
    global_orient_gv='R_gv',
    local_transl_vel='velocity',
)


def _clip(*shape):
    """Draw a random clip of (..., L) frames in float64."""
    sizes = dict(body_pose=63, betas=10, global_orient_c=3, global_orient_w=3, transl_w=3)
    clip = {name: torch.randn(*shape, size).double() for name, size in sizes.items()}
    return dict(**clip, R_c2gv=axis_angle_to_matrix(torch.randn(*shape, 3).double()))


@pytest.fixture
def statistics():
    return dict(mean=torch.randn(151).double(), std=torch.rand(151).double() + 0.1)


@pytest.mark.goldens
@pytest.mark.parametrize('dtype', [torch.float64, torch.float32])
def test_goldens(goldens, dtype):
    for case in cases(goldens, '02_endecoder*.npz', dtype):
        codec = MotionCodec(dict(mean=case.raw('param_mean'), std=case.raw('param_std')))
        inputs = ('body_pose', 'betas', 'global_orient_c', 'R_c2gv', 'global_orient_w', 'transl_w')
        x = codec.encode(**{name: case.input(name) for name in inputs})
        assert x.dtype == dtype
        case.check('x_norm', x)
        for prefix, vector in (('roundtrip', x), ('decode', case.input('x_norm_random'))):
            decoded = codec.decode(vector)
            for published, ours in NAMES.items():
                value = getattr(decoded, ours)
                if published in ('betas', 'local_transl_vel'):
                    case.check(f'{prefix}_{published}', value)
                    continue
                vectors = matrix_to_axis_angle(value)
                vectors = vectors.flatten(-2) if published == 'body_pose' else vectors
                case.check_axis_angle(f'{prefix}_{published}', vectors)


@pytest.mark.parametrize('shape', [(1,), (7,), (2, 7), (2, 3, 4)])
def test_decode_inverts_encode(statistics, shape):
    codec, clip = MotionCodec(statistics), _clip(*shape)
    x = codec.encode(**clip)
    assert x.shape == (*shape, MOTION.size)
    decoded = codec.decode(x)
    R_c = axis_angle_to_matrix(clip['global_orient_c'])
    body_pose_R = axis_angle_to_matrix(clip['body_pose'].unflatten(-1, (21, 3)))
    torch.testing.assert_close(decoded.body_pose_R, body_pose_R)
    torch.testing.assert_close(decoded.betas, clip['betas'])
    torch.testing.assert_close(decoded.R_c, R_c)
    torch.testing.assert_close(decoded.R_gv, clip['R_c2gv'] @ R_c)
    torch.testing.assert_close(codec.encode_matrices(**decoded._asdict()), x)


def test_decoding_is_differentiable(statistics):
    codec = MotionCodec(statistics)
    x = torch.randn(2, 151, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: tuple(codec.decode(x)), (x,))


def test_without_statistics_nothing_works(statistics):
    codec = CODECS.build(dict(type='MotionCodec'))
    for use in (lambda: codec.encode(**_clip(3)), lambda: codec.decode(torch.zeros(3, 151))):
        with pytest.raises(ConfigError, match='codec missing statistics.*`motion_codec`'):
            use()
    identity = MotionCodec('identity')
    x = torch.randn(4, 151)
    assert torch.equal(identity.normalize(x), x)


def test_statistics_travel_with_the_state_dict(statistics):
    model = nn.ModuleDict(dict(codec=MotionCodec(statistics))).double()
    fresh = nn.ModuleDict(dict(codec=MotionCodec()))
    fresh.load_state_dict(model.state_dict())
    clip = _clip(5)
    assert torch.equal(fresh['codec'].encode(**clip), model['codec'].encode(**clip))
    assert fresh['codec'].fitted
    # An averaged model copies buffers in place, past `load_state_dict`.
    averaged = MotionCodec()
    for target, source in zip(averaged.buffers(), model.buffers()):
        target.copy_(source)
    assert torch.equal(averaged.encode(**clip), model['codec'].encode(**clip))
    # A checkpoint of an unfitted codec takes the statistics away again.
    fresh.load_state_dict({f'codec.{k}': v for k, v in MotionCodec().state_dict().items()})
    with pytest.raises(ConfigError, match='codec missing statistics'):
        fresh['codec'].encode(**clip)


@pytest.mark.parametrize('suffix', ['npz', 'json'])
def test_statistics_from_files(tmp_path, statistics, suffix):
    path = tmp_path / f'statistics.{suffix}'
    if suffix == 'npz':
        np.savez(path, **{name: value.numpy() for name, value in statistics.items()})
    else:
        path.write_text(json.dumps({name: value.tolist() for name, value in statistics.items()}))
    codec = MotionCodec(str(path))
    assert torch.equal(codec.mean, statistics['mean'])
    assert torch.equal(codec.std, statistics['std'])


def test_unusable_statistics(tmp_path, statistics):
    with pytest.raises(MissingFilesError, match='absent.npz'):
        MotionCodec(tmp_path / 'absent.npz')
    with pytest.raises(ConfigError, match='.npz or a .json'):
        MotionCodec('statistics.txt')
    with pytest.raises(DataError, match="'std'"):
        MotionCodec(dict(mean=statistics['mean']))
    with pytest.raises(ConfigError, match='151 finite'):
        MotionCodec(dict(mean=statistics['mean'][:-1], std=statistics['std']))
    with pytest.raises(ConfigError, match='151 finite'):
        MotionCodec(dict(mean=statistics['mean'] * torch.nan, std=statistics['std']))
    statistics['std'][7] = 0
    with pytest.raises(ConfigError, match='channel 7'):
        MotionCodec(statistics)


def test_fit_is_the_mean_and_deviation_of_all_frames():
    clips = [_clip(2, 9), _clip(4), _clip(1, 6)]
    codec = MotionCodec()
    codec.fit(iter(clips))
    plain = MotionCodec('identity')
    vectors = torch.cat([plain.encode(**clip).reshape(-1, 151) for clip in clips])
    torch.testing.assert_close(codec.mean, vectors.mean(dim=0))
    torch.testing.assert_close(codec.std, vectors.std(dim=0, correction=0))


def test_fit_ignores_padding_and_floors_the_deviation():
    clip = _clip(2, 8)
    clip['betas'] = torch.ones_like(clip['betas'])
    valid = torch.arange(8) < torch.tensor([[8], [5]])
    expected, padded = MotionCodec(), MotionCodec()
    expected.fit([{k: v[b, :n] for k, v in clip.items()} for b, n in ((0, 8), (1, 5))], min_std=0.2)
    assert (expected.std[MOTION.betas] == 0.2).all()

    garbage = {
        name: value.masked_fill(~valid.reshape(2, 8, *[1] * (value.ndim - 2)), torch.nan)
        for name, value in clip.items()
    }
    padded.fit([dict(**garbage, valid=valid)])
    # The last valid frame of each sample has no successor and is left out.
    plain = MotionCodec('identity').encode(**clip)
    vectors = torch.cat((plain[0, :7], plain[1, :4]))
    torch.testing.assert_close(padded.mean, vectors.mean(dim=0))


@pytest.mark.parametrize('clips', [[], [_clip(1)], [dict(**_clip(4), valid=torch.zeros(4))]])
def test_fit_needs_data(clips):
    with pytest.raises(DataError, match='at least 2'):
        MotionCodec().fit(clips)


def test_shapes_are_checked(statistics):
    codec = MotionCodec(statistics)
    with pytest.raises(ShapeError, match='x'):
        codec.decode(torch.zeros(3, 150))
    for name in ('betas', 'R_c2gv', 'transl_w', 'global_orient_c'):
        clip = _clip(5)
        clip[name] = clip[name][1:]
        with pytest.raises(ShapeError, match=name):
            codec.encode(**clip)
