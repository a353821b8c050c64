"""The supervised losses against the golden cases, and where the published code errs."""

import pytest
import torch

from gvhmr_da_mm.core.conventions import STATIC_SPEED
from gvhmr_da_mm.core.filtering import length_to_mask
from gvhmr_da_mm.models import GVHMRLoss
from gvhmr_da_mm.models.checkpoint_keys import ours_to_published
from gvhmr_da_mm.structures import BodyTargets, MotionTargets
from tests.golden_cases import cases
from tests.golden_models import golden_model

TERMS = dict(
    simple='simple_loss',
    cr_j3d='cr_j3d_loss',
    transl_c='transl_c_loss',
    j2d='j2d_loss',
    cr_verts='cr_vert_loss',
    verts2d='verts2d_loss',
    transl_w='transl_w_loss',
    static_conf='static_conf_loss',
)


def read_batch(case):
    """Return inputs, targets and body targets of a golden training batch."""
    length = case.input('length')
    frames = case.input('bbx_xys').shape[1]
    labels = {name: case.input(f'smpl_params_c/{name}') for name in ('body_pose', 'betas')}
    for frame in 'cw':
        for name in ('global_orient', 'transl'):
            labels[f'{name}_{frame}'] = case.input(f'smpl_params_{frame}/{name}')
    labels['R_c2gv'] = case.input('R_c2gv')
    inputs = dict(
        bbx_xys=case.input('bbx_xys'),
        K_fullimg=case.input('K_fullimg'),
        cam_angvel=case.input('cam_angvel'),
        f_imgseq=case.input('f_imgseq'),
        kp2d=case.input('kp2d'),
        valid=length_to_mask(length, frames),
        has_imgfeat=torch.ones(len(length), dtype=torch.bool),
    )
    targets = MotionTargets.from_labels(
        labels, case.input('mask/valid'), case.input('mask/spv_incam_only')
    )
    body_targets = BodyTargets(
        case.input('gt_j3d'), case.input('gt_c_verts437'), case.input('gt_cr_verts437')
    )
    return inputs, targets, body_targets


def observed_prediction(model, case, inputs):
    """Predict from the golden observation, which is normalised already."""
    conditions = dict(model.conditions(inputs), obs=case.input('obs'))
    length = case.input('length')
    raw = model.head(model.backbone(length=length, **conditions), length)
    return model.decode(raw, inputs)


@pytest.mark.goldens
@pytest.mark.parametrize('dtype', [torch.float64, torch.float32], ids=['f64', 'f32'])
def test_losses_equal_the_published_ones(goldens, dtype):
    for case in cases(goldens, '05_losses*.npz', dtype):
        model = golden_model(goldens, dtype)
        inputs, targets, body_targets = read_batch(case)
        prediction = observed_prediction(model, case, inputs)
        case.check('model_pred_x', prediction.x)
        case.check('model_pred_cam', prediction.pred_cam)
        case.check('model_static_conf_logits', prediction.static_logits)
        case.check('pred_incam_transl', prediction.transl_c)
        target_x = model.motion_codec.encode_matrices(
            targets.body_pose_R, targets.betas, targets.R_c, targets.R_gv, targets.velocity
        )
        case.check('target_x', target_x)

        assert case.param('vel_thr') == STATIC_SPEED
        for name in model.loss_module.weights:
            if name != 'simple':
                published = 'static_conf_bce' if name == 'static_conf' else name
                model.loss_module.weights[name] = case.param(f'weight_{published}')
        body = model.skin(prediction)
        arguments = (prediction, targets, body_targets, target_x, inputs, body, model.body_model)
        terms = model.loss_module.terms(*arguments)
        for name, published in TERMS.items():
            case.check(published, terms[name])
        total = sum(model.loss_module(*arguments).values())
        case.check('loss', total)

        total.backward()
        gradients = ours_to_published(
            {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
        )
        names = case.names('out_gradnorm/')
        assert set(names) == set(gradients)
        for name in names:
            case.check(f'gradnorm/{name}', gradients[name].norm())


def test_the_default_weights_are_the_published_ones():
    weights = GVHMRLoss().weights
    published = dict(cr_j3d=500, cr_verts=500, j2d=1000, verts2d=1000)
    assert weights == {**dict.fromkeys(weights, 1), **published}


@pytest.mark.goldens
def test_boxes_of_size_zero_give_finite_losses_and_gradients(goldens):
    case = cases(goldens, '05_losses*.npz', torch.float32)[0]
    model = golden_model(goldens, torch.float32)
    inputs, targets, body_targets = read_batch(case)
    inputs['bbx_xys'] = inputs['bbx_xys'].clone()
    inputs['bbx_xys'][0, :5, 2] = 0
    losses = model.target_loss(
        observed_prediction(model, case, inputs), targets, body_targets, inputs
    )
    sum(losses.values()).backward()
    assert all(loss.isfinite() for loss in losses.values())
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)


@pytest.mark.goldens
def test_the_batch_is_not_modified(goldens):
    case = cases(goldens, '05_losses*.npz', torch.float32)[0]
    model = golden_model(goldens, torch.float32)
    inputs, targets, body_targets = read_batch(case)
    before = {name: value.clone() for name, value in inputs.items()}
    targets_before = targets[...]._map(torch.clone)
    model.target_loss(observed_prediction(model, case, inputs), targets, body_targets, inputs)
    assert all(torch.equal(before[name], inputs[name]) for name in before)
    assert torch.equal(targets_before.transl_c, targets.transl_c)
    assert torch.equal(targets_before.R_gv, targets.R_gv)


@pytest.mark.goldens
def test_normalising_by_valid_frames_undoes_the_share_of_padding(goldens):
    case = cases(goldens, '05_losses*.npz', torch.float64)[0]
    model = golden_model(goldens, torch.float64)
    inputs, targets, body_targets = read_batch(case)
    prediction = observed_prediction(model, case, inputs)
    plain = model.target_loss(prediction, targets, body_targets, inputs)
    model.loss_module.normalize_by_valid = True
    normalised = model.target_loss(prediction, targets, body_targets, inputs)
    share = targets.valid.double().mean()
    for name, value in plain.items():
        assert torch.allclose(normalised[name] * share, value)
