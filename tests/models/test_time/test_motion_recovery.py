"""The options of `test_cfg` and their effect on predictions."""

import pytest
import torch

from gvhmr_da_mm.core.camera import perspective_project
from gvhmr_da_mm.core.errors import ConfigError, DataError, ShapeError
from gvhmr_da_mm.core.extrinsics import rigid_transform
from gvhmr_da_mm.core.rotation import axis_angle_to_matrix
from gvhmr_da_mm.core.trajectory import camera_steps
from gvhmr_da_mm.models import ReprojectionLoss
from gvhmr_da_mm.models.refiners import FootContactOdometry
from gvhmr_da_mm.models.test_time import MotionPostprocessor, MotionRecovery
from gvhmr_da_mm.models.test_time.flip_test import FLIPPED_INPUTS
from gvhmr_da_mm.models.views import HorizontalFlip
from gvhmr_da_mm.registry import MODELS
from tests.testing import toy_adaptation_config, toy_inputs, toy_model_config, toy_samples

WORLD = ('global_orient_w', 'transl_w')
CAMERA = ('global_orient_c', 'transl_c')
POSE = ('body_pose', 'betas', *CAMERA)


@pytest.fixture(scope='module')
def model(toy_root):
    torch.manual_seed(0)
    built = MODELS.build(toy_model_config(toy_root))
    built.init_weights()
    return built.eval()


def predict(model, inputs, static_camera=(False,), **test_cfg):
    model.recovery = MotionRecovery(**test_cfg)
    samples = toy_samples(inputs, 'real')
    for sample, value in zip(samples, static_camera * len(samples)):
        sample.set_metainfo(dict(static_camera=value))
    return [sample.pred_instances for sample in model(inputs, samples, mode='predict')]


def test_without_options_a_prediction_is_only_rolled_out(model):
    inputs = toy_inputs(1, 20)
    (found,) = predict(model, inputs)
    prediction = model.infer(inputs)
    _, transl_w = prediction.rollout(inputs['cam_angvel'])
    torch.testing.assert_close(found.transl_w, transl_w[0])
    torch.testing.assert_close(found.body_pose, prediction.body_pose[0])


def test_postprocessing_changes_world_path_and_limbs_alone(model):
    inputs = toy_inputs(1, 20)
    (plain,), (processed,) = predict(model, inputs), predict(model, inputs, postprocess=True)
    for name in ('betas', *CAMERA, 'global_orient_w'):
        assert torch.equal(plain[name], processed[name]), name
    assert not torch.allclose(plain.transl_w, processed.transl_w, atol=1e-3)
    changed = (plain.body_pose - processed.body_pose).abs().unflatten(-1, (21, 3)).amax((0, 2))
    spine_head_and_tips = [joint - 1 for joint in (3, 6, 9, 12, 15, 10, 11, 20, 21)]
    assert changed[spine_head_and_tips].max() < 1e-5 and changed.max() > 1e-4
    # The bent limbs are those of the joints in the camera, too.
    joints = model.body_model.fk(
        processed.body_pose, processed.betas, processed.global_orient_c, processed.transl_c
    )
    torch.testing.assert_close(joints, torch.from_numpy(processed.keypoints), atol=1e-4, rtol=0)
    assert 'body_pose_w' not in processed


def reprojection_error(model, found, inputs):
    """Return the mean distance to detected keypoints in box sides."""
    pose = [torch.stack([one[name] for one in found]) for name in POSE]
    R = axis_angle_to_matrix(pose[0].unflatten(-1, (21, 3))), axis_angle_to_matrix(pose[2])
    coco17 = model.body_model.coco_matrices(R[0], pose[1], R[1], pose[3])
    loss = ReprojectionLoss()
    return loss.error(loss.residual(coco17, inputs))


def shifted_detections(model, inputs):
    """Detect the predicted body a twentieth of its box to the right of where it is predicted."""
    coco17 = model.coco_joints(model.infer(inputs))
    pixels = perspective_project(coco17, inputs['K_fullimg'])
    pixels[..., 0] += 0.05 * inputs['bbx_xys'][..., None, 2]
    return torch.cat((pixels, torch.ones_like(pixels[..., :1])), dim=-1)


