import pytest
import torch

from gvhmr_da_mm.apis.inferencers.frame_confidence import frame_confidence
from gvhmr_da_mm.datasets.clip import Clip
from gvhmr_da_mm.models.adaptation import MotionCritic

FRAMES = 100
K = torch.tensor([[500.0, 0, 160], [0, 500, 120], [0, 0, 1]])


@pytest.fixture
def joints():
    """Return COCO joints (F, 17, 3) of a person 4 m from the camera."""
    return torch.rand(17, 3).expand(FRAMES, 17, 3) * 1.5 + torch.tensor([-0.7, -0.7, 4])


@pytest.fixture
def clip(joints):
    """Return a clip of exact keypoints; 20 px off in frames 40 to 59, none from frame 80 on."""
    pixels = joints @ K.T
    kp2d = torch.cat((pixels[..., :2] / pixels[..., 2:], torch.ones(FRAMES, 17, 1)), dim=-1)
    kp2d[40:60, :, 0] += 20
    kp2d[80:, :, 2] = 0
    boxes = torch.tensor([160.0, 120, 200]).expand(FRAMES, 3)
    eye = torch.eye(3).expand(FRAMES, 3, 3)
    return Clip('x', 0, FRAMES, (320, 240), boxes, K, eye, kp2d=kp2d)


class Critic(MotionCritic):
    """Finds bent motion untrue."""

    def rate(self, body_pose, valid):
        bent = (body_pose.abs().mean(dim=-1) * valid).sum(dim=1) / valid.sum(dim=1)
        return torch.exp(-bent)


def test_it_falls_with_the_distance_from_the_keypoints(joints, clip):
    found = frame_confidence(joints, torch.zeros(FRAMES, 63), clip)
    assert found.shape == (FRAMES,)
    torch.testing.assert_close(found[:40], torch.ones(40), atol=1e-3, rtol=0)
    torch.testing.assert_close(
        found[40:60], torch.exp(torch.tensor(-1.0)).expand(20), atol=1e-3, rtol=0
    )
    assert not found[80:].any()


def test_the_critic_has_a_say(joints, clip):
    pose = torch.zeros(FRAMES, 63)
    pose[:30] = 2.0
    critic = Critic()
    found, plain = (
        frame_confidence(joints, pose, clip, critic),
        frame_confidence(joints, pose, clip),
    )
    assert (found[:20] < 0.9 * plain[:20]).all()
    assert found[65:80].min() > found[:20].max() and not found[80:].any()
    real = frame_confidence(
        joints, pose, clip, MotionCritic(calibrator=dict(type='ConfidenceCalibrator', mode='none'))
    )
    assert real.isfinite().all() and (real >= 0).all() and (real <= 1).all()


def test_a_clip_shorter_than_a_window(joints, clip):
    short = Clip('x', 0, 7, (320, 240), clip.bbx_xys[:7], K, clip.R_w2c[:7], kp2d=clip.kp2d[:7])
    found = frame_confidence(joints[:7], torch.zeros(7, 63), short, Critic())
    torch.testing.assert_close(found, torch.ones(7), atol=1e-3, rtol=0)
