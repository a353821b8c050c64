import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gvhmr_da_mm.core.alignment import (
    align_chunk,
    apply_similarity,
    procrustes,
    similarity_align,
)
from gvhmr_da_mm.core.errors import ShapeError


def random_similarity(generator, *batch):
    """Return a scale in [0.5, 2], a proper rotation and a shift."""
    Q = torch.linalg.qr(torch.randn((*batch, 3, 3), generator=generator, dtype=torch.float64))[0]
    R = Q * torch.linalg.det(Q)[..., None, None]
    s = 2 ** (2 * torch.rand(batch, generator=generator, dtype=torch.float64) - 1)
    return s, R, torch.randn((*batch, 3), generator=generator, dtype=torch.float64)


def random_points(generator, *shape):
    return torch.randn(*shape, 3, generator=generator, dtype=torch.float64)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31), num_points=st.integers(4, 30))
def test_recovers_a_similarity(seed, num_points):
    generator = torch.Generator().manual_seed(seed)
    source = random_points(generator, 2, 3, num_points)
    expected = random_similarity(generator, 2, 3)
    found = similarity_align(source, apply_similarity(source, *expected))
    for got, want in zip(found, expected):
        torch.testing.assert_close(got, want, rtol=1e-8, atol=1e-8)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31), scale=st.booleans())
def test_no_small_change_improves_the_fit(seed, scale):
    generator = torch.Generator().manual_seed(seed)
    source, target = random_points(generator, 12), random_points(generator, 12)
    s, R, t = similarity_align(source, target, scale)
    best = (apply_similarity(source, s, R, t) - target).square().sum()
    for _ in range(10):
        axis = 1e-3 * torch.randn(3, generator=generator, dtype=torch.float64)
        x, y, z = axis.tolist()
        skew = torch.tensor([[0, -z, y], [z, 0, -x], [-y, x, 0]], dtype=torch.float64)
        changed = apply_similarity(source, s, torch.linalg.matrix_exp(skew) @ R, t + axis.flip(0))
        assert (changed - target).square().sum() >= best


def test_a_mirrored_target_is_met_by_a_rotation_not_a_reflection():
    generator = torch.Generator().manual_seed(0)
    source = random_points(generator, 5, 20)
    _, R, _ = similarity_align(source, source * torch.tensor([-1.0, 1, 1]))
    torch.testing.assert_close(torch.linalg.det(R), torch.ones(5, dtype=R.dtype))


@pytest.mark.parametrize('direction', [(1.0, 0, 0), (0.3, 0.5, -0.2)])
def test_points_on_a_line_are_aligned_exactly(direction):
    line = torch.linspace(0, 1, 7).double()[:, None] * torch.tensor(direction).double()
    turned = line.roll(1, dims=-1) + 2
    torch.testing.assert_close(procrustes(line, turned), turned)


def test_coincident_points_keep_scale_one():
    source = torch.ones(4, 3)
    target = torch.full((4, 3), 3.0)
    s, _, _ = similarity_align(source, target)
    assert s == 1
    torch.testing.assert_close(procrustes(source, target), target)


def test_weights_choose_the_points_that_are_fitted():
    generator = torch.Generator().manual_seed(0)
    source, target = random_points(generator, 10), random_points(generator, 10)
    weights = (torch.arange(10) < 6).double()
    chosen = similarity_align(source[:6], target[:6])
    for got, want in zip(similarity_align(source, target, weights=weights), chosen):
        torch.testing.assert_close(got, want)


def test_batch_equals_loop():
    generator = torch.Generator().manual_seed(0)
    source, target = random_points(generator, 3, 4, 9), random_points(generator, 3, 4, 9)
    looped = torch.stack(
        [torch.stack([procrustes(s, t) for s, t in zip(*rows)]) for rows in zip(source, target)]
    )
    torch.testing.assert_close(procrustes(source, target), looped)


@pytest.mark.parametrize(
    'source, target', [((4, 3), (5, 3)), ((4, 2), (4, 2)), ((0, 3), (0, 3)), ((2, 4, 3), (4, 3))]
)
def test_shapes_are_checked(source, target):
    with pytest.raises(ShapeError, match=r'`(source|target)`'):
        similarity_align(torch.zeros(source), torch.zeros(target))


@pytest.mark.goldens
@pytest.mark.parametrize('dtype, tolerance', [(torch.float64, 1e-8), (torch.float32, 1e-4)])
def test_goldens(goldens, dtype, tolerance):
    files = sorted(goldens.glob('09_metrics*.npz'))
    assert files, f'no 09_metrics*.npz in {goldens}'
    for file in files:
        data = {k: torch.from_numpy(np.asarray(v)) for k, v in np.load(file).items()}

        def check(name, got, data=data, file=file):
            want = data[f'out_{name}']
            torch.testing.assert_close(
                got.double(),
                want.view(got.shape),
                rtol=tolerance,
                atol=tolerance,
                msg=lambda text: f'{file.name} {name}: {text}',
            )

        pred, target = (data[f'in_{who}_j3d'].to(dtype) for who in ('pred', 'target'))
        check('procrustes_pred_aligned', procrustes(pred, target))
        pred, target = (data[f'in_glob_{who}_j3d'].to(dtype) for who in ('pred', 'target'))
        for name, part in zip(('s', 'R', 't'), similarity_align(pred[:1], target[:1])):
            check(f'align_{name}', part)
        _, R, t = similarity_align(pred[:1], target[:1], scale=False)
        check('align_fixed_R', R)
        check('align_fixed_t', t)
        for name, num_fitted in (('first_align', 2), ('global_align', None)):
            frames = len(data[f'out_{name}'])
            weights = torch.zeros(frames)
            weights[:num_fitted] = 1
            check(name, align_chunk(pred[:frames], target[:frames], frame_weights=weights))
