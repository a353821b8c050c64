"""One iteration of each domain: losses and updates of the student."""

import copy
from dataclasses import replace

import pytest
import torch

from gvhmr_da_mm.core.errors import ConfigError, DataError
from gvhmr_da_mm.core.layout import MOTION
from gvhmr_da_mm.engine import AdaptationOptimWrapperConstructor
from gvhmr_da_mm.models import DomainAdaptiveGVHMR
from gvhmr_da_mm.models.heads.motion_discriminator import discriminator_pose
from gvhmr_da_mm.models.refiners import FootContactOdometry
from gvhmr_da_mm.registry import MODELS
from tests.testing import toy_adaptation_config, toy_batch, toy_model_config

from .learning import changed, steps, weights

NEVER = 2.0
"""A threshold that no confidence reaches."""


# A synthetic batch


def test_a_synthetic_batch_teaches_the_student_alone(model, wrappers):
    wrapper = wrappers(model)
    parts = (model.student, model.critic.discriminator, model.teacher)
    before = [weights(part) for part in parts]
    logs = model.train_step(toy_batch('synthetic', 2), wrapper)
    student, discriminator, teacher = (changed(*pair) for pair in zip(parts, before))
    assert student and not discriminator and not teacher
    assert steps(wrapper['model']) == 1 and steps(wrapper['discriminator']) == 0
    assert logs.pop('loss') == logs['synthetic_loss']
    assert all(name.startswith('synthetic_') for name in logs)
    terms = sum(value for name, value in logs.items() if name != 'synthetic_loss')
    torch.testing.assert_close(logs['synthetic_loss'], terms)


def test_its_motion_joins_the_queue_of_true_motion(model, wrappers):
    wrapper, batch = wrappers(model), toy_batch('synthetic', 3, lengths=[16, 9, 16])
    assert len(model.critic.queue) == 0
    model.train_step(batch, wrapper)
    assert len(model.critic.queue) == 3
    pose = batch['data_samples'][1].gt_instances.body_pose
    stored, valid = model.critic.queue.body_pose[1], model.critic.queue.valid[1]
    torch.testing.assert_close(stored[:9], discriminator_pose(pose)[:9])
    assert valid.sum() == 9 and not stored[9:].any()


@pytest.mark.parametrize('weight', [0.0, 0.5])
def test_synthetic_weight(built, wrappers, weight):
    logs = {}
    for value in (1.0, weight):
        torch.manual_seed(1)
        model = copy.deepcopy(built).train()
        model.synthetic_weight = value
        logs[value] = model.train_step(toy_batch('synthetic', 2), wrappers(model))
    torch.testing.assert_close(logs[weight]['synthetic_loss'], weight * logs[1.0]['synthetic_loss'])


def test_a_critic_can_learn_from_labelled_clips_while_the_student_stands_still(model, wrappers):
    wrapper = wrappers(model)
    model.synthetic_weight, model.critic.learn_from_synthetic = 0.0, True
    parts = (model.student, model.critic.discriminator)
    before = [weights(part) for part in parts]
    logs = model.train_step(toy_batch('synthetic', 2), wrapper)
    student, discriminator = (changed(*pair) for pair in zip(parts, before))
    assert discriminator and not student
    assert logs['loss'] == 0 and len(model.critic.queue) == 2
    assert logs['discriminator_real_loss'] > 0 and logs['discriminator_fake_loss'] > 0


# A real batch


def test_a_real_batch_teaches_the_student_and_then_the_discriminator(model, wrappers):
    wrapper = wrappers(model)
    model.train_step(toy_batch('synthetic', 2), wrapper)
    parts = (model.student, model.critic.discriminator, model.teacher)
    before = [weights(part) for part in parts]
    logs = model.train_step(toy_batch('real', 2), wrapper)
    student, discriminator, teacher = (changed(*pair) for pair in zip(parts, before))
    assert student and discriminator and not teacher
    assert steps(wrapper['model']) == 2 and steps(wrapper['discriminator']) == 1
    assert logs['selection_rate'] == 1 and logs['real_loss'] > 0
    assert 0 < logs['confidence_mean'] < 1
    assert logs['pseudo_label_spread'] > 0
    # Hooks of others read it.
    student_terms = ('real_loss', 'reprojection_loss', 'generator_adversarial_loss')
    torch.testing.assert_close(logs['loss'], sum(logs[name] for name in student_terms))
    assert len(model.critic.queue) == 2  # Predictions and pseudo-labels are never true motion.


