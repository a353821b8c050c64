"""Analytic cases, invariances and errors of the metric functions."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmpose.evaluation.functional import keypoint_mpjpe

from gvhmr_da_mm.core.alignment import apply_similarity
from gvhmr_da_mm.core.errors import ConfigError, ShapeError
from gvhmr_da_mm.evaluation.functional import (
    acceleration_error,
    contact_sliding,
    jitter,
    mpjpe,
    pa_mpjpe,
    pve,
    root_trajectory_error,
    w_mpjpe,
    wa_mpjpe,
)

seeds = st.integers(0, 2**31)


def random_pair(seed, frames=23, joints=7):
    """Return a smooth-ish random motion and a noisy copy of it."""
    generator = torch.Generator().manual_seed(seed)
    target = torch.randn(frames, joints, 3, generator=generator, dtype=torch.float64)
    target = target + torch.randn(frames, 1, 3, generator=generator, dtype=torch.float64).cumsum(0)
    return target + 0.1 * torch.randn(
        frames, joints, 3, generator=generator, dtype=torch.float64
    ), target


def random_similarity(seed, scale=True):
    generator = torch.Generator().manual_seed(seed + 1)
    Q = torch.linalg.qr(torch.randn(3, 3, generator=generator, dtype=torch.float64))[0]
    t = torch.randn(3, generator=generator, dtype=torch.float64)
    s = torch.rand((), generator=generator, dtype=torch.float64) + 0.5
    return s if scale else torch.ones_like(s), Q * torch.linalg.det(Q), t


def assert_close(got, want):
    torch.testing.assert_close(got, want, rtol=1e-7, atol=1e-7)


def test_mpjpe_agrees_with_mmpose():
    pred, target = (joints.numpy() for joints in random_pair(0))
    visible = np.ones(pred.shape[:2], dtype=bool)
    for ours, alignment in ((mpjpe, 'none'), (pa_mpjpe, 'procrustes')):
        theirs = 1000 * keypoint_mpjpe(pred, target, visible, alignment)
        assert ours(pred, target).mean().item() == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_points_in_half_precision_are_compared_in_single(dtype):
    """Nothing is lost but what the points themselves have lost."""
    pred, target = (points.to(dtype) for points in random_pair(3, frames=120))
    exact = pred.double(), target.double()
    for metric in (mpjpe, pa_mpjpe, wa_mpjpe, w_mpjpe, acceleration_error):
        got = metric(pred, target)
        assert got.dtype == torch.float32
        torch.testing.assert_close(got.double(), metric(*exact), rtol=1e-4, atol=0.05)
    feet = contact_sliding(pred, target, threshold=1.0)
    torch.testing.assert_close(feet.double(), contact_sliding(*exact, threshold=1.0))
    root, exact_root = (
        root_trajectory_error(points[0][:, 0], points[1][:, 0])
        for points in ((pred, target), exact)
    )
    torch.testing.assert_close(root.double(), exact_root, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(jitter(pred).double(), jitter(exact[0]), rtol=1e-4, atol=0.05)


def test_mpjpe_of_a_known_shift():
    target = torch.randn(4, 5, 3).double()
    pred = target.clone()
    pred[:, 0] += torch.tensor([0.003, 0.004, 0])
    assert_close(mpjpe(pred, target), torch.ones(4).double())
    assert_close(mpjpe(pred, target, per_joint=True)[0], torch.tensor([5.0, 0, 0, 0, 0]).double())


@settings(max_examples=20, deadline=None)
@given(seed=seeds)
def test_pelvis_alignment_removes_translation(seed):
    pred, target = random_pair(seed)
    shift = torch.randn(len(pred), 1, 3)
    assert_close(mpjpe(pred + shift, target, (1, 2)), mpjpe(pred, target, (1, 2)))
    assert_close(
        pve(pred + shift, target, pred + shift, target, (1, 2)), mpjpe(pred, target, (1, 2))
    )


@settings(max_examples=20, deadline=None)
@given(seed=seeds)
def test_invariances(seed):
    pred, target = random_pair(seed)
    similarity, rigid = random_similarity(seed), random_similarity(seed, scale=False)
    similar, moved = apply_similarity(pred, *similarity), apply_similarity(pred, *rigid)
    assert_close(pa_mpjpe(similar, target), pa_mpjpe(pred, target))
    for error in (wa_mpjpe, w_mpjpe):
        assert_close(error(similar, target, 10), error(pred, target, 10))
    assert_close(
        root_trajectory_error(moved[:, 0], target[:, 0]),
        root_trajectory_error(pred[:, 0], target[:, 0]),
    )
    assert_close(jitter(moved), jitter(pred))
    assert_close(contact_sliding(moved, target, threshold=1.5), contact_sliding(
        pred, target, threshold=1.5
    ))  # fmt: skip


def test_rte_is_not_blind_to_scale():
    _, target = random_pair(0)
    assert root_trajectory_error(2 * target[:, 0], target[:, 0]).mean() > 1


def test_rte_of_a_known_path():
    target = torch.zeros(5, 3).double()
    target[:, 0] = torch.arange(5)
    # Longer by 1 m, centred: off by 0.5, 0.25, 0, 0.25, 0.5 m on 4 m.
    error = root_trajectory_error(target * 1.25, target)
    assert_close(error, torch.tensor([12.5, 6.25, 0, 6.25, 12.5]).double())


def test_rte_of_a_motionless_target():
    pred, target = torch.randn(6, 3), torch.ones(6, 3)
    assert root_trajectory_error(pred, target).isnan().all()
    assert root_trajectory_error(pred, target, compat='published').isinf().all()
    with pytest.raises(ConfigError, match='compat'):
        root_trajectory_error(pred, target, compat='strict')


@pytest.mark.parametrize('frames', [1, 2, 9, 10, 11, 20, 23])
def test_chunks_are_aligned_one_by_one(frames):
    pred, target = random_pair(0, frames)
    for error in (wa_mpjpe, w_mpjpe):
        apart = [error(p, t, 10) for p, t in zip(pred.split(10), target.split(10))]
        assert_close(error(pred, target, 10), torch.cat(apart))


def test_w_mpjpe_grows_with_drift_where_wa_mpjpe_spreads_it():
    _, target = random_pair(0, 50)
    pred = target.clone()
    pred[..., 0] += torch.linspace(0, 1, 50)[:, None]
    error = w_mpjpe(pred, target)
    assert error[:2].max() < 20 < 500 < error[-1]
    assert wa_mpjpe(pred, target).mean() < error.mean()


def test_constant_acceleration_and_jerk():
    time = torch.arange(12).double()[:, None, None] / 30
    direction = torch.tensor([0.6, 0.8, 0]).double().expand(1, 4, 3)
    still = torch.zeros(12, 4, 3).double()
    assert_close(acceleration_error(time**2 * direction, still), torch.full((10,), 2.0).double())
    assert_close(jitter(time**3 * direction), torch.full((9,), 0.6).double())


def test_strict_leaves_out_what_spans_a_gap():
    time = torch.arange(12).double()[:, None, None]
    walk = time * torch.tensor([0.1, 0, 0]).double().expand(1, 2, 3)
    mask = torch.ones(12, dtype=torch.bool)
    mask[5] = False
    still = torch.zeros_like(walk)
    assert acceleration_error(walk, still, mask=mask).max() > 10
    assert jitter(walk, mask=mask).max() > 10
    for got, size in (
        (acceleration_error(walk, still, mask=mask, strict=True), 3 + 4),
        (jitter(walk, mask=mask, strict=True), 2 + 3),
    ):
        assert_close(got, torch.zeros(size).double())
    # Two points, five steps before the gap less one, and five after it.
    assert len(contact_sliding(walk, still, mask=mask)) == 2 * 10
    assert_close(
        contact_sliding(walk, still, mask=mask, strict=True), torch.full((18,), 100.0).double()
    )


def test_strict_ignores_the_content_of_masked_frames():
    pred, target = random_pair(0)
    mask = torch.arange(len(pred)) % 9 != 4
    broken = pred.clone()
    broken[~mask] = float('nan')
    for strict in (False, True):
        assert_close(
            acceleration_error(broken, target, mask=mask, strict=strict),
            acceleration_error(pred, target, mask=mask, strict=strict),
        )


@pytest.mark.parametrize('strict', [False, True])
@pytest.mark.parametrize('frames', [0, 1, 2, 3])
def test_short_sequences_give_what_they_can(frames, strict):
    pred, target = random_pair(0, frames)
    mask = torch.ones(frames, dtype=torch.bool)
    assert len(acceleration_error(pred, target, mask=mask, strict=strict)) == max(frames - 2, 0)
    assert len(jitter(pred, mask=mask, strict=strict)) == max(frames - 3, 0)
    assert len(wa_mpjpe(pred, target)) == len(w_mpjpe(pred, target)) == frames
    assert len(root_trajectory_error(pred[:, 0], target[:, 0])) == frames
    assert len(contact_sliding(pred, target, mask, strict, 100.0)) == 7 * max(frames - 1, 0)


def test_contact_sliding_counts_only_standing_points():
    pred, target = torch.zeros(3, 4, 3), torch.zeros(3, 4, 3)
    pred[1:, 0, 0] = 0.02  # slides in the first step, while the true one stands
    pred[2:, 3, 2] = 0.5  # moves in the second step, as the true one does
    target[2:, 3, 2] = 0.011
    sliding = contact_sliding(pred, target)
    torch.testing.assert_close(sliding, torch.tensor([20.0, 0, 0, 0, 0, 0, 0]))


def test_numpy_and_torch_agree():
    pred, target = random_pair(0)
    assert_close(wa_mpjpe(pred.numpy(), target.numpy()), wa_mpjpe(pred, target))
    mask = np.arange(len(pred)) % 5 > 0
    assert_close(jitter(pred.numpy(), mask=mask), jitter(pred, mask=torch.from_numpy(mask)))


def test_errors_say_what_is_wrong():
    pred, target = random_pair(0)
    with pytest.raises(ShapeError, match='same shape'):
        mpjpe(pred, target[:-1])
    with pytest.raises(ShapeError, match='`mask`'):
        jitter(pred, mask=torch.ones(5, dtype=torch.bool))
    with pytest.raises(ConfigError, match='`pelvis`'):
        mpjpe(pred, target, pelvis=(1, 24))
    with pytest.raises(ConfigError, match='chunk_size'):
        wa_mpjpe(pred, target, chunk_size=0)
