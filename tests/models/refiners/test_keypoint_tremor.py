import pytest
import torch

from gvhmr_da_mm.models.refiners.keypoint_tremor import keypoint_tremor

FRAMES, SIDE = 200, 400.0


@pytest.fixture
def walk():
    """A clip whose keypoints move evenly, with its boxes and what counts."""
    kp2d = torch.ones(1, FRAMES, 17, 3)
    kp2d[..., :2] = 300 + 2 * torch.arange(FRAMES)[None, :, None, None]
    box = torch.tensor([500.0, 300.0, SIDE]).expand(1, FRAMES, 3)
    return kp2d, box, torch.ones(1, FRAMES, 17, dtype=torch.bool)


def test_even_motion_has_none(walk):
    assert keypoint_tremor(*walk).item() == pytest.approx(0, abs=1e-6)


def test_it_is_proportional_to_the_noise(walk):
    kp2d, box, valid = walk
    noise = torch.randn(1, FRAMES, 17, 2)
    # Second differences of white noise have 6 times its variance; the median length of a Gaussian
    # vector in the plane is (2 ln 2)^(1/2) standard deviations.
    for pixels in (1.0, 4.0):
        noisy = torch.cat((kp2d[..., :2] + pixels * noise, kp2d[..., 2:]), dim=-1)
        expected = pixels / SIDE * 6**0.5 * 1.177
        assert keypoint_tremor(noisy, box, valid).item() == pytest.approx(expected, rel=0.05)


def test_detections_that_do_not_count_have_no_part(walk):
    kp2d, box, valid = walk
    kp2d[:, :, :12, :2] += 100 * torch.randn(1, FRAMES, 12, 2)
    valid[:, :, :12] = False
    assert keypoint_tremor(kp2d, box, valid).item() == pytest.approx(0, abs=1e-6)
    valid[:] = False
    assert keypoint_tremor(kp2d, box, valid).item() == 0


def test_two_frames_say_nothing(walk):
    kp2d, box, valid = (x[:, :2] for x in walk)
    assert keypoint_tremor(kp2d, box, valid).tolist() == [0.0]
