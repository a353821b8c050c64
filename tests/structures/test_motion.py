import pytest
import torch

from gvhmr_da_mm.core.camera import weak_camera_from_translation
from gvhmr_da_mm.core.rotation import axis_angle_to_matrix
from gvhmr_da_mm.structures import MotionPrediction, empty_inputs
from tests.testing import toy_inputs


def prediction(batch=3, length=5, x=True):
    return MotionPrediction(
        body_pose_R=axis_angle_to_matrix(torch.randn(batch, length, 21, 3)),
        betas=torch.randn(batch, length, 10),
        R_c=axis_angle_to_matrix(torch.randn(batch, length, 3)),
        R_gv=axis_angle_to_matrix(torch.randn(batch, length, 3)),
        velocity=torch.randn(batch, length, 3),
        transl_c=torch.randn(batch, length, 3) + torch.tensor([0, 0, 5.0]),
        pred_cam=torch.randn(batch, length, 3),
        static_logits=torch.randn(batch, length, 6),
        valid=torch.rand(batch, length) > 0.3,
        x=torch.randn(batch, length, 151) if x else None,
    )


def tensors(record):
    return {name: value for name, value in vars(record).items() if isinstance(value, torch.Tensor)}


def test_indexing_and_joining_are_inverse():
    whole = prediction()
    joined = MotionPrediction.cat([whole[:1], whole[1:]])
    assert tensors(joined).keys() == tensors(whole).keys()
    assert all(torch.equal(tensors(joined)[n], v) for n, v in tensors(whole).items())


def test_a_field_that_one_record_lacks_is_dropped():
    assert MotionPrediction.cat([prediction(), prediction(x=False)]).x is None


def test_conversion_leaves_masks_alone():
    double = prediction().to(torch.float64)
    assert double.R_c.dtype == torch.float64 and double.valid.dtype == torch.bool
    assert double.to('cpu').R_c.dtype == torch.float64
    assert prediction(x=False).to(torch.float64).x is None


def test_detached_records_have_no_graph():
    one = prediction().replace(betas=torch.zeros(3, 5, 10, requires_grad=True) * 2)
    assert one.betas.requires_grad and not one.detach().betas.requires_grad


def test_replacing_makes_a_copy():
    one = prediction()
    other = one.replace(betas=one.betas + 1)
    assert other.R_c is one.R_c and not torch.equal(other.betas, one.betas)


def test_axis_angles_equal_matrices():
    one = prediction()
    assert one.body_pose.shape == (3, 5, 63)
    R = axis_angle_to_matrix(one.body_pose.unflatten(-1, (21, 3)))
    torch.testing.assert_close(R, one.body_pose_R, atol=1e-5, rtol=0)


@pytest.mark.parametrize('compat', ['correct', 'published'])
def test_the_world_starts_at_the_origin(compat):
    one = prediction()
    one.valid[:] = True
    _, transl_w = one.rollout(toy_inputs(3, 5)['cam_angvel'], compat)
    torch.testing.assert_close(transl_w[:, 0], torch.zeros(3, 3))
    torch.testing.assert_close(transl_w.diff(dim=1).norm(dim=-1), one.velocity[:, :-1].norm(dim=-1))


def test_for_box_expresses_the_camera_relative_to_another_box():
    one, inputs = prediction(), toy_inputs(3, 5)
    moved = one.for_box(inputs['bbx_xys'], inputs['K_fullimg'])
    expected = weak_camera_from_translation(one.transl_c, inputs['bbx_xys'], inputs['K_fullimg'])
    assert torch.equal(moved.pred_cam, expected) and moved.transl_c is one.transl_c


def test_records_are_typed():
    assert isinstance(prediction()[0], MotionPrediction)
    assert isinstance(prediction().to(torch.float64), MotionPrediction)


def test_empty_inputs_have_the_names_and_shapes_of_real_ones():
    real, empty = toy_inputs(2, 7), empty_inputs(2, 7)
    assert {n: v.shape for n, v in empty.items()} == {n: v.shape for n, v in real.items()}
    assert {n: v.dtype for n, v in empty.items()} == {n: v.dtype for n, v in real.items()}
    assert empty['valid'].all()
    assert not empty['has_kp2d'].any() and not empty['has_imgfeat'].any()
    empty['has_kp2d'][0] = True
    assert not empty['has_imgfeat'].any()
    assert empty_inputs(1, 2, dtype=torch.float64)['kp2d'].dtype == torch.float64
