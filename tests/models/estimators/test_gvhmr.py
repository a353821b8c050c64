"""Modes, inputs and conditions of the estimator."""

import numpy as np
import pytest
import torch

from gvhmr_da_mm.codecs import DetectorNoise
from gvhmr_da_mm.core.camera import perspective_project
from gvhmr_da_mm.core.errors import ConfigError, DataError, ShapeError
from gvhmr_da_mm.core.trajectory import rollout_world
from gvhmr_da_mm.registry import MODELS
from gvhmr_da_mm.structures import MotionPrediction
from tests.testing import toy_inputs, toy_model_config, toy_samples

PREDICTED = dict(
    body_pose=63,
    betas=10,
    global_orient_c=3,
    transl_c=3,
    global_orient_w=3,
    transl_w=3,
    static_logits=6,
)
TERMS = {
    f'{name}_loss'
    for name in 'simple cr_j3d transl_c j2d cr_verts verts2d transl_w static_conf'.split()
}


def same(one, other, frames=None, atol=1e-5):
    for name in ('body_pose_R', 'betas', 'R_c', 'R_gv', 'velocity', 'transl_c', 'static_logits'):
        torch.testing.assert_close(
            getattr(one, name)[:, :frames], getattr(other, name)[:, :frames], atol=atol, rtol=atol
        )


def different(one, other):
    return not torch.allclose(one.x, other.x, atol=1e-4)


# Modes


def test_tensor_mode_returns_the_decoded_motion(toy_model):
    inputs = toy_inputs(2, 9)
    prediction = toy_model.eval()(inputs, mode='tensor')
    assert isinstance(prediction, MotionPrediction)
    assert prediction.body_pose_R.shape == (2, 9, 21, 3, 3)
    assert prediction.x.shape == (2, 9, 151)
    eye = prediction.R_c @ prediction.R_c.mT
    torch.testing.assert_close(eye, torch.eye(3).expand_as(eye), atol=1e-5, rtol=0)
    assert (prediction.transl_c[..., 2] > 0).all()


def test_loss_mode_returns_eight_finite_terms_that_reach_every_weight(toy_model):
    inputs = toy_inputs(3, 12, lengths=[12, 7, 12])
    losses = toy_model.train()(inputs, toy_samples(inputs), mode='loss')
    assert set(losses) == TERMS
    assert all(loss.isfinite() and loss >= 0 for loss in losses.values())
    sum(losses.values()).backward()
    without = [n for n, p in toy_model.named_parameters() if p.grad is None or not p.grad.any()]
    # A learned token stands for an invisible joint only, and joints are rarely invisible.
    assert not [name for name in without if 'invisible' not in name]


def test_loss_does_not_change_the_batch(toy_model):
    inputs = toy_inputs(2, 12, lengths=[12, 5])
    samples = toy_samples(inputs)
    before = {name: value.clone() for name, value in inputs.items()}
    labels = [{n: v.clone() for n, v in sample.gt_instances.items()} for sample in samples]
    toy_model.train()(inputs, samples, mode='loss')
    assert all(torch.equal(before[name], inputs[name]) for name in before)
    for sample, label in zip(samples, labels):
        assert all(torch.equal(label[name], sample.gt_instances[name]) for name in label)


def test_predict_mode_attaches_one_instance_per_valid_frame(toy_model):
    lengths = [16, 5]
    inputs = toy_inputs(2, 16, lengths=lengths)
    samples = toy_samples(inputs, 'real')
    returned = toy_model.eval()(inputs, samples, mode='predict')
    assert all(one is other for one, other in zip(returned, samples))
    for sample, length in zip(returned, lengths):
        instances = sample.pred_instances
        assert len(instances) == length
        for name, size in PREDICTED.items():
            assert instances[name].shape == (length, size), name
            assert instances[name].device.type == 'cpu' and not instances[name].requires_grad
        assert isinstance(instances.keypoints, np.ndarray)
        assert instances.keypoints.shape == (length, 22, 3)
        assert instances.keypoint_scores.shape == (length, 22)
        # The root joint is where the camera translation and the body's rest position say.
        root = toy_model.body_model.skeleton(instances.betas)[:, 0] + instances.transl_c
        np.testing.assert_allclose(instances.keypoints[:, 0], root, atol=1e-5)
        torch.testing.assert_close(instances.transl_w[0], torch.zeros(3), atol=1e-6, rtol=0)


