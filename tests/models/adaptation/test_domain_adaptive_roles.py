"""Updates of the discriminator and of the teacher."""

import copy
from types import SimpleNamespace

import pytest
import torch

from gvhmr_da_mm.engine import AdaptationOptimWrapperConstructor, MeanTeacherHook
from gvhmr_da_mm.models.adaptation import motion_critic
from gvhmr_da_mm.models.heads.motion_discriminator import discriminator_loss, discriminator_pose
from gvhmr_da_mm.registry import MODELS
from tests.testing import toy_adaptation_config, toy_batch, toy_model_config

from .learning import changed, steps, weights

NEVER = 2.0
"""A threshold that no confidence reaches."""


# The discriminator


def test_fakes_get_the_score_of_their_distance_to_true_motion(toy_root, wrappers, monkeypatch):
    config = toy_adaptation_config(
        toy_root, critic=dict(target=dict(type='NearestMotionTarget', scale=0.5), steps=3)
    )
    model = MODELS.build(config).train()
    wrappers = wrappers(model)
    model.train_step(toy_batch('synthetic', 2), wrappers)
    targets = []

    def loss(real, fake, target):
        targets.append((target, fake))
        return discriminator_loss(real, fake, target)

    monkeypatch.setattr(motion_critic, 'discriminator_loss', loss)
    model.train_step(toy_batch('real', 2), wrappers)
    assert len(targets) == 3 == steps(wrappers['discriminator'])
    for target, fake in targets:
        assert target.shape == fake.shape and ((target > 0) & (target < 1)).all()


def test_the_discriminator_standardises_by_the_motion_of_synthetic_batches(model, wrappers):
    wrappers = wrappers(model)
    model.train_step(toy_batch('real', 2), wrappers)
    assert model.critic.discriminator.num_observed == 0
    batch = toy_batch('synthetic', 2)
    model.train_step(batch, wrappers)
    inputs = model.data_preprocessor(batch)
    pose = torch.stack([sample.gt_instances.body_pose for sample in inputs['data_samples']])
    frames = discriminator_pose(pose)[inputs['inputs']['valid']]
    torch.testing.assert_close(model.critic.discriminator.input_mean, frames.mean(dim=0))
    assert model.critic.discriminator.num_observed == len(frames)


def test_the_adversarial_term_reaches_the_student_and_not_the_discriminator(model, wrappers):
    model.pseudo_labeler.threshold, model.reprojection.loss_weight = NEVER, 0.0
    wrapper = wrappers(model)
    gradients = {}

    def look(*_):
        for name in ('student', 'critic'):
            grads = [p.grad for p in getattr(model, name).parameters() if p.grad is not None]
            gradients[name] = sum(float(grad.abs().sum()) for grad in grads)

    wrapper['model'].optimizer.register_step_pre_hook(look)
    before = weights(model.critic.discriminator)
    logs = model.train_step(toy_batch('real', 2), wrapper)
    assert logs['generator_adversarial_loss'] > 0
    assert gradients['student'] > 0
    assert gradients['critic'] == 0
    # No true motion is known yet, so the discriminator does not learn either.
    assert not changed(model.critic.discriminator, before)
    assert 'discriminator_real_loss' not in logs
    assert all(p.requires_grad for p in model.critic.discriminator.parameters())


def test_the_discriminators_step_leaves_the_student_alone(model, wrappers):
    wrapper = wrappers(model)
    model.train_step(toy_batch('synthetic', 2), wrapper)
    before = weights(model.student), weights(model.critic.discriminator)
    fake = torch.randn(2, 16, 69)
    logs = model.critic.learn(fake, torch.ones(2, 16, dtype=torch.bool), wrapper['discriminator'])
    assert set(logs) == {'discriminator_real_loss', 'discriminator_fake_loss'}
    assert not changed(model.student, before[0])
    assert changed(model.critic.discriminator, before[1])


@pytest.mark.parametrize('mode, seen', [('none', 0), ('quantile', 2)])
def test_true_motion_is_scored_only_for_a_calibrator_that_wants_it(toy_root, wrappers, mode, seen):
    calibrator = dict(type='ConfidenceCalibrator', mode=mode)
    config = toy_adaptation_config(toy_root, critic=dict(calibrator=calibrator))
    model = MODELS.build(config).train()
    wrapper = wrappers(model)
    for domain in ('synthetic', 'real'):
        model.train_step(toy_batch(domain, 2), wrapper)
    assert model.critic.calibrator.num_seen == seen


# The teacher


