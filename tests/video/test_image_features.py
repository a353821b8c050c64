import numpy as np
import pytest
import torch
from torch import nn

from gvhmr_da_mm.video import image_features
from gvhmr_da_mm.video.image_features import ImageFeatureExtractor
from gvhmr_da_mm.video.networks import HMR2FeatureNetwork
from gvhmr_da_mm.video.person_clip import PersonClip
from gvhmr_da_mm.video.person_crop import crop_person
from tests.video.networks.published import BACKBONE, HEAD
from tests.video.test_observe import Pictures


class MeanColour(nn.Module):
    """Network that returns the means of the crop's halves and counts its calls."""

    def __init__(self, fail_at=None):
        super().__init__()
        self.calls, self.fail_at = 0, fail_at

    def forward(self, crops):
        self.calls += 1
        if self.calls == self.fail_at:
            raise KeyboardInterrupt
        halves = torch.stack([half.float().mean((1, 2, 3)) for half in crops.chunk(2, -1)], -1)
        return torch.cat((halves, torch.zeros(len(crops), 1022)), dim=-1)


def pictures(frames=11):
    generator = np.random.default_rng(0)
    return list(generator.integers(0, 256, (frames, 120, 160, 3), dtype=np.uint8))


def clip_of(frames=11, numbers=None):
    boxes = np.tile([70.0, 60, 80], (frames, 1)).astype(np.float32)
    boxes[:, 0] += np.arange(frames)
    return PersonClip(
        name='c',
        img_wh=(160, 120),
        start=0,
        bbx_xys=boxes,
        kp2d=np.zeros((frames, 17, 3), np.float32),
        observed=np.ones(frames, bool),
        frame_numbers=np.arange(frames) if numbers is None else np.array(numbers),
    )


def test_each_frame_gets_the_feature_of_its_crop():
    images = pictures()
    network = MeanColour()
    clip = ImageFeatureExtractor(network, batch_size=4)(clip_of(), Pictures(images))
    assert clip.features.shape == clip.flip_features.shape == (11, 1024)
    assert network.calls == 6  # two crops of a frame, four at a time
    for t in (0, 4, 10):
        crop = crop_person(images[t], clip.bbx_xys[t]).astype(float)
        expected = [crop[:, :128].mean(), crop[:, 128:].mean()]
        np.testing.assert_allclose(clip.features[t, :2], expected, rtol=1e-3)
        np.testing.assert_allclose(clip.flip_features[t, :2], expected[::-1], rtol=0.05)
    np.testing.assert_allclose(clip.flip_bbx_xys[:, 0], 160 - clip.bbx_xys[:, 0])


def test_frames_that_are_used_twice_or_left_out():
    images = pictures()
    clip = clip_of(5, [2, 2, 3, 9, 9])
    ImageFeatureExtractor(MeanColour(), 3, flip=False)(clip, Pictures(images))
    expected = crop_person(images[9], clip.bbx_xys[3])[:, :128].mean()
    np.testing.assert_allclose(clip.features[3, 0], expected, rtol=1e-3)
    assert clip.flip_features is None and clip.flip_bbx_xys is None


def test_what_fails_is_told_and_zero():
    images = pictures()
    images[3] = None
    clip = clip_of()
    clip.bbx_xys[6, 2] = 0
    ImageFeatureExtractor(MeanColour(), 4)(clip, Pictures(images))
    assert len(clip.facts['feature_failures']) == 2
    zero = (clip.features == 0).all(axis=1)
    np.testing.assert_array_equal(np.flatnonzero(zero), [3, 6])


def test_interrupted_work_is_continued(tmp_path):
    images, partial = pictures(), tmp_path / 'c.partial.npz'
    whole = ImageFeatureExtractor(MeanColour(), 4)(clip_of(), Pictures(images))
    broken = ImageFeatureExtractor(MeanColour(fail_at=4), 4, save_every=1)
    with pytest.raises(KeyboardInterrupt):
        broken(clip_of(), Pictures(images), partial)
    network = MeanColour()
    resumed = ImageFeatureExtractor(network, 4)(clip_of(), Pictures(images), partial)
    assert network.calls == 3
    np.testing.assert_array_equal(resumed.features, whole.features)
    np.testing.assert_array_equal(resumed.flip_features, whole.flip_features)
    assert not partial.exists()


def test_unfinished_work_of_other_boxes_is_not_taken(tmp_path):
    partial = tmp_path / 'c.partial.npz'
    with pytest.raises(KeyboardInterrupt):
        ImageFeatureExtractor(MeanColour(fail_at=4), 4, save_every=1)(
            clip_of(), Pictures(pictures()), partial
        )
    clip, network = clip_of(), MeanColour()
    clip.bbx_xys[:, 1] += 1
    ImageFeatureExtractor(network, 4)(clip, Pictures(pictures()), partial)
    assert network.calls == 6


class Scaled(MeanColour):
    """Network with a weight."""

    def __init__(self, scale, fail_at=None):
        super().__init__(fail_at)
        self.scale = nn.Parameter(torch.tensor(scale))

    def forward(self, crops):
        return super().forward(crops) * self.scale


@pytest.mark.parametrize('scale, image_scale', [(2.0, 1.0), (1.0, 1.2)])
def test_unfinished_work_of_another_network_is_not_taken(tmp_path, monkeypatch, scale, image_scale):
    """The features of one person would be of two networks."""
    images, partial = pictures(), tmp_path / 'c.partial.npz'
    with pytest.raises(KeyboardInterrupt):
        ImageFeatureExtractor(Scaled(1.0, fail_at=4), 4, save_every=1)(
            clip_of(), Pictures(images), partial
        )
    other, said = Scaled(scale), []
    monkeypatch.setattr(image_features, 'print_log', lambda text, *_: said.append(text))
    found = ImageFeatureExtractor(other, 4, image_scale=image_scale)(
        clip_of(), Pictures(images), partial
    )
    assert other.calls == 6
    wanted = ImageFeatureExtractor(Scaled(scale), 4, image_scale=image_scale)(
        clip_of(), Pictures(images)
    )
    np.testing.assert_array_equal(found.features, wanted.features)
    assert len(said) == 1 and f'{partial} are of another' in said[0] and 'begins again' in said[0]


def test_frames_that_failed_before_an_interruption_are_told(tmp_path):
    images, partial = pictures(), tmp_path / 'c.partial.npz'
    images[1] = None
    with pytest.raises(KeyboardInterrupt):
        ImageFeatureExtractor(MeanColour(fail_at=4), 4, save_every=1)(
            clip_of(), Pictures(images), partial
        )
    clip = ImageFeatureExtractor(MeanColour(), 4)(clip_of(), Pictures(images), partial)
    assert clip.facts['feature_failures'] == ['frame 1 cannot be decoded']


def test_the_real_network_in_small():
    network = HMR2FeatureNetwork(BACKBONE, HEAD)
    clip = ImageFeatureExtractor(network, 4)(clip_of(3), Pictures(pictures(3)))
    assert clip.features.dtype == np.float16 and np.isfinite(clip.features).all()
    assert np.abs(clip.features - clip.flip_features).max() > 0
