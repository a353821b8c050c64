import pytest
import torch

from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.core.rotation import axis_angle_to_matrix
from gvhmr_da_mm.models.adaptation import (
    CombinedConfidence,
    pairwise_angle,
    reprojection_confidence,
    view_agreement,
)

DOUBLE = torch.float64


class TestReprojection:
    def test_perfect_prediction(self, scene):
        points = scene.camera_points()
        points[..., 2] += 100  # Nothing behind the camera.
        inputs = dict(scene.inputs(), kp2d=_project(points, scene.K))
        score, evidence = reprojection_confidence(points, inputs)
        assert evidence.all()
        torch.testing.assert_close(score, torch.ones(3, dtype=DOUBLE))

    def test_residual_is_relative_to_the_box(self, scene):
        points = scene.camera_points() + torch.tensor([0, 0, 100.0])
        inputs = dict(scene.inputs(), kp2d=_project(points, scene.K))
        inputs['kp2d'][..., 0] += 0.1 * scene.bbx_xys[..., None, 2]
        score, _ = reprojection_confidence(points, inputs, scale=0.05)
        torch.testing.assert_close(score, torch.full((3,), -2.0, dtype=DOUBLE).exp())

    def test_an_outlier_counts_once(self, scene):
        points = scene.camera_points() + torch.tensor([0, 0, 100.0])
        inputs = dict(scene.inputs(), kp2d=_project(points, scene.K))
        inputs['kp2d'][:, :, 0, :2] += 1e7
        score, _ = reprojection_confidence(points, inputs, scale=0.05, clamp=0.25)
        expected = torch.tensor(-0.25 / 17 / 0.05, dtype=DOUBLE).exp().expand(3)
        torch.testing.assert_close(score, expected)

    def test_only_confident_valid_detections_count(self, scene):
        points = scene.camera_points() + torch.tensor([0, 0, 100.0])
        inputs = dict(scene.inputs(), kp2d=_project(points, scene.K))
        inputs['kp2d'][:, :, :5] = float('nan')
        inputs['kp2d'][:, :, :5, 2] = 0.5
        inputs['kp2d'][~scene.valid] = float('nan')
        inputs['kp2d'][2, ..., 2] = 0
        score, evidence = reprojection_confidence(points, inputs)
        assert evidence.tolist() == [True, True, False]
        torch.testing.assert_close(score, torch.tensor([1.0, 1, 0], dtype=DOUBLE))

    def test_broken_prediction_is_not_trusted(self, scene):
        points = scene.camera_points() + torch.tensor([0, 0, 100.0])
        inputs = dict(scene.inputs(), kp2d=_project(points, scene.K))
        points[1, 0, 3] = float('nan')
        score, evidence = reprojection_confidence(points, inputs)
        assert evidence.all()
        torch.testing.assert_close(score, torch.tensor([1.0, 0, 1], dtype=DOUBLE))


def _project(points, K):
    pixels = (points / points[..., 2:]) @ K.transpose(-1, -2)
    return torch.cat((pixels[..., :2], torch.ones_like(pixels[..., :1])), dim=-1)


class TestAgreement:
    def turned(self, prediction, angle):
        turn = axis_angle_to_matrix(torch.tensor([angle, 0, 0], dtype=DOUBLE))
        return prediction.replace(
            body_pose_R=prediction.body_pose_R @ turn, R_c=prediction.R_c @ turn
        )

    def test_the_odd_one_out_scores_least(self, scene):
        first = scene.predict(scene.inputs())
        candidates = [first, self.turned(first, 0.1), self.turned(first, 1.0)]
        angles = pairwise_angle(candidates)
        expected = torch.tensor([[0, 0.1, 1], [0.1, 0, 0.9], [1, 0.9, 0]], dtype=DOUBLE)
        torch.testing.assert_close(angles, expected[..., None].expand(3, 3, 3))
        score = view_agreement(candidates, scale=0.5)
        mean = torch.tensor([1.1, 1.0, 1.9], dtype=DOUBLE) / 2
        torch.testing.assert_close(score, (-mean / 0.5).exp()[:, None].expand(3, 3))

    def test_no_common_frame_is_no_agreement(self, scene):
        first = scene.predict(scene.inputs())
        second = first.replace(valid=torch.zeros_like(first.valid))
        assert (view_agreement([first, second]) == 0).all()
        assert (view_agreement([first, first]) == 1).all()

    def test_needs_two_views(self, scene):
        with pytest.raises(ConfigError, match='num_augmentations'):
            view_agreement([scene.predict(scene.inputs())])


class TestCombined:
    scores = dict(
        discriminator=torch.tensor([[0.2, 0.4]]),
        reprojection=(torch.tensor([[0.8, 0.0]]), torch.tensor([[True, False]])),
    )

    def test_the_discriminator_alone(self):
        combined = CombinedConfidence(dict(discriminator=1.0), mean='arithmetic')
        assert combined.sources == ('discriminator',)
        assert torch.equal(combined(self.scores), self.scores['discriminator'])

    def test_by_default_keypoints_count_most(self):
        combined = CombinedConfidence()
        assert set(combined.sources) == {'reprojection', 'discriminator'}
        expected = torch.tensor([[(0.8**4 * 0.2) ** (1 / 5), 0.4]])
        torch.testing.assert_close(combined(self.scores), expected)

    def test_weights_and_missing_evidence(self):
        combined = CombinedConfidence(dict(discriminator=1.0, reprojection=3.0), mean='arithmetic')
        torch.testing.assert_close(combined(self.scores), torch.tensor([[0.65, 0.4]]))

    def test_geometric_mean(self):
        combined = CombinedConfidence(dict(discriminator=1.0, reprojection=1.0), mean='geometric')
        torch.testing.assert_close(combined(self.scores), torch.tensor([[0.4, 0.4]]))
        zero = combined(dict(discriminator=torch.zeros(1, 1), reprojection=torch.ones(1, 1)))
        assert 0 <= zero < 1e-12

    @pytest.mark.parametrize('mean', ['arithmetic', 'geometric'])
    def test_no_evidence_or_broken_score_is_zero(self, mean):
        combined = CombinedConfidence(dict(reprojection=1.0), mean=mean)
        nothing = combined(dict(reprojection=(torch.ones(1, 2), torch.zeros(1, 2).bool())))
        assert (nothing == 0).all()
        broken = combined(dict(reprojection=torch.full((1, 2), float('nan'))))
        assert (broken < 1e-30).all()

    def test_errors(self):
        with pytest.raises(ConfigError, match='reprojection'):
            CombinedConfidence(dict(reprojection=1.0))(dict(discriminator=torch.ones(1, 1)))
        for weights in ({}, dict(discriminator=0.0), dict(discriminator=-1.0)):
            with pytest.raises(ConfigError, match='weights'):
                CombinedConfidence(weights)
        with pytest.raises(ConfigError, match='mean'):
            CombinedConfidence(mean='harmonic')
        with pytest.raises(ConfigError, match='reprojection_scale'):
            CombinedConfidence(reprojection_scale=0.0)