def test_without_any_weight_the_student_stands_still(model, wrappers):
    model.critic.adversarial_weight = 0.0
    for loss in model.losses.values():
        loss.loss_weight = 0.0
    config = dict(
        model=dict(optimizer=dict(type='SGD', lr=1e-3)),
        discriminator=dict(optimizer=dict(type='Adam', lr=1e-3)),
    )
    wrapper = AdaptationOptimWrapperConstructor(config)(model)
    before = weights(model.student)
    model.train_step(toy_batch('real', 2), wrapper)
    assert not changed(model.student, before)


def test_nothing_kept_is_an_exact_zero_with_a_graph(model):
    model.pseudo_labeler.threshold = NEVER
    inputs = model.data_preprocessor(toy_batch('real', 2))['inputs']
    labels = model.pseudo_label(inputs)
    assert not labels.keep.any()
    prediction = model.predict_noised(inputs)
    body = model.student.skin(prediction)
    losses = model.losses['pseudo'](prediction, body, labels, inputs, model.student)
    for name, loss in losses.items():
        assert loss == 0, name
    total = sum(losses.values())
    assert total.requires_grad
    total.backward()
    for name, parameter in model.student.named_parameters():
        assert parameter.grad is None or not parameter.grad.any(), name


def test_only_kept_samples_teach(built):
    model = copy.deepcopy(built).eval()
    inputs = model.data_preprocessor(toy_batch('real', 2))['inputs']
    labels = model.pseudo_label(inputs)
    labels = replace(labels, keep=torch.tensor([True, False]))
    prediction = model.student.infer(inputs)
    shifted = prediction.replace(transl_c=prediction.transl_c + 0.1, x=prediction.x + 0.1)
    shifted.x.retain_grad()
    body = model.student.skin(shifted)
    losses = model.losses['pseudo'](shifted, body, labels, inputs, model.student)
    losses['simple_loss'].backward()
    assert shifted.x.grad[0].any() and not shifted.x.grad[1].any()


def test_labels_walk_as_their_feet_say(toy_root, built, wrappers):
    model = MODELS.build(
        toy_adaptation_config(
            toy_root, pseudo_labeler=dict(trajectory=dict(type='FootContactOdometry'))
        )
    )
    model.load_state_dict(built.state_dict())
    inputs = model.data_preprocessor(toy_batch('real', 2))['inputs']
    theirs, labels = built.pseudo_label(inputs).prediction, model.pseudo_label(inputs).prediction
    expected = FootContactOdometry()(theirs, inputs['cam_angvel'], model.student.body_model)
    torch.testing.assert_close(labels.velocity, expected.velocity)
    assert not labels.velocity.allclose(theirs.velocity)
    logs = model.train().train_step(toy_batch('real', 2), wrappers(model))
    assert logs['real_transl_w_loss'] > 0


@pytest.mark.parametrize('real_shape', [True, False])
def test_keypoints_do_not_teach_the_shape_unless_asked_to(toy_root, real_shape):
    model = MODELS.build(toy_adaptation_config(toy_root, real_shape=real_shape)).train()
    inputs = model.data_preprocessor(toy_batch('real', 2))['inputs']
    prediction = model.predict_noised(inputs)
    prediction.x.retain_grad()
    residual = model.reprojection.residual(model.student.coco_joints(prediction), inputs)
    model.reprojection(residual).backward()
    assert prediction.x.grad[..., MOTION.body_pose].any()
    assert prediction.x.grad[..., MOTION.betas].any() == real_shape


def test_training_uses_what_the_hooks_write(model, wrappers):
    wrapper = wrappers(model)
    rates = []
    for threshold in (0.0, NEVER):
        model.pseudo_labeler.threshold = threshold
        rates.append(float(model.train_step(toy_batch('real', 2), wrapper)['selection_rate']))
    assert rates == [1.0, 0.0]


def test_more_views_spread_more_than_none(toy_root, wrappers):
    for count in (1, 2, 3):
        model = MODELS.build(
            toy_adaptation_config(toy_root, pseudo_labeler=dict(num_augmentations=count))
        )
        model.init_weights()
        assert len(model.pseudo_labeler.views) == count - 1
        logs = model.train().train_step(toy_batch('real', 2), wrappers(model))
        assert (logs['pseudo_label_spread'] > 0) == (count > 1)


def labelled_real_batch():
    """Return what datasets give with `real_supervision='labels'`."""
    batch = toy_batch('real', 2)
    for sample, other in zip(batch['data_samples'], toy_batch('synthetic', 2)['data_samples']):
        sample.gt_instances = other.gt_instances
    return batch


