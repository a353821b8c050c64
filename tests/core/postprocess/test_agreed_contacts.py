"""Contacts on which the network and its motion agree."""

import torch

from gvhmr_da_mm.core.conventions import FPS
from gvhmr_da_mm.core.postprocess import agreed_contacts, correct_moving_camera
from tests.core.postprocess.figure import make_figure


def walk(frames=90, speed=1.2):
    """Return the joints (1, F, 22, 3) of feet that stand and swing in turn below a root."""
    time = torch.arange(frames, dtype=torch.float64) / FPS
    joints = torch.zeros(1, frames, 22, 3, dtype=torch.float64)
    joints[..., 0] = speed * time[:, None]
    joints[..., 1] = 1.0
    for foot, phase in (((7, 10), 0.0), ((8, 11), 0.5)):
        cycle = time + phase
        # Half a second in place, half a second at twice the speed.
        moved = cycle.floor() + (2 * (cycle % 1) - 1).clamp(min=0) - phase
        for joint in foot:
            joints[0, :, joint, 0] = speed * moved
            joints[0, :, joint, 1] = 0.05
    return joints


def test_a_joint_at_rest_keeps_its_logit():
    figure = make_figure(2, 20, moving=False)
    found = agreed_contacts(figure.static_logits, figure.joints_w, 0.5)
    torch.testing.assert_close(found, figure.static_logits)


def test_the_logit_falls_with_the_square_of_the_speed():
    frames, speed = 30, 1.5
    joints = torch.zeros(1, frames, 22, 3, dtype=torch.float64)
    joints[..., 7, 0] = speed / FPS * torch.arange(frames)
    logits = torch.full((1, frames, 6), 2.0, dtype=torch.float64)
    found = agreed_contacts(logits, joints, tolerance=0.5)
    torch.testing.assert_close(
        found[..., 0], logits[..., 0] - (speed / 0.5) ** 2 / 2, atol=1e-4, rtol=0
    )
    assert torch.equal(found[..., 1:], logits[..., 1:])


def test_a_foot_that_trembles_may_stand():
    joints = torch.zeros(1, 40, 22, 3, dtype=torch.float64)
    joints[0, ::2, 7, 0] = 0.03  # 0.9 m/s to and fro.
    found = agreed_contacts(torch.zeros(1, 40, 6, dtype=torch.float64), joints, tolerance=0.5)
    assert found[0, 8:-8, 0].min() > -0.05


def test_a_network_that_sees_contacts_everywhere_does_not_stop_a_walk():
    joints = walk()
    root = joints[:, :, 0]
    everywhere = torch.full((1, joints.shape[1], 6), 1.0, dtype=torch.float64)
    everywhere[..., 4:] = -4.0  # Wrists.
    stopped = correct_moving_camera(root, joints, everywhere)
    agreed = agreed_contacts(everywhere, joints, tolerance=0.5)
    walked = correct_moving_camera(root, joints, agreed, doubt=0.1)
    length = (root[0, -1] - root[0, 0])[0]
    lost, kept = (1 - (x[0, -1] - x[0, 0])[0] / length for x in (stopped, walked))
    assert lost > 0.5 and kept.abs() < 0.1


def test_padding_has_no_effect():
    figure = make_figure(1, 30)
    joints = figure.joints_w
    joints[:, 12:] += 7.0
    valid = torch.arange(30)[None] < 12
    alone = agreed_contacts(figure.static_logits[:, :12], joints[:, :12], 0.5)
    padded = agreed_contacts(figure.static_logits, joints, 0.5, valid)
    torch.testing.assert_close(padded[:, :12], alone)


def test_a_single_frame_has_no_speed():
    figure = make_figure(2, 1)
    found = agreed_contacts(figure.static_logits, figure.joints_w, 0.5)
    assert torch.equal(found, figure.static_logits)