# An untrained network contradicts itself about the mirrored video, so the average fits less.
@pytest.mark.parametrize('flip_test, share', [(False, 0.7), (True, 0.95)])
def test_the_refiner_brings_the_body_to_the_detected_keypoints(model, flip_test, share):
    inputs = toy_inputs(2, 12)
    inputs['kp2d'] = shifted_detections(model, inputs)
    mirrored, _ = HorizontalFlip().apply(inputs)
    inputs.update({f'flip_{name}': mirrored[name] for name in FLIPPED_INPUTS})
    plain = predict(model, inputs, flip_test=flip_test)
    # The untrained body itself trembles: its keypoints are exact.
    refiner = dict(type='KeypointRefiner', steps=20, noise=1.0)
    refined = predict(model, inputs, flip_test=flip_test, refiner=refiner)
    before, after = (reprojection_error(model, found, inputs) for found in (plain, refined))
    assert after < share * before


def test_the_path_of_the_feet(model):
    inputs = toy_inputs(1, 20)
    (plain,), (walked,) = (
        predict(model, inputs),
        predict(model, inputs, trajectory=dict(type='FootContactOdometry')),
    )
    expected = FootContactOdometry()(model.infer(inputs), inputs['cam_angvel'], model.body_model)
    torch.testing.assert_close(walked.transl_w, expected.rollout(inputs['cam_angvel'])[1][0])
    assert not torch.allclose(plain.transl_w, walked.transl_w, atol=1e-3)
    assert torch.equal(plain.body_pose, walked.body_pose)


@pytest.mark.parametrize('name', ['refiner', 'trajectory'])
def test_parts_are_given_as_configs(name):
    with pytest.raises(ConfigError, match=f'test_cfg.{name}'):
        MotionRecovery.from_cfg({name: True})


def given_cameras(frames):
    """Return poses (1, F, 4, 4) of a camera that turns and climbs."""
    time = torch.linspace(0, 1, frames)
    R_w2c = axis_angle_to_matrix(torch.stack((0.2 * time, 2 * time, 0.1 - time), dim=-1))
    return rigid_transform(R_w2c, torch.stack((3 * time, time - 1, 4 + 0 * time), dim=-1))[None]


def test_a_given_camera_says_where_in_the_world_the_body_is(model):
    inputs = toy_inputs(1, 20)
    (free,) = predict(model, inputs, postprocess=True)
    inputs['T_w2c'] = given_cameras(20)
    (placed,) = predict(model, inputs, postprocess=True)
    body = model.body_model
    joints_w = body.fk(placed.body_pose, placed.betas, placed.global_orient_w, placed.transl_w)
    T_w2c = inputs['T_w2c'][0]
    joints_c = joints_w @ T_w2c[:, :3, :3].mT + T_w2c[:, None, :3, 3]
    torch.testing.assert_close(joints_c, torch.from_numpy(placed.keypoints), atol=1e-4, rtol=0)
    for name in POSE:
        assert torch.equal(placed[name], free[name]), name
    (off,) = predict(model, inputs, postprocess=True, given_camera=False)
    for name in WORLD:
        assert torch.equal(off[name], free[name]), name


def test_the_mirrored_pass_does_not_move_the_given_camera(model):
    inputs = toy_inputs(1, 6)
    mirrored, _ = HorizontalFlip().apply(inputs)
    inputs.update({f'flip_{name}': mirrored[name] for name in FLIPPED_INPUTS})
    inputs['T_w2c'] = given_cameras(6)
    (found,) = predict(model, inputs, flip_test=True)
    R_w2c = (
        axis_angle_to_matrix(found.global_orient_c) @ axis_angle_to_matrix(found.global_orient_w).mT
    )
    torch.testing.assert_close(R_w2c, inputs['T_w2c'][0, :, :3, :3], atol=1e-5, rtol=0)


def test_the_lowest_joint_stands_on_the_ground(model):
    for static in (False, True):
        options = dict(
            postprocess=dict(type='MotionPostprocessor', limbs=False, compat='published')
        )
        (found,) = predict(model, toy_inputs(1, 20), static_camera=(static,), **options)
        joints = model.body_model.fk(
            found.body_pose, found.betas, found.global_orient_w, found.transl_w
        )
        assert joints[..., 1].min().abs() < 1e-5


def test_a_batch_mixes_static_and_moving_cameras(model):
    inputs = toy_inputs(3, 25)
    mixed = predict(model, inputs, static_camera=(False, True, True), postprocess=True)
    for static in (False, True):
        same = predict(model, inputs, (static,), postprocess=True)
        for index in (0,) if not static else (1, 2):
            torch.testing.assert_close(mixed[index].transl_w, same[index].transl_w)
            torch.testing.assert_close(mixed[index].body_pose, same[index].body_pose)
    moving, static = (predict(model, inputs, (x,), postprocess=True)[1] for x in (False, True))
    assert not torch.allclose(moving.transl_w, static.transl_w, atol=1e-3)