def test_real_clips_with_labels_are_supervised_and_never_pass_for_true_motion(model, wrappers):
    wrapper = wrappers(model)
    before = weights(model.student), weights(model.critic.discriminator)
    logs = model.train_step(labelled_real_batch(), wrapper)
    assert changed(model.student, before[0]) and not changed(model.critic.discriminator, before[1])
    assert len(model.critic.queue) == 0
    assert logs.pop('loss') == logs['real_loss']
    assert all(name.startswith('real_') for name in logs)
    assert 'selection_rate' not in logs  # No pseudo-label was made.


def test_real_clips_with_and_without_labels_are_not_mixed(model, wrappers):
    batch = labelled_real_batch()
    del batch['data_samples'][1].gt_instances
    with pytest.raises(DataError, match='toy_real.*same `real_supervision`'):
        model.train_step(batch, wrappers(model))


def test_a_clip_without_keypoints_or_features_is_fine(model, wrappers):
    batch = toy_batch('real', 2)
    for index in range(2):
        batch['inputs']['kp2d'][index][..., 2] = 0
        batch['inputs']['has_kp2d'][index] = torch.tensor(False)
        batch['inputs']['has_imgfeat'][index] = torch.tensor(False)
    logs = model.train_step(batch, wrappers(model))
    assert logs['reprojection_loss'] == 0
    assert all(value.isfinite() for value in logs.values())
    assert all(p.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize('view', ['HorizontalFlip', 'CameraRoll', 'BoxJitter'])
@pytest.mark.parametrize('frames', [1, 16])
def test_boxes_of_size_zero_leave_the_weights_finite(toy_root, wrappers, view, frames):
    labeler = dict(views=[dict(type=view)])
    config = toy_adaptation_config(toy_root, pseudo_labeler=labeler, student_view=dict(type=view))
    model = MODELS.build(config).train()
    wrapper = wrappers(model)
    model.train_step(toy_batch('synthetic', 2), wrapper)
    batch = toy_batch('real', 2, length=frames)
    batch['inputs']['bbx_xys'][0][: frames // 2 + 1, 2] = 0
    logs = model.train_step(batch, wrapper)
    assert logs['selection_rate'] > 0
    assert all(value.isfinite() for value in logs.values())
    assert all(p.isfinite().all() for p in model.parameters())


def test_one_nan_clip_does_not_reach_the_pseudo_labels(model):
    batch = toy_batch('real', 2)
    batch['inputs']['cam_angvel'][1][3] = torch.nan
    labels = model.pseudo_label(model.data_preprocessor(batch)['inputs'])
    assert labels.keep.tolist() == [True, False]
    assert labels.prediction.transl_c.isfinite().all()


def test_bf16_trains(built, wrappers):
    config = dict(
        model=dict(precision='bf16', optimizer=dict(type='AdamW', lr=1e-3)),
        discriminator=dict(precision='bf16', optimizer=dict(type='Adam', lr=1e-3)),
    )
    model = copy.deepcopy(built).train()
    wrapper = AdaptationOptimWrapperConstructor(config)(model)
    seen = []
    layer = model.student.backbone.blocks[0].attn.query
    layer.register_forward_hook(lambda module, args, output: seen.append(output.dtype))
    logs = model.train_step(toy_batch('synthetic', 2), wrapper)
    logs.update(model.train_step(toy_batch('real', 2), wrapper))
    assert torch.bfloat16 in seen
    assert all(value.isfinite() for value in logs.values())
    assert {name for name, value in logs.items() if value.dtype != torch.float32} == set()
    assert all(p.dtype == torch.float32 and p.isfinite().all() for p in model.parameters())


def test_views_of_the_student_keep_full_precision_in_mixed_precision(toy_root, monkeypatch):
    config = toy_adaptation_config(toy_root, student_view=dict(type='HorizontalFlip'))
    model = MODELS.build(config)
    inputs = model.data_preprocessor(toy_batch('real', 2))['inputs']
    network = model.student.infer(inputs)
    monkeypatch.setattr(model.student, 'infer', lambda *_, **__: network)
    exact = model.predict_noised(inputs)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        mixed = model.predict_noised(inputs)
    assert torch.equal(mixed.transl_c, exact.transl_c)


# Batches and arguments


def test_the_queue_holds_clips_as_long_as_the_datasets_make_them(toy_root, wrappers):
    queue = dict(type='MotionQueue', size=8, max_len=130)
    model = MODELS.build(toy_adaptation_config(toy_root, critic=dict(queue=queue))).train()
    model.train_step(toy_batch('synthetic', 1, length=130), wrappers(model))
    assert model.critic.queue.valid[0].sum() == 130
    assert model.critic.queue.sample(2)[0].shape == (2, 130, 69)


def test_a_batch_of_both_domains_is_refused(model, wrappers):
    batch = toy_batch('synthetic', 2)
    batch['data_samples'][1] = toy_batch('real', 1)['data_samples'][0]
    before = weights(model)
    with pytest.raises(DataError, match=r"\['real', 'synthetic'\].*AlternatingMultiSourceSampler"):
        model.train_step(batch, wrappers(model))
    assert not changed(model, before)


@pytest.mark.parametrize('count', [0, -1, 4])
def test_bounds_of_num_augmentations(toy_root, count):
    message = f'between 1 and 3 with 2 view.*got {count}'
    with pytest.raises(ConfigError, match=message):
        MODELS.build(toy_adaptation_config(toy_root, pseudo_labeler=dict(num_augmentations=count)))


def test_unknown_choices_are_named(toy_root):
    with pytest.raises(ConfigError, match="`predict_on` should be.*'ema'"):
        MODELS.build(toy_adaptation_config(toy_root, predict_on='ema'))


@pytest.mark.parametrize(
    'changes, name',
    [
        (dict(synthetic_weight=-1.0), 'synthetic_weight'),
        (dict(losses=dict(pseudo=dict(type='PseudoLabelLoss', loss_weight=-1.0))), 'PseudoLabel'),
        (dict(losses=dict(contact=dict(type='ContactConsistencyLoss', loss_weight=-1))), 'Contact'),
        (dict(critic=dict(adversarial_weight=-0.5)), 'adversarial_weight'),
        (dict(critic=dict(steps=-1)), 'steps'),
    ],
)
def test_impossible_weights_are_named(toy_root, changes, name):
    with pytest.raises(ConfigError, match=f'{name}.*at least 0'):
        MODELS.build(toy_adaptation_config(toy_root, **changes))


# Defaults, and parts that are left out


def test_the_class_builds_with_its_own_defaults(toy_root, wrappers):
    model = DomainAdaptiveGVHMR(toy_model_config(toy_root)).train()
    wrapper = wrappers(model)
    for domain in ('synthetic', 'real'):
        logs = model.train_step(toy_batch(domain, 2), wrapper)
        assert all(value.isfinite() for value in logs.values())
    assert logs['contact_loss'] >= 0 and logs['reprojection_loss'] > 0


def test_without_a_critic_keypoints_alone_give_the_confidence(toy_root, wrappers):
    by_keypoints = dict(
        type='PseudoLabeler',
        confidence=dict(type='CombinedConfidence', weights=dict(reprojection=1.0)),
        threshold=0.0,
    )
    config = dict(estimator=toy_model_config(toy_root), critic=None)
    model = DomainAdaptiveGVHMR(**config, pseudo_labeler=by_keypoints).train()
    wrapper = wrappers(model)
    assert list(wrapper.keys()) == ['model']
    model.train_step(toy_batch('synthetic', 2), wrapper)
    logs = model.train_step(toy_batch('real', 2), wrapper)
    assert logs['selection_rate'] == 1 and 'discriminator_real_loss' not in logs
    assert not any(name.startswith('critic') for name in model.state_dict())
    with pytest.raises(ConfigError, match='`critic` is None.*dict.reprojection=1.0.'):
        DomainAdaptiveGVHMR(**config)


def test_losses_that_are_not_named_stay(toy_root, wrappers):
    model = DomainAdaptiveGVHMR(toy_model_config(toy_root), losses=dict(contact=None)).train()
    assert model.losses['contact'].loss_weight == 0
    assert model.losses['reprojection'].loss_weight == 300
    assert 'contact_loss' not in model.train_step(toy_batch('real', 2), wrappers(model))


@pytest.mark.parametrize(
    'name, loss, message',
    [
        ('reprojetion', None, "None, but there is no loss.*did you mean 'reprojection'"),
        ('jionts', None, 'None, but there is no loss.*it has contact, pseudo, reprojection'),
        ('reprojetion', dict(type='ReprojectionLoss'), 'beside `losses.reprojection`; did you me'),
        ('contacts', dict(type='ContactConsistencyLoss', loss_weight=2), "did you mean 'contact'"),
        ('real', dict(type=torch.nn.Identity), '`real_loss` is logged'),
        ('jionts', dict(type=torch.nn.Identity), 'should have a `loss_weight`.*got a Identity'),
    ],
)
def test_misspelt_losses_are_named(toy_root, name, loss, message):
    """They would turn nothing off, or be added to the one that was meant."""
    with pytest.raises(ConfigError, match=f'`losses.{name}`.*{message}'):
        DomainAdaptiveGVHMR(toy_model_config(toy_root), critic=None, losses={name: loss})
