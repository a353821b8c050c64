"""A shipped model as a second hypothesis of pseudo-labels."""

import pytest
import torch
from mmengine.dataset import pseudo_collate

from gvhmr_da_mm.core.camera import perspective_project
from gvhmr_da_mm.core.errors import CheckpointError, ConfigError, MissingFilesError
from gvhmr_da_mm.datasets import EMDBDataset
from gvhmr_da_mm.evaluation.functional import pa_mpjpe
from gvhmr_da_mm.models.adaptation import PoseLifter
from gvhmr_da_mm.registry import MODELS
from tests.testing import toy_adaptation_config, toy_inputs


@pytest.fixture(scope='module')
def lifter():
    return PoseLifter()


@pytest.fixture
def lift(lifter, toy_model):
    def run(inputs):
        predicted = toy_model.infer(inputs)
        return predicted, lifter(predicted, inputs, toy_model)

    return run


def test_keypoints_alone_are_lifted(lift, lifter, toy_model):
    inputs = toy_inputs()
    predicted, lifted = lift(inputs)
    changed = {**inputs, 'f_imgseq': inputs['f_imgseq'].flip(1)}
    again = lifter(predicted, changed, toy_model)
    torch.testing.assert_close(again.body_pose_R, lifted.body_pose_R, rtol=0, atol=0)
    changed = {**inputs, 'kp2d': inputs['kp2d'].flip(1)}
    assert not torch.allclose(lifter(predicted, changed, toy_model).R_c, lifted.R_c, atol=1e-3)


def test_the_person_has_the_teachers_shape_and_the_same_place_in_the_image(lift, lifter, toy_model):
    inputs = toy_inputs()
    predicted, lifted = lift(inputs)
    assert torch.equal(lifted.betas, predicted.betas)
    own = lifter.network.infer(inputs)

    def pelvis(prediction):
        return prediction.transl_c + toy_model.body_model.skeleton(prediction.betas)[..., 0, :]

    pixels = [
        perspective_project(pelvis(one)[..., None, :], inputs['K_fullimg']) for one in (own, lifted)
    ]
    torch.testing.assert_close(*pixels, rtol=1e-4, atol=1e-2)
    heights = [_height(toy_model.body_model.skeleton(one.betas)) for one in (own, lifted)]
    depths = [pelvis(one)[..., 2] for one in (own, lifted)]
    # Of bodies with other proportions no two measures of size agree exactly.
    torch.testing.assert_close(heights[0] / depths[0], heights[1] / depths[1], rtol=0.05, atol=0)


def _height(skeleton):
    return skeleton[..., 15, 1] - skeleton[..., 10, 1]


def test_joints_that_never_move_stay_as_predicted(lifter, toy_model):
    inputs = toy_inputs()
    std = toy_model.motion_codec.std
    std[: 21 * 6] = 1.0
    std[9 * 6 : 10 * 6] = 1e-6
    predicted = toy_model.infer(inputs)
    lifted = lifter(predicted, inputs, toy_model)
    free = torch.arange(21) != 9
    torch.testing.assert_close(lifted.body_pose_R[:, :, 9], predicted.body_pose_R[:, :, 9])
    own = lifter.network.infer(inputs)
    torch.testing.assert_close(
        lifted.body_pose_R[:, :, free], own.body_pose_R[:, :, free], rtol=0, atol=1e-5
    )


@torch.no_grad()
def test_it_knows_poses_that_an_untrained_teacher_does_not(lifter, toy_model, toy_root):
    dataset = EMDBDataset(toy_root, split='train', real_supervision='labels')
    data = toy_model.data_preprocessor(pseudo_collate([dataset[0]]))
    inputs, labels = data['inputs'], data['data_samples'][0].gt_instances
    predicted = toy_model.infer(inputs)
    truth = toy_model.body_model.fk(
        labels.body_pose, labels.betas, labels.global_orient_c, labels.transl_c
    )

    def error(prediction):
        joints = toy_model.body_model.fk_matrices(*prediction.camera_pose)
        return float(pa_mpjpe(joints[0][inputs['valid'][0]], truth[inputs['valid'][0]]).mean())

    assert error(lifter(predicted, inputs, toy_model)) < 0.5 * error(predicted)


class TestLabels:
    def labeler(self, toy_root, **changes):
        changes = dict(
            num_augmentations=1, threshold=-1.0, lifter=dict(type='PoseLifter'), **changes
        )
        model = MODELS.build(toy_adaptation_config(toy_root, pseudo_labeler=changes))
        model.init_weights()
        return model.eval()

    def test_both_hypotheses_are_fused(self, toy_root):
        model = self.labeler(toy_root)
        labels = model.pseudo_label(toy_inputs())
        assert labels.selection.shape == (2, 2) and labels.selection.all()
        assert (labels.spread > 0).all()

    def test_without_keypoints_nothing_is_lifted(self, toy_root):
        model = self.labeler(toy_root)
        inputs = dict(toy_inputs(), has_kp2d=torch.tensor([True, False]))
        labels = model.pseudo_label(inputs)
        assert labels.selection.tolist() == [[True, True], [True, False]]
        own = model.teacher.infer(inputs)
        torch.testing.assert_close(labels.prediction.body_pose_R[1], own.body_pose_R[1])

    def test_reading_it_draws_no_random_numbers(self, toy_root):
        model = self.labeler(toy_root)
        before = torch.get_rng_state()
        assert model.pseudo_labeler.lifter.network is model.pseudo_labeler.lifter.network
        assert torch.equal(torch.get_rng_state(), before)

    def test_checkpoints_do_not_hold_it(self, toy_root):
        model = self.labeler(toy_root)
        names = set(model.state_dict())
        model.pseudo_label(toy_inputs())
        assert set(model.state_dict()) == names


class TestBadInput:
    def test_no_such_model(self):
        with pytest.raises(MissingFilesError, match='gvhmr-keypoints-s'):
            _ = PoseLifter('gvhmr-keypoint-s').network

    def test_no_config(self, tmp_path):
        torch.save(dict(state_dict=dict(weight=torch.zeros(1))), tmp_path / 'plain.pth')
        with pytest.raises(ConfigError, match=r'plain\.pth.*model\.backbone'):
            _ = PoseLifter(str(tmp_path / 'plain.pth')).network

    def test_other_weights(self, lifter, tmp_path):
        config = (
            "model = dict(backbone=dict(type='RotaryTemporalTransformer', latent_dim=32), "
            "head=dict(type='MotionHead', latent_dim=32), motion_codec=dict(type='MotionCodec'))"
        )
        content = dict(state_dict=lifter.network.state_dict(), meta=dict(cfg=config))
        torch.save(content, tmp_path / 'other.pth')
        with pytest.raises(CheckpointError, match='does not fit'):
            _ = PoseLifter(str(tmp_path / 'other.pth')).network

    def test_spread(self):
        with pytest.raises(ConfigError, match='min_std'):
            PoseLifter(min_std=0.0)
