import torch

from gvhmr_da_mm.core.rotation import axis_angle_to_matrix
from gvhmr_da_mm.core.trajectory import integrate_velocity
from gvhmr_da_mm.registry import MODELS
from gvhmr_da_mm.structures import BodyTargets, MotionTargets
from gvhmr_da_mm.structures.targets import relative_to_hips
from tests.testing import toy_inputs, toy_model_config, toy_samples


def labels(inputs):
    samples = toy_samples(inputs)
    names = samples[0].gt_instances.keys()
    return {name: torch.stack([s.gt_instances[name] for s in samples]) for name in names}


def targets(inputs):
    camera_only = torch.zeros(len(inputs['valid']), dtype=torch.bool)
    return MotionTargets.from_labels(labels(inputs), inputs['valid'], camera_only)


def test_labels_become_rotations_and_velocities():
    inputs = toy_inputs(2, 9, dtype=torch.float64)
    given, found = labels(inputs), targets(inputs)
    R_w = axis_angle_to_matrix(given['global_orient_w'])
    torch.testing.assert_close(found.R_w, R_w)
    torch.testing.assert_close(found.R_gv, given['R_c2gv'] @ found.R_c)
    path = integrate_velocity(R_w, found.velocity, given['transl_w'][:, :1])
    torch.testing.assert_close(path, given['transl_w'])
    assert found.static is None


def test_pseudo_labels_keep_samples_or_frames(toy_root):
    model = MODELS.build(toy_model_config(toy_root)).eval()
    inputs = toy_inputs(3, 8, lengths=[8, 5, 8])
    prediction = model(inputs).detach()
    keep = torch.tensor([True, True, False])
    found = MotionTargets.from_prediction(prediction, inputs['cam_angvel'], keep)
    assert found.valid.sum(dim=1).tolist() == [8, 5, 0]
    assert not found.camera_only.any()
    assert torch.equal(found.static, prediction.static_logits > 0)
    frames = torch.rand(3, 8) > 0.5
    found = MotionTargets.from_prediction(prediction, inputs['cam_angvel'], frames)
    assert torch.equal(found.valid, frames & inputs['valid'])


def test_a_pseudo_label_equal_to_the_prediction_costs_nothing(toy_root):
    """Supervision and prediction have the same quantities in the same frames."""
    model = MODELS.build(toy_model_config(toy_root)).eval()
    inputs = toy_inputs(2, 8)
    prediction = model(inputs).detach()
    keep = torch.tensor([True, True])
    found = MotionTargets.from_prediction(prediction, inputs['cam_angvel'], keep)
    body = BodyTargets.from_motion(model.body_model, found)
    losses = model.target_loss(prediction, found, body, inputs)
    # The six logits agree in sign, but are not certain.
    assert losses.pop('static_conf_loss') > 0
    # Decoding projects 6D on rotations, so the raw vector differs where it is off them.
    losses.pop('simple_loss')
    assert all(loss < 1e-6 for loss in losses.values()), losses


def test_body_targets_agree_with_the_body(toy_root):
    model = MODELS.build(toy_model_config(toy_root))
    inputs = toy_inputs(2, 4)
    motion = targets(inputs)
    body = BodyTargets.from_motion(model.body_model, motion)
    assert body.coco17_c.shape == (2, 4, 17, 3) and body.verts437_c.shape == (2, 4, 437, 3)
    joints = model.body_model.fk_matrices(
        motion.body_pose_R, motion.betas, motion.R_c, motion.transl_c
    )
    assert (body.coco17_c.mean(dim=-2) - joints.mean(dim=-2)).norm(dim=-1).max() < 0.5
    hips = body.coco17_c[..., 11:13, :].mean(dim=-2, keepdim=True)
    torch.testing.assert_close(body.verts437_cr + hips, body.verts437_c)


def test_relative_to_hips_ignores_where_the_body_is():
    points, coco = torch.randn(2, 5, 3), torch.randn(2, 17, 3)
    shift = torch.randn(3)
    torch.testing.assert_close(
        relative_to_hips(points + shift, coco + shift), relative_to_hips(points, coco)
    )
