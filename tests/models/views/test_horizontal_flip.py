import pytest
import torch

from gvhmr_da_mm.core.errors import DataError
from gvhmr_da_mm.core.rotation import rotation_angle
from gvhmr_da_mm.models.views import HorizontalFlip


@pytest.mark.parametrize('skew', [0.0, 40.0])
def test_inputs_are_those_of_the_mirrored_world(make_scene, same, skew):
    scene = make_scene(skew=skew)
    view, _ = HorizontalFlip().apply(scene.inputs())
    # The box is a detector's: its mirror image is a matter of definition.
    expected = scene.mirrored().inputs()
    expected['bbx_xys'] = scene.bbx_xys * torch.tensor([-1.0, 1, 1]) + torch.tensor([960.0, 0, 0])
    same(view, expected)


@pytest.mark.parametrize('skew', [0.0, 40.0])
def test_inverse_of_a_perfect_prediction(make_scene, same, skew):
    scene = make_scene(skew=skew)
    inputs = scene.inputs()
    view, state = HorizontalFlip().apply(inputs)
    seen = scene.mirrored().predict(view)
    got = HorizontalFlip().invert(seen, state, inputs, scene.root_offset)
    same(got, scene.predict(inputs))
    assert got.x is None


def test_root_offset_matters(scene):
    """SMPL turns about the pelvis: without its rest position x errs by twice the offset."""
    inputs = scene.inputs()
    view, state = HorizontalFlip().apply(inputs)
    seen = scene.mirrored().predict(view)
    error = HorizontalFlip().invert(seen, state, inputs).transl_c - scene.predict(inputs).transl_c
    expected = torch.tensor([2 * 0.01, 0, 0], dtype=torch.float64).expand_as(error)
    torch.testing.assert_close(error, expected)


def test_sides_really_swap(scene):
    """The left knee alone is bent; in the mirrored prediction it must be the right one."""
    inputs = scene.inputs()
    prediction = scene.predict(inputs)
    pose = torch.eye(3, dtype=torch.float64).repeat(3, 7, 21, 1, 1)
    pose[:, :, 3] = prediction.R_c
    got = HorizontalFlip().invert(prediction.replace(body_pose_R=pose), {}, inputs)
    angle = rotation_angle(got.body_pose_R)
    assert (angle[..., 4] > 0.01).all()
    assert (angle[..., [3, *range(5, 21)]] == 0).all()


def test_twice_is_the_identity(scene, same):
    inputs = scene.inputs()
    inputs['flip_kp2d'] = torch.randn_like(inputs['kp2d'])
    once, _ = HorizontalFlip().apply(inputs)
    assert not torch.equal(once['kp2d'], inputs['kp2d'])
    assert torch.equal(once['flip_kp2d'], inputs['kp2d'])
    twice, _ = HorizontalFlip().apply(once)
    del inputs['flip_kp2d']  # The second flip stores what it was given, not the noise.
    same(twice, inputs)


def test_features_per_sample(scene):
    inputs = scene.inputs()
    inputs['has_flip_imgfeat'] = torch.tensor([True, False, True])
    inputs['has_imgfeat'] = torch.tensor([True, True, False])
    view, _ = HorizontalFlip().apply(inputs)
    assert view['has_imgfeat'].tolist() == [True, False, True]
    assert torch.equal(view['f_imgseq'][0], scene.flip_features[0])
    assert (view['f_imgseq'][1] == 0).all()
    assert view['has_flip_imgfeat'].tolist() == [True, True, False]


def test_without_flipped_features_the_condition_is_dropped(scene):
    inputs = scene.inputs()
    del inputs['flip_f_imgseq'], inputs['has_flip_imgfeat']
    view, _ = HorizontalFlip().apply(inputs)
    assert not view['has_imgfeat'].any()
    assert (view['f_imgseq'] == 0).all()
    assert view.keys() == inputs.keys()


def test_missing_width(scene):
    inputs = scene.inputs()
    del inputs['img_wh']
    with pytest.raises(DataError, match='img_wh'):
        HorizontalFlip().apply(inputs)