def test_the_configured_camera_goes_before_the_metainfo(model):
    inputs = toy_inputs(1, 25)
    model.recovery = MotionRecovery(postprocess=True, static_camera=True)
    (forced,) = model(inputs, toy_samples(inputs, 'real'), mode='predict')
    (said,) = predict(model, inputs, static_camera=(True,), postprocess=True)
    assert torch.equal(forced.pred_instances.transl_w, said.transl_w)


def test_padding_does_not_change_a_processed_prediction(model):
    long = toy_inputs(1, 40, lengths=[25])
    short = {n: v[:, :25] if v.ndim > 1 and n != 'img_wh' else v for n, v in long.items()}
    for name in ('kp2d', 'f_imgseq', 'bbx_xys'):
        long[name][:, 25:] += 30.0
    for static in (False, True):
        (padded,), (alone,) = (
            predict(model, x, static_camera=(static,), postprocess=True) for x in (long, short)
        )
        for name in ('body_pose', *WORLD):
            torch.testing.assert_close(padded[name], alone[name], atol=1e-4, rtol=0)


def test_an_unknown_camera_is_not_guessed(model):
    inputs = toy_inputs(2, 5)
    with pytest.raises(DataError, match='static_camera'):
        predict(model, inputs, static_camera=(False, None), postprocess=True)
    model.recovery = MotionRecovery(postprocess=True)
    with pytest.raises(DataError, match='static_camera'):
        model(inputs, mode='predict')
    model.recovery = MotionRecovery(postprocess=True, static_camera=False)
    assert len(model(inputs, mode='predict')) == 2


def test_a_part_of_ones_own_takes_the_place_of_the_postprocessor(model, monkeypatch):
    class Lift(torch.nn.Module):
        def __init__(self, height, compat):
            super().__init__()
            self.height = height

        def forward(self, motion, body_model, static_camera, limbs_in_camera=True):
            return motion.replace(transl_w=motion.transl_w + self.height)

    monkeypatch.setitem(MODELS._module_dict, 'Lift', Lift)
    inputs = toy_inputs(1, 5)
    (plain,) = predict(model, inputs)
    (lifted,) = predict(model, inputs, postprocess=dict(type='Lift', height=2.0))
    torch.testing.assert_close(lifted.transl_w, plain.transl_w + 2)
    shown = 'flip_test=False, static_camera=None, given_camera=True, steady_gravity=False'
    assert f"{shown}, compat='correct'" in repr(model)


@pytest.mark.parametrize('length', [1, 2, 3])
@pytest.mark.parametrize('static', [False, True])
def test_the_shortest_sequences(model, length, static):
    (found,) = predict(model, toy_inputs(1, length), static_camera=(static,), postprocess=True)
    assert len(found) == length
    for name in ('body_pose', *WORLD, *CAMERA):
        assert found[name].isfinite().all(), name


def test_a_clip_without_a_valid_frame_gives_no_instance(model):
    inputs = toy_inputs(2, 6)
    inputs['valid'][1] = False
    one, none = predict(model, inputs, postprocess=True)
    assert len(none) == 0 and len(one) == 6 and one.transl_w.isfinite().all()


def test_a_sequence_without_any_evidence_is_still_a_motion(model):
    inputs = toy_inputs(1, 20)
    inputs['kp2d'][..., 2] = 0  # As where every frame is masked.
    inputs['has_imgfeat'][:] = False
    for static in (False, True):
        (found,) = predict(model, inputs, static_camera=(static,), postprocess=True)
        assert all(found[name].isfinite().all() for name in ('body_pose', *WORLD, *CAMERA))


def test_half_precision_stays_in_the_network(model):
    inputs = toy_inputs(1, 20)
    (exact,) = predict(model, inputs, postprocess=True)
    infer = model.infer
    prediction = infer(inputs)
    model.infer = lambda _: prediction
    try:
        with torch.autocast('cpu', dtype=torch.bfloat16):
            (found,) = predict(model, inputs, postprocess=True)
    finally:
        del model.infer
    # Only the network may run in it: the same prediction gives the same motion.
    for name in ('body_pose', *WORLD, *CAMERA):
        torch.testing.assert_close(found[name], exact[name], atol=1e-5, rtol=1e-5)