def test_ema_moves_the_teacher_a_share_of_the_way(model, wrappers):
    model.train_step(toy_batch('synthetic', 2), wrappers(model))
    before, student = weights(model.teacher), weights(model.student)
    model.update_teacher(0.25)
    for name, value in model.teacher.named_parameters():
        torch.testing.assert_close(value.data, before[name].lerp(student[name], 0.25))
    assert changed(model.teacher, before)
    model.update_teacher(1.0)
    assert not changed(model.teacher, student)


@pytest.mark.parametrize('counts', [1, 2])
def test_with_momentum_1_the_student_is_its_own_teacher(toy_root, wrappers, counts):
    """The teacher of each real step is the student of that step, to the last bit."""
    model = MODELS.build(toy_adaptation_config(toy_root, toy_model_config(toy_root, dropout=0.5)))
    model.init_weights()
    config = dict(
        model=dict(optimizer=dict(type='AdamW', lr=1e-2), accumulative_counts=counts),
        discriminator=dict(optimizer=dict(type='Adam', lr=1e-3)),
    )
    wrapper = AdaptationOptimWrapperConstructor(config)(model)
    wrapper.initialize_count_status(model, 0, 8)
    runner = SimpleNamespace(model=model.train(), optim_wrapper=wrapper, iter=0)
    hook = MeanTeacherHook(momentum=1.0)
    hook.before_train(runner)
    start = weights(model.student)
    for runner.iter in range(8):
        assert not changed(model.teacher, weights(model.student))
        model.train_step(toy_batch(('synthetic', 'real')[runner.iter % 2], 2), wrapper)
        hook.after_train_iter(runner, runner.iter)
    assert changed(model.student, start)


def test_init_weights_makes_the_teacher_a_copy(toy_root):
    model = MODELS.build(toy_adaptation_config(toy_root))
    with torch.no_grad():
        next(model.teacher.backbone.parameters()).add_(1)
    model.init_weights()
    assert not changed(model.teacher, weights(model.student))


def test_both_share_one_body_and_one_codec(model):
    assert model.teacher.body_model is model.student.body_model
    assert model.teacher.motion_codec is model.student.motion_codec is model.motion_codec


@pytest.mark.parametrize('predict_on', ['student', 'teacher'])
def test_predict_on_chooses_who_is_tested(built, predict_on):
    model = copy.deepcopy(built).eval()
    model.predict_on = predict_on
    for parameter in getattr(
        model, 'student' if predict_on == 'teacher' else 'teacher'
    ).parameters():
        parameter.data.fill_(torch.nan)
    sample = model.test_step(toy_batch('real', 1))[0]
    assert sample.pred_instances.body_pose.isfinite().all()


def test_pseudo_labels_have_no_graph_and_the_teacher_gets_no_gradient(model, wrappers):
    wrapper = wrappers(model)
    model.train_step(toy_batch('synthetic', 2), wrapper)
    labels = model.pseudo_label(model.data_preprocessor(toy_batch('real', 2))['inputs'])
    for field in ('body_pose_R', 'R_c', 'transl_c', 'velocity'):
        assert not getattr(labels.prediction, field).requires_grad, field
    model.train_step(toy_batch('real', 2), wrapper)
    assert all(p.grad is None and not p.requires_grad for p in model.teacher.parameters())


def test_the_teacher_never_trains(model, wrappers):
    assert model.student.training and not model.teacher.training
    model.train()  # As the loop does before each iteration.
    assert not any(module.training for module in model.teacher.modules())
    one, two = (model.data_preprocessor(toy_batch('real', 2))['inputs'] for _ in range(2))
    first, second = model.teacher.infer(one), model.teacher.infer(two)
    assert torch.equal(first.x, second.x)


@pytest.mark.parametrize('min_keypoint_score, fitted', [(0.5, True), (0.95, False)])
def test_the_fit_at_test_time_looks_at_the_detections_of_training(
    toy_root, min_keypoint_score, fitted
):
    reprojection = dict(type='ReprojectionLoss', min_keypoint_score=min_keypoint_score)
    found = []
    for refiner in (None, dict(type='KeypointRefiner', steps=2)):
        estimator = toy_model_config(toy_root, test_cfg=dict(refiner=refiner))
        torch.manual_seed(0)
        config = toy_adaptation_config(
            toy_root, estimator, losses=dict(reprojection=reprojection), predict_on='teacher'
        )
        (sample,) = MODELS.build(config).eval().test_step(toy_batch('real', 1))
        found.append(sample.pred_instances.body_pose)
    assert torch.allclose(*found, atol=1e-5) != fitted