def test_predict_works_without_data_samples(toy_model):
    returned = toy_model.eval()(toy_inputs(2, 4), mode='predict')
    assert [len(sample.pred_instances) for sample in returned] == [4, 4]


def test_padding_does_not_change_a_prediction(toy_model):
    toy_model.eval()
    long = toy_inputs(1, 20, lengths=[8])
    short = {n: v[:, :8] if v.ndim > 1 and n != 'img_wh' else v for n, v in long.items()}
    same(toy_model(long), toy_model(short), frames=8)
    for name in ('kp2d', 'f_imgseq', 'cam_angvel', 'bbx_xys'):
        long[name][:, 8:] += 3.0
    same(toy_model(long), toy_model(short), frames=8)


def test_padding_does_not_change_the_predicted_world(toy_model):
    toy_model.eval()
    long = toy_inputs(1, 40, lengths=[25])
    short = {n: v[:, :25] if v.ndim > 1 and n != 'img_wh' else v for n, v in long.items()}
    long['cam_angvel'][:, 25:] = toy_inputs(1, 40, seed=1)['cam_angvel'][:, :15].roll(1, -1)
    for one in (long, short):  # Views that differ from frame to frame, so that smoothing matters.
        one['kp2d'] = one['kp2d'] + 30 * torch.arange(one['kp2d'].shape[1])[:, None, None]
    (padded,), (alone,) = (toy_model(one, mode='predict') for one in (long, short))
    for name in ('global_orient_w', 'transl_w'):
        torch.testing.assert_close(padded.pred_instances[name], alone.pred_instances[name])


@pytest.mark.parametrize('mode', ['train', '', None])
def test_unknown_mode_is_named(toy_model, mode):
    with pytest.raises(ConfigError, match=f"'loss', 'predict' or 'tensor', got {mode!r}"):
        toy_model(toy_inputs(1, 2), mode=mode)


def test_unknown_compat_is_named(toy_root):
    with pytest.raises(ConfigError, match="`compat` of GVHMR.*'paper'"):
        MODELS.build(toy_model_config(toy_root, compat='paper'))


# Inputs


@pytest.mark.parametrize(
    'name, cut',
    [
        ('kp2d', lambda x: x[..., :16, :]),
        ('bbx_xys', lambda x: x[..., :2]),
        ('K_fullimg', lambda x: x[:, 0]),
        ('cam_angvel', lambda x: x[:, :-1]),
        ('f_imgseq', lambda x: x[..., :512]),
        ('valid', lambda x: x[:, :-1]),
        ('has_imgfeat', lambda x: x[:1]),
    ],
)
def test_a_wrong_shape_names_the_field(toy_model, name, cut):
    inputs = toy_inputs(2, 6)
    inputs[name] = cut(inputs[name])
    with pytest.raises(ShapeError, match=f'`{name}`'):
        toy_model(inputs)


def test_a_missing_input_is_named(toy_model):
    inputs = toy_inputs(2, 6)
    del inputs['cam_angvel']
    with pytest.raises(DataError, match='cam_angvel'):
        toy_model(inputs)


def test_clips_without_labels_cannot_be_supervised(toy_model):
    inputs = toy_inputs(2, 6)
    with pytest.raises(DataError, match="1 clip.*'clip_0'.*DomainAdaptiveGVHMR"):
        mixed = [*toy_samples(inputs, 'real')[:1], *toy_samples(inputs)[1:]]
        toy_model(inputs, mixed, mode='loss')