def test_an_empty_sequence_is_an_error(model):
    empty = {n: v[:, :0] if v.ndim > 1 and n != 'img_wh' else v for n, v in
             toy_inputs(1, 3).items()}  # fmt: skip
    with pytest.raises((ShapeError, DataError), match='at least one frame'):
        predict(model, empty, postprocess=True)


@pytest.mark.parametrize(
    'test_cfg, message',
    [
        (dict(flip=True), "'flip_test'.*got.*'flip'"),
        (dict(flip_test='yes'), "`test_cfg.flip_test`.*'yes'"),
        (dict(given_camera='z'), "`test_cfg.given_camera`.*'z'"),
        (dict(postprocess='full'), "`test_cfg.postprocess`.*'full'"),
        (dict(static_camera='auto'), "`test_cfg.static_camera`.*'auto'"),
    ],
)
def test_impossible_options_are_named(toy_root, test_cfg, message):
    with pytest.raises(ConfigError, match=message):
        MODELS.build(toy_model_config(toy_root, test_cfg=test_cfg))


def test_compat_reaches_every_part(toy_root):
    test_cfg = dict(flip_test=True, postprocess=True)
    model = MODELS.build(toy_model_config(toy_root, test_cfg=test_cfg, compat='published'))
    parts = (model.recovery, model.recovery.flip_test, model.recovery.postprocessor)
    assert {part.compat for part in parts} == {'published'}


def test_what_was_done_is_noted_in_the_sample(model):
    inputs = toy_inputs(1, 4)
    for test_cfg, expected in (
        ({}, {}),
        (dict(postprocess=True), dict(postprocess=True, static_camera=False)),
        (dict(trajectory=dict(type='FootContactOdometry')), dict(trajectory=True)),
        (dict(refiner=dict(type='KeypointRefiner')), dict(refiner=True)),
        (dict(steady_gravity=True), dict(steady_gravity=True)),
    ):
        model.recovery = MotionRecovery(**test_cfg)
        (sample,) = model(inputs, toy_samples(inputs, 'real'), mode='predict')
        nothing = dict(
            flip_test=False,
            refiner=False,
            steady_gravity=False,
            trajectory=False,
            postprocess=False,
            model_compat='correct',
        )
        assert sample.test_time == {**nothing, **expected}


def test_gravity_follows_the_camera_where_it_is_steady(model):
    inputs = toy_inputs(2, 20, lengths=[20, 12])
    model.recovery = MotionRecovery(steady_gravity=True)
    for sample in model(inputs, toy_samples(inputs, 'real'), mode='predict'):
        motion = sample.pred_instances
        R_c, R_w = (axis_angle_to_matrix(motion[f'global_orient_{space}']) for space in 'cw')
        index = len(R_c)
        steps = camera_steps(inputs['cam_angvel'][:1, : index - 1])[0]
        down = -(R_c @ R_w.mT)[..., :, 1]
        expected = (steps @ down[:-1, :, None])[..., 0]
        torch.testing.assert_close(down[1:], expected, atol=1e-3, rtol=0)


def test_a_given_camera_is_noted_where_there_is_one(model):
    inputs = toy_inputs(1, 4)
    for given_camera in (True, False):
        model.recovery = MotionRecovery(given_camera=given_camera)
        samples = toy_samples(inputs, 'real')
        samples[0].set_metainfo(dict(world_up='+z'))
        (sample,) = model(inputs, samples, mode='predict')
        assert sample.test_time['given_camera'] == given_camera


def test_an_unknown_compat_is_named():
    with pytest.raises(ConfigError, match="'paper'"):
        MotionPostprocessor(compat='paper')


def test_pseudo_labels_are_not_post_processed(toy_root):
    plain, with_options = (
        MODELS.build(toy_adaptation_config(toy_root, toy_model_config(toy_root, test_cfg=cfg)))
        for cfg in (None, dict(flip_test=True, postprocess=True))
    )
    with_options.load_state_dict(plain.state_dict())
    inputs = toy_inputs(2, 8)
    one, other = (model.eval().pseudo_label(inputs).prediction for model in (plain, with_options))
    for name in ('body_pose_R', 'R_c', 'velocity', 'transl_c'):
        assert torch.equal(getattr(one, name), getattr(other, name)), name
