"""Inverse kinematics of the limbs: analytic cases and properties."""

import pytest
import torch

from gvhmr_da_mm.core.conventions import STATIC_JOINTS
from gvhmr_da_mm.core.errors import ConfigError, ShapeError
from gvhmr_da_mm.core.postprocess import limb_targets, solve_limbs
from gvhmr_da_mm.core.postprocess.limb_ik import LIMBS
from tests.core.postprocess.figure import Figure, make_figure, pose

MODES = ('correct', 'published')


def solve(figure, compat='correct'):
    return solve_limbs(*figure, compat)


def test_targets_follow_their_definition():
    figure = make_figure(2, 13)
    present = figure.joints_w[:, :, list(STATIC_JOINTS)]
    keep = figure.static_logits.sigmoid()[..., None]
    expected = [present[:, 0]]
    for frame in range(1, 13):
        kept = keep[:, frame - 1]
        expected.append(kept * expected[-1] + (1 - kept) * present[:, frame])
    found = limb_targets(figure.joints_w, figure.static_logits)
    torch.testing.assert_close(found, torch.stack(expected, dim=1))


def test_a_static_joint_keeps_its_first_place_for_ever():
    figure = make_figure(1, 300)
    found = limb_targets(figure.joints_w, torch.full((1, 300, 6), 40.0).double())
    torch.testing.assert_close(found, found[:, :1].expand_as(found))


@pytest.mark.parametrize('compat', MODES)
def test_a_motionless_body_stays(compat):
    figure = make_figure(2, 10, moving=False)
    torch.testing.assert_close(solve(figure, compat), figure.body_pose_R, atol=1e-6, rtol=0)


@pytest.mark.parametrize('compat', MODES)
def test_a_motion_without_static_joints_stays(compat):
    figure = make_figure(2, 10)._replace(static_logits=torch.full((2, 10, 6), -60.0).double())
    torch.testing.assert_close(solve(figure, compat), figure.body_pose_R, atol=1e-6, rtol=0)


def test_joints_come_nearer_to_their_targets():
    figure = make_figure(4, 30)
    jitter = 0.01 * torch.randn(figure.transl_w.shape, dtype=torch.float64)
    figure = figure._replace(
        transl_w=figure.transl_w[:, :1] + jitter,
        R_w=figure.R_w[:, :1].expand_as(figure.R_w),
        body_pose_R=figure.body_pose_R[:, :1].expand_as(figure.body_pose_R),
        static_logits=torch.full((4, 30, 6), 40.0).double(),
    )
    targets = figure.joints_w[:, :1, list(STATIC_JOINTS)]
    before = (figure.joints_w[:, 1:, list(STATIC_JOINTS)] - targets).norm(dim=-1).mean()
    bent = pose(solve(figure), *figure[1:4])
    after = (bent[:, 1:, list(STATIC_JOINTS)] - targets).norm(dim=-1).mean()
    assert after < 0.5 * before


def test_results_are_rotations():
    bent = solve(make_figure(3, 40))
    eye = torch.eye(3, dtype=torch.float64).expand_as(bent)
    torch.testing.assert_close(bent @ bent.mT, eye, atol=1e-9, rtol=0)
    assert (torch.linalg.det(bent) > 0).all()


def test_only_limbs_move_and_tips_keep_their_rotation():
    figure = make_figure(1, 20)
    changed = (solve(figure) - figure.body_pose_R).abs().amax((0, 1, 3, 4)) > 1e-9
    inner = {joint for limb in LIMBS for joint in limb.joints[1:-1]}
    assert {int(index) + 1 for index in changed.nonzero()} == inner


def test_the_body_keeps_its_bones():
    figure = make_figure(1, 20)
    bent = pose(solve(figure), *figure[1:4])
    for limb in LIMBS:
        chain = list(limb.joints)
        before, after = (x[:, :, chain].diff(dim=2).norm(dim=-1) for x in (figure.joints_w, bent))
        torch.testing.assert_close(before[..., 1:], after[..., 1:])


@pytest.mark.parametrize('compat', MODES)
def test_clips_are_solved_one_by_one(compat):
    figure = make_figure(3, 12)
    alone = [solve(Figure(*(x[i : i + 1] for x in figure)), compat) for i in range(3)]
    torch.testing.assert_close(solve(figure, compat), torch.cat(alone))


def test_the_end_of_a_clip_does_not_change_its_beginning():
    figure = make_figure(1, 33)
    short = solve(Figure(*(x[:, :20] for x in figure)))
    torch.testing.assert_close(solve(figure)[:, :20], short)


@pytest.mark.parametrize('length', [1, 2, 3])
@pytest.mark.parametrize('compat', MODES)
def test_the_shortest_clips(length, compat):
    bent = solve(make_figure(2, length), compat)
    assert bent.shape == (2, length, 21, 3, 3) and bent.isfinite().all()


def test_single_precision():
    figure = make_figure(1, 30)
    single = solve(Figure(*(x.float() for x in figure)))
    torch.testing.assert_close(single.double(), solve(figure), atol=1e-3, rtol=0)


def test_no_frame_at_all_is_an_error():
    with pytest.raises(ShapeError, match='at least one frame'):
        solve(Figure(*(x[:, :0] for x in make_figure(1, 2))))


def test_bad_arguments_are_named():
    figure = make_figure(1, 2)
    with pytest.raises(ConfigError, match="'paper'"):
        solve(figure, 'paper')
    with pytest.raises(ShapeError, match='skeleton'):
        solve(figure._replace(skeleton=figure.skeleton[:, :, :21]))