@pytest.mark.parametrize('length', [1, 2, 50])
def test_any_length(toy_root, length):
    model = MODELS.build(toy_model_config(toy_root, max_len=20))
    model.init_weights()
    inputs = toy_inputs(2, length, lengths=[length, max(1, length // 3)])
    samples = model.eval()(inputs, toy_samples(inputs), mode='predict')
    for sample in samples:
        assert torch.cat([sample.pred_instances[name] for name in PREDICTED], -1).isfinite().all()
    losses = model.train()(inputs, toy_samples(inputs), mode='loss')
    sum(losses.values()).backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())


def test_double_precision(toy_model):
    single, inputs = toy_model.eval()(toy_inputs(1, 6)), toy_inputs(1, 6, dtype=torch.float64)
    double = toy_model.double()(inputs)
    assert double.transl_c.dtype == torch.float64
    same(double, single.to(torch.float64), atol=1e-3)
    losses = toy_model(inputs, toy_samples(inputs), mode='loss')
    assert all(loss.dtype == torch.float64 for loss in losses.values())


def test_features_are_ignored_where_there_are_none(toy_model):
    toy_model.eval()
    inputs = toy_inputs(2, 6)
    inputs['has_imgfeat'][1] = False
    other = dict(inputs, f_imgseq=inputs['f_imgseq'].flip(-1))
    one, two = toy_model(inputs), toy_model(other)
    same(one[1:], two[1:], atol=1e-6)
    assert different(one[:1], two[:1])


def test_features_that_do_not_exist_may_be_nan(toy_model):
    inputs = toy_inputs(1, 6)
    inputs['has_imgfeat'][:] = False
    inputs['f_imgseq'][:] = torch.nan
    assert toy_model.eval()(inputs).x.isfinite().all()


def test_a_box_of_size_zero_stays_finite(toy_model):
    inputs = toy_inputs(1, 6)
    inputs['bbx_xys'][:, 2, 2] = 0
    losses = toy_model.train()(inputs, toy_samples(inputs), mode='loss')
    sum(losses.values()).backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in toy_model.parameters())


# Training


def test_conditions_are_dropped_in_training_alone(toy_root):
    model = MODELS.build(toy_model_config(toy_root, train_cfg=dict(condition_dropout=0.5)))
    model.init_weights()
    for parameter in model.parameters():
        if not parameter.any():
            parameter.data.normal_(std=0.05)
    inputs = toy_inputs(2, 8)
    assert not different(model.train()(inputs), model(inputs))
    assert different(model.infer(inputs, drop=True), model.infer(inputs, drop=True))
    instances = [model.eval()(inputs, mode='predict')[0].pred_instances for _ in range(2)]
    assert torch.equal(instances[0].body_pose, instances[1].body_pose)


@pytest.mark.parametrize('probability, detected', [(1.0, True), (0.0, False)])
def test_detections_are_drawn_with_their_probability(toy_model, probability, detected):
    toy_model.detected_keypoint_prob = probability
    inputs = toy_inputs(2, 8)
    _, body = toy_model.targets(inputs, toy_samples(inputs))
    observed = toy_model.simulate_detections(inputs, body)
    assert torch.equal(observed['kp2d'], inputs['kp2d']) is detected


def test_clips_without_detections_are_observed_through_their_labels(toy_model):
    toy_model.detected_keypoint_prob = 1.0
    inputs = toy_inputs(2, 8)
    inputs['has_kp2d'][0] = False
    _, body = toy_model.targets(inputs, toy_samples(inputs))
    observed = toy_model.simulate_detections(inputs, body)['kp2d']
    assert torch.equal(observed[1], inputs['kp2d'][1])
    exact = perspective_project(body.coco17_c, inputs['K_fullimg'])[0]
    seen = observed[0, ..., 2] > 0
    assert seen.float().mean() > 0.5
    distance = (observed[0, ..., :2] - exact).norm(dim=-1)[seen]
    assert 0 < distance.median() < 100


def test_measured_detectors_say_nothing_of_what_is_outside_the_image(toy_model):
    toy_model.keypoint_noise = DetectorNoise(swaps=dict(rate=0.0))
    inputs = toy_inputs(2, 8)
    inputs['has_kp2d'][:] = False
    inputs['K_fullimg'][0, :, 0, 2] = 0  # Half of the first person is beside the image.
    _, body = toy_model.targets(inputs, toy_samples(inputs))
    observed = toy_model.simulate_detections(inputs, body)['kp2d']
    width, height = inputs['img_wh'][0]
    x, y = observed[..., 0], observed[..., 1]
    inside = (x >= 0) & (x <= width) & (y >= 0) & (y <= height)
    assert 0.2 < inside[0].float().mean() < 0.8
    assert torch.equal(observed[..., 2] > 0, inside)
    assert ((observed[..., 2] > 0) & (observed[..., 2] < 1)).any()


def test_camera_only_clips_do_not_teach_the_world(toy_model):
    inputs = toy_inputs(2, 8)
    samples = toy_samples(inputs, supervision='camera')
    for sample in samples:
        sample.gt_instances.transl_w = sample.gt_instances.transl_w + 100
    losses = toy_model.train()(inputs, samples, mode='loss')
    for name in ('j2d', 'verts2d', 'transl_w', 'static_conf'):
        assert losses[f'{name}_loss'] == 0, name
    assert losses['cr_j3d_loss'] > 0


def test_bf16_runs_the_network_and_not_the_geometry(toy_model):
    inputs = toy_inputs(2, 8)
    seen = []
    layer = toy_model.backbone.blocks[0].attn.query
    layer.register_forward_hook(lambda module, args, output: seen.append(output.dtype))
    with torch.autocast('cpu', dtype=torch.bfloat16):
        prediction = toy_model.eval()(inputs)
        losses = toy_model.train()(inputs, toy_samples(inputs), mode='loss')
    assert set(seen) == {torch.bfloat16}
    for name in ('body_pose_R', 'R_c', 'transl_c', 'velocity', 'x'):
        assert getattr(prediction, name).dtype == torch.float32, name
    # Rotations rounded to bfloat16 would be orthogonal to 1e-2 only.
    eye = prediction.R_c @ prediction.R_c.mT
    torch.testing.assert_close(eye, torch.eye(3).expand_as(eye), atol=1e-5, rtol=0)
    assert all(loss.dtype == torch.float32 for loss in losses.values())


# Compat


@pytest.mark.parametrize('compat', ['correct', 'published'])
def test_compat_chooses_the_rollout(toy_root, compat):
    torch.manual_seed(0)
    model = MODELS.build(toy_model_config(toy_root, compat=compat)).eval()
    inputs = toy_inputs(1, 30)
    prediction = model(inputs)
    instances = model(inputs, mode='predict')[0].pred_instances
    arguments = (prediction.R_gv, prediction.R_c, inputs['cam_angvel'], prediction.velocity)
    expected = {mode: rollout_world(*arguments, mode)[1][0] for mode in ('correct', 'published')}
    torch.testing.assert_close(instances.transl_w, expected[compat])


def test_compat_reaches_the_keypoint_noise(toy_root):
    model = MODELS.build(toy_model_config(toy_root, compat='published'))
    assert model.keypoint_noise.compat == 'published'


def test_repr_shows_the_switches(toy_model):
    assert "compat='correct', condition_dropout=0.1" in repr(toy_model)


@pytest.mark.parametrize(
    'train_cfg, message',
    [
        (dict(dropout=0.1), r"keys of .*'condition_dropout'.*got \['dropout'\]"),
        (dict(condition_dropout=1.5), 'train_cfg.condition_dropout.*probability'),
        (dict(detected_keypoint_prob='all'), 'train_cfg.detected_keypoint_prob.*probability'),
    ],
)
def test_impossible_options_of_training(toy_root, train_cfg, message):
    with pytest.raises(ConfigError, match=message):
        MODELS.build(toy_model_config(toy_root, train_cfg=train_cfg))
