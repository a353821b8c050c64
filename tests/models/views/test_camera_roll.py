import pytest
import torch

from gvhmr_da_mm.core.camera import box_from_points, perspective_project
from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.core.gravity_view import gravity_view_rotation
from gvhmr_da_mm.core.rotation import rotation_about_axis
from gvhmr_da_mm.models.views import CameraRoll


def roll_matrix(state):
    return rotation_about_axis('z', state['angle'])[:, None]


@pytest.mark.parametrize('skew', [0.0, 40.0])
def test_inputs_are_those_of_the_turned_camera(make_scene, same, skew):
    scene = make_scene(skew=skew)
    view, state = CameraRoll(1.0, max_feature_roll=3).apply(scene.inputs())
    assert len(state['angle'].unique()) == 3
    expected = scene.rolled(roll_matrix(state)).inputs()
    del expected['bbx_xys']
    same(view, expected)
    # The box's centre moves like a point of the image, its side stays.
    centre = torch.linalg.solve(
        scene.K, torch.nn.functional.pad(scene.bbx_xys[..., :2], (0, 1), value=1.0)
    )
    centre = perspective_project(
        (roll_matrix(state) @ centre[..., None])[..., 0][:, :, None], scene.K
    )[:, :, 0]
    torch.testing.assert_close(view['bbx_xys'][..., :2], centre)
    assert torch.equal(view['bbx_xys'][..., 2], scene.bbx_xys[..., 2])


def test_inverse_of_a_perfect_prediction(scene, same):
    inputs = scene.inputs()
    view, state = CameraRoll(1.0).apply(inputs)
    seen = scene.rolled(roll_matrix(state)).predict(view)
    assert (seen.transl_c - scene.predict(inputs).transl_c).abs().max() > 0.1
    got = CameraRoll(1.0).invert(seen, state, inputs, scene.root_offset)
    same(got, scene.predict(inputs))
    assert got.x is None


def test_inverted_prediction_projects_to_the_original_keypoints(scene):
    """Rebuild the original picture from the inverse alone: the pelvis and its orientation."""
    inputs = scene.inputs()
    view, state = CameraRoll(1.0).apply(inputs)
    got = CameraRoll(1.0).invert(
        scene.rolled(roll_matrix(state)).predict(view), state, inputs, scene.root_offset
    )
    pelvis = got.transl_c + scene.root_offset
    hips = pelvis[:, :, None] + (got.R_c[:, :, None] @ scene.bones[[1, 2], :, None])[..., 0]
    pixels = perspective_project(hips, scene.K)
    torch.testing.assert_close(pixels, inputs['kp2d'][:, :, 11:13, :2], rtol=1e-9, atol=1e-9)


def test_gravity_view_frame_turns_back(scene):
    """R_c2gv takes up the whole roll, which is why R_gv needs no inverse."""
    roll = rotation_about_axis('z', torch.tensor(0.7, dtype=torch.float64))
    turned = gravity_view_rotation(roll @ scene.R_w2c)
    expected = gravity_view_rotation(scene.R_w2c) @ roll.T
    torch.testing.assert_close(turned, expected, rtol=0, atol=1e-12)


def test_features_are_kept_up_to_a_limit(make_scene):
    scene = make_scene(batch=64, length=3)
    view, state = CameraRoll(max_angle=0.3, max_feature_roll=0.1).apply(scene.inputs())
    small = state['angle'].abs() <= 0.1
    assert 0 < small.sum() < 64 and state['angle'].abs().max() <= 0.3
    assert torch.equal(view['has_imgfeat'], small)
    assert torch.equal(view['f_imgseq'][small], scene.features[small])
    assert (view['f_imgseq'][~small] == 0).all()


def test_float32_pixels(scene):
    inputs = {k: v.float() if v.is_floating_point() else v for k, v in scene.inputs().items()}
    view, state = CameraRoll(0.3).apply(inputs)
    exact = scene.rolled(roll_matrix(dict(angle=state['angle'].double()))).inputs()
    assert (view['kp2d'] - exact['kp2d']).abs().max() < 1e-2 * exact['kp2d'].abs().max() / 1000
    assert view['kp2d'].dtype == torch.float32


@pytest.mark.parametrize('angle', [-0.1, 20])
def test_impossible_angle(angle):
    with pytest.raises(ConfigError, match='max_angle'):
        CameraRoll(max_angle=angle)


def test_boxes_are_not_lost(scene):
    """A roll keeps the person where the box is."""
    view, _ = CameraRoll(0.26).apply(
        dict(scene.inputs(), bbx_xys=box_from_points(scene.inputs()['kp2d'][..., :2]))
    )
    distance = (view['kp2d'][..., :2] - view['bbx_xys'][..., None, :2]).norm(dim=-1)
    assert (distance <= view['bbx_xys'][..., None, 2] * 0.75).all()
