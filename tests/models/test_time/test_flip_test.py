"""The flip test inside the estimator."""

import pytest
import torch

from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.core.rotation import matrix_to_axis_angle, mean_of_two_rotations
from gvhmr_da_mm.models.test_time import FlipTest, MotionRecovery
from gvhmr_da_mm.models.views import HorizontalFlip
from gvhmr_da_mm.registry import MODELS
from gvhmr_da_mm.structures import MotionPrediction
from tests.testing import toy_inputs, toy_model_config, toy_samples

FLIPPED = ('kp2d', 'bbx_xys', 'cam_angvel', 'f_imgseq')


@pytest.fixture(scope='module')
def model(toy_root):
    torch.manual_seed(0)
    built = MODELS.build(toy_model_config(toy_root))
    built.init_weights()
    for parameter in built.parameters():  # Zero-initialised gates would hide the inputs.
        if not parameter.any():
            parameter.data.normal_(std=0.05)
    return built.eval().double()


def flip_inputs(batch=1, length=12, off_centre=0.0):
    inputs = toy_inputs(batch, length, dtype=torch.float64)
    inputs['K_fullimg'][..., 0, 2] += off_centre
    inputs['flip_f_imgseq'] = toy_inputs(batch, length, seed=9, dtype=torch.float64)['f_imgseq']
    mirrored, _ = HorizontalFlip().apply(inputs)
    inputs.update({f'flip_{name}': mirrored[name] for name in FLIPPED[:3]})
    return inputs


def predict(model, inputs, **test_cfg):
    model.recovery = MotionRecovery(**test_cfg)
    samples = model(inputs, toy_samples(inputs, 'real'), mode='predict')
    return [sample.pred_instances for sample in samples]


def motions_equal(one, other, names=None):
    for name in names or one.keys():
        if name != 'keypoint_scores':
            torch.testing.assert_close(
                torch.as_tensor(one[name]), torch.as_tensor(other[name]), atol=1e-7, rtol=1e-6
            )


def test_both_passes_are_one_forward(model, monkeypatch):
    batches = []
    infer = model.infer
    monkeypatch.setattr(model, 'infer', lambda x: batches.append(len(x['valid'])) or infer(x))
    predict(model, flip_inputs(2), flip_test=True)
    assert batches == [4]


def test_everything_is_the_mean_of_both_passes(model):
    inputs = flip_inputs(2, off_centre=60)
    (first, second) = predict(model, inputs, flip_test=True)
    view = HorizontalFlip()
    plain = model.infer(inputs)
    mirrored = model.infer(view.apply(inputs)[0])
    offset = model.body_model.skeleton(mirrored.betas)[..., 0, :]
    other = view.invert(mirrored, {}, inputs, offset)
    rotations = {
        name: mean_of_two_rotations(getattr(plain, name), getattr(other, name))
        for name in ('body_pose_R', 'R_c', 'R_gv')
    }
    vectors = {
        name: (getattr(plain, name) + getattr(other, name)) / 2
        for name in ('betas', 'velocity', 'transl_c', 'static_logits')
    }
    mean = plain.replace(**rotations, **vectors)
    R_w, transl_w = mean.rollout(inputs['cam_angvel'])
    for index, found in enumerate((first, second)):
        expected = dict(
            body_pose=mean.body_pose,
            betas=mean.betas,
            global_orient_c=matrix_to_axis_angle(mean.R_c),
            transl_c=mean.transl_c,
            global_orient_w=matrix_to_axis_angle(R_w),
            transl_w=transl_w,
            static_logits=mean.static_logits,
        )
        motions_equal({name: value[index] for name, value in expected.items()}, found)


def test_the_mirrored_video_gives_the_mirrored_motion(model):
    inputs = flip_inputs(off_centre=60)
    mirrored_inputs, _ = HorizontalFlip().apply(inputs)
    recovery = MotionRecovery(flip_test=True)
    motion, mirrored = (recovery(model, x) for x in (inputs, mirrored_inputs))
    prediction = MotionPrediction(
        body_pose_R=mirrored.body_pose_R,
        betas=mirrored.betas,
        R_c=mirrored.R_c,
        R_gv=mirrored.R_w,
        velocity=mirrored.transl_w,
        transl_c=mirrored.transl_c,
        pred_cam=mirrored.transl_c,
        static_logits=mirrored.static_logits,
        valid=mirrored.valid,
    )
    offset = model.body_model.skeleton(mirrored.betas)[..., 0, :]
    back = HorizontalFlip().invert(prediction, {}, inputs, offset)
    for name in ('body_pose_R', 'betas', 'R_c', 'transl_c', 'static_logits'):
        torch.testing.assert_close(getattr(back, name), getattr(motion, name))
    torch.testing.assert_close(back.R_gv, motion.R_w)
    torch.testing.assert_close(back.velocity, motion.transl_w)


def test_published_mode_leaves_the_world_of_the_first_pass(model):
    inputs = flip_inputs()
    (plain,) = predict(model, inputs, compat='published')
    (flipped,) = predict(model, inputs, flip_test=True, compat='published')
    motions_equal(plain, flipped, ('transl_c', 'global_orient_w', 'transl_w'))
    assert not torch.allclose(plain.global_orient_c, flipped.global_orient_c, atol=1e-3)
    (correct,) = predict(model, inputs, flip_test=True)
    motions_equal(correct, flipped, ('body_pose', 'betas', 'global_orient_c'))


def test_the_principal_point_is_mirrored_except_in_published_mode():
    inputs = flip_inputs(off_centre=60)
    for compat, mirrored in (('correct', -60), ('published', 60)):
        K = FlipTest(compat).stack(inputs)['K_fullimg']
        centre = inputs['img_wh'][0, 0] / 2
        torch.testing.assert_close(K[:, 0, 0, 2] - centre, torch.tensor([60.0, mirrored]).double())


def test_the_boxes_of_the_mirrored_pass_are_those_of_the_dataset():
    inputs = flip_inputs()
    inputs['flip_bbx_xys'] = inputs['flip_bbx_xys'] + 3
    stacked = FlipTest().stack(inputs)
    torch.testing.assert_close(stacked['bbx_xys'][1:], inputs['flip_bbx_xys'])
    assert not any(name.startswith('flip_') for name in stacked)


def test_clips_are_averaged_one_by_one(model):
    inputs = flip_inputs(2)
    together = predict(model, inputs, flip_test=True)
    for index in range(2):
        one = {name: value[index : index + 1] for name, value in inputs.items()}
        motions_equal(together[index], predict(model, one, flip_test=True)[0])


@pytest.mark.parametrize('dropped', [FLIPPED, FLIPPED[-1:]])
def test_missing_inputs_name_the_option_of_the_dataset(model, dropped):
    inputs = flip_inputs()
    for name in dropped:
        del inputs[f'flip_{name}']
    with pytest.raises(ConfigError, match=r'flip_f_imgseq.*flip_test=True. on every dataset'):
        predict(model, inputs, flip_test=True)
