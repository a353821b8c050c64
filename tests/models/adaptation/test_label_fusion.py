import pytest
import torch

from gvhmr_da_mm.core.camera import translation_from_weak_camera
from gvhmr_da_mm.core.errors import ConfigError, ShapeError
from gvhmr_da_mm.core.rotation import axis_angle_to_matrix, mean_rotation, relative_angle
from gvhmr_da_mm.models.adaptation import PseudoLabeler, fuse_candidates, fuse_rotations
from gvhmr_da_mm.registry import MODELS
from gvhmr_da_mm.structures.motion import MotionPrediction

DOUBLE = torch.float64
FIELDS = (
    'body_pose_R', 'betas', 'R_c', 'R_gv', 'velocity', 'transl_c', 'pred_cam', 'static_logits',
)  # fmt: skip


def random_prediction(batch=3, length=5, spread=1.0):
    def rotation(*shape):
        return axis_angle_to_matrix(torch.randn(*shape, 3, dtype=DOUBLE) * spread)

    def vector(size):
        return torch.randn(batch, length, size, dtype=DOUBLE)

    return MotionPrediction(
        body_pose_R=rotation(batch, length, 21),
        betas=vector(10),
        R_c=rotation(batch, length),
        R_gv=rotation(batch, length),
        velocity=vector(3),
        transl_c=vector(3) + torch.tensor([0, 0, 5.0]),
        pred_cam=vector(3),
        static_logits=vector(6),
        valid=torch.ones(batch, length, dtype=torch.bool),
    )


def confidences(*rows):
    return torch.tensor(rows, dtype=DOUBLE)


class TestFuseRotations:
    @pytest.mark.parametrize('count', [1, 2, 3, 5])
    def test_equals_the_decomposition(self, count):
        rotations = axis_angle_to_matrix(torch.randn(count, 500, 3, dtype=DOUBLE))
        weights = torch.rand(count, 500, dtype=DOUBLE) + 1e-3
        expected = mean_rotation(rotations.movedim(0, 1), weights.movedim(0, 1))
        angle = relative_angle(fuse_rotations(rotations, weights), expected)
        # Two rotations almost half a turn apart are ill-conditioned for any method.
        assert angle.max() < 1e-9

    def test_close_and_opposite_quaternions(self):
        base = torch.tensor([[0.0, 0, torch.pi - 1e-3]], dtype=DOUBLE)
        pair = axis_angle_to_matrix(
            torch.stack((base, base * (torch.pi + 1e-3) / (torch.pi - 1e-3)))
        )
        mean = fuse_rotations(pair, torch.ones(2, 1, dtype=DOUBLE))
        half_turn = torch.diag(torch.tensor([-1.0, -1, 1], dtype=DOUBLE))
        torch.testing.assert_close(mean[0], half_turn, rtol=0, atol=1e-12)

    @pytest.mark.parametrize('weights', [(1.0, 0.0), (0.0, 1.0), (0.9, 0.1), (0.1, 0.9)])
    def test_half_a_turn_apart_the_heavier_wins(self, weights):
        pair = torch.stack((torch.eye(3), torch.diag(torch.tensor([1.0, -1, -1])))).double()
        mean = fuse_rotations(pair, torch.tensor(weights, dtype=DOUBLE))
        assert torch.allclose(mean, pair[int(weights[1] > weights[0])])

    @pytest.mark.parametrize('dtype', [torch.float32, DOUBLE])
    def test_half_a_turn_apart_with_equal_weights_stays_a_rotation(self, dtype):
        pair = torch.stack((torch.eye(3), torch.diag(torch.tensor([1.0, -1, -1])))).to(dtype)
        mean = fuse_rotations(pair, torch.ones(2, dtype=dtype))
        assert torch.allclose(mean @ mean.T, torch.eye(3, dtype=dtype), atol=1e-6)

    def test_a_candidate_without_weight_changes_nothing(self):
        rotations = axis_angle_to_matrix(torch.randn(2, 50, 3, dtype=DOUBLE))
        mean = fuse_rotations(rotations, torch.tensor([0.0, 0.3], dtype=DOUBLE)[:, None])
        torch.testing.assert_close(mean, rotations[1], rtol=0, atol=1e-14)


class TestSelection:
    def test_strictly_greater_than_the_threshold(self):
        candidates = [random_prediction(), random_prediction()]
        labels = fuse_candidates(candidates, confidences([0.7, 0.6, 0.2], [0.5, 0.8, 0.6]), 0.6)
        assert labels.selection.tolist() == [[True, False, False], [False, True, False]]
        assert labels.keep.tolist() == [True, True, False]
        assert labels.confidence.tolist() == pytest.approx([0.7, 0.8, 0.4])
        assert labels.prediction.valid.any(dim=1).tolist() == [True, True, False]

    @pytest.mark.parametrize('count', [1, 2, 3])
    def test_only_the_confident_candidate_speaks(self, count):
        candidates = [random_prediction() for _ in range(count)]
        scores = torch.full((count, 3), 0.1, dtype=DOUBLE)
        chosen = torch.tensor([0, count - 1, count // 2])
        scores[chosen, torch.arange(3)] = 0.9
        labels = fuse_candidates(candidates, scores, 0.5)
        for sample, index in enumerate(chosen):
            for field in FIELDS:
                got = getattr(labels.prediction, field)[sample]
                expected = getattr(candidates[index], field)[sample]
                torch.testing.assert_close(got, expected, rtol=1e-9, atol=1e-9, msg=field)

    def test_nothing_chosen_is_finite_and_dropped(self):
        candidates = [random_prediction(), random_prediction()]
        labels = fuse_candidates(candidates, torch.zeros(2, 3, dtype=DOUBLE), 0.6)
        assert not labels.keep.any() and not labels.prediction.valid.any()
        assert (labels.confidence == 0).all()
        assert all(getattr(labels.prediction, field).isfinite().all() for field in FIELDS)

    def test_zero_confidence_is_never_kept(self):
        labels = fuse_candidates([random_prediction()], torch.zeros(1, 3, dtype=DOUBLE), -1.0)
        assert not labels.keep.any()

    @pytest.mark.parametrize('bad', [float('nan'), float('inf')])
    @pytest.mark.parametrize('field', FIELDS)
    def test_broken_candidates_are_left_out(self, bad, field):
        candidates = [random_prediction(), random_prediction()]
        getattr(candidates[1], field)[1, 2] = bad
        labels = fuse_candidates(candidates, torch.full((2, 3), 0.9, dtype=DOUBLE), 0.5)
        assert labels.selection.tolist() == [[True] * 3, [True, False, True]]
        for name in FIELDS:
            value = getattr(labels.prediction, name)
            assert value.isfinite().all()
            torch.testing.assert_close(value[1], getattr(candidates[0], name)[1])
        assert labels.spread.isfinite().all()

    def test_broken_confidence_is_left_out(self):
        candidates = [random_prediction(), random_prediction()]
        nan = float('nan')
        labels = fuse_candidates(candidates, confidences([0.9, nan, nan], [nan, 0.8, nan]), 0.5)
        assert labels.keep.tolist() == [True, True, False]
        assert labels.confidence.tolist() == pytest.approx([0.9, 0.8, 0.0])
        assert all(getattr(labels.prediction, field).isfinite().all() for field in FIELDS)


class TestFusion:
    @pytest.mark.parametrize('count', [2, 3])
    def test_weighted_by_confidence(self, count):
        candidates = [random_prediction(spread=0.4) for _ in range(count)]
        scores = torch.rand(count, 3, dtype=DOUBLE) * 0.4 + 0.6
        labels = fuse_candidates(candidates, scores, 0.5)
        weights = (scores / scores.sum(0))[:, :, None]
        for field in FIELDS:
            stacked = torch.stack([getattr(c, field) for c in candidates])
            if stacked.shape[-2:] == (3, 3):
                w = weights.view(count, 3, 1, *[1] * (stacked.ndim - 5)).expand(stacked.shape[:-2])
                expected = mean_rotation(stacked.movedim(0, -3), w.movedim(0, -1))
            else:
                expected = (stacked * weights[..., None]).sum(0)
            torch.testing.assert_close(
                getattr(labels.prediction, field), expected, rtol=1e-9, atol=1e-9, msg=field
            )

    def test_prior_weights(self):
        candidates = [random_prediction(), random_prediction()]
        scores = torch.full((2, 3), 0.8, dtype=DOUBLE)
        labeler = PseudoLabeler(num_augmentations=2, view_weights=(1.0, 0.25))
        prior = labeler.prior(torch.ones(2, 3, dtype=torch.bool))
        labels = fuse_candidates(candidates, scores, 0.5, prior)
        expected = 0.8 * candidates[0].betas + 0.2 * candidates[1].betas
        torch.testing.assert_close(labels.prediction.betas, expected)

    def test_candidates_without_image_features_count_less(self):
        candidates = [random_prediction(), random_prediction()]
        scores = torch.full((2, 3), 0.8, dtype=DOUBLE)
        has = torch.tensor([[True, True, False], [True, False, False]])
        prior = PseudoLabeler(featureless_weight=0.25).prior(has)
        labels = fuse_candidates(candidates, scores, 0.5, prior)
        share = torch.tensor([0.5, 0.8, 0.5], dtype=DOUBLE)[:, None, None]
        expected = share * candidates[0].betas + (1 - share) * candidates[1].betas
        torch.testing.assert_close(labels.prediction.betas, expected)

    def test_frames_of_cropped_candidates(self):
        candidates = [random_prediction(), random_prediction()]
        candidates[0].valid[:, 3:] = False
        candidates[1].valid[:, :2] = False
        candidates[1].valid[2] = False
        labels = fuse_candidates(candidates, torch.full((2, 3), 0.8, dtype=DOUBLE), 0.5)
        assert labels.prediction.valid.tolist() == [
            [True] * 5,
            [True] * 5,
            [True] * 3 + [False] * 2,
        ]
        betas = labels.prediction.betas
        torch.testing.assert_close(betas[0, :2], candidates[0].betas[0, :2])
        torch.testing.assert_close(betas[0, 3:], candidates[1].betas[0, 3:])
        middle = (candidates[0].betas + candidates[1].betas)[0, 2] / 2
        torch.testing.assert_close(betas[0, 2], middle)

    def test_weak_camera_agrees_with_the_translation(self, scene):
        inputs = scene.inputs()
        first, second = scene.predict(inputs), scene.predict(inputs)
        second = second.replace(transl_c=second.transl_c + 0.5).for_box(scene.bbx_xys, scene.K)
        scores = torch.tensor([[0.9], [0.6]], dtype=DOUBLE).expand(2, 3)
        fused = fuse_candidates([first, second], scores, 0.5, inputs=inputs).prediction
        transl = translation_from_weak_camera(fused.pred_cam, scene.bbx_xys, scene.K)
        mask = scene.valid
        torch.testing.assert_close(transl[mask], fused.transl_c[mask], rtol=1e-7, atol=1e-7)
        torch.testing.assert_close(fused.transl_c[mask], first.transl_c[mask] + 0.2)

    def test_spread_is_the_mean_angle(self):
        first = random_prediction()
        turn = axis_angle_to_matrix(torch.tensor([0, 0.3, 0], dtype=DOUBLE))
        second = first.replace(body_pose_R=first.body_pose_R @ turn, R_c=first.R_c @ turn)
        labels = fuse_candidates([first, second, first], torch.ones(3, 3, dtype=DOUBLE), 0.5)
        torch.testing.assert_close(labels.spread, torch.full((3,), 0.2, dtype=DOUBLE))
        single = fuse_candidates([first], torch.ones(1, 3, dtype=DOUBLE), 0.5)
        assert (single.spread == 0).all()

    def test_has_no_graph_and_changes_nothing(self):
        candidates = [random_prediction(), random_prediction()]
        candidates[0].betas.requires_grad_()
        before = [c.replace(**{f: getattr(c, f).clone() for f in FIELDS}) for c in candidates]
        scores = torch.full((2, 3), 0.8, dtype=DOUBLE, requires_grad=True)
        labels = fuse_candidates(candidates, scores, 0.5)
        assert not any(getattr(labels.prediction, f).requires_grad for f in FIELDS)
        assert not labels.confidence.requires_grad and labels.prediction.x is None
        for old, new in zip(before, candidates):
            assert all(torch.equal(getattr(old, f), getattr(new, f)) for f in FIELDS)


class TestErrors:
    def test_config(self):
        with pytest.raises(ConfigError, match='view_weights'):
            PseudoLabeler(view_weights=(1, 2))
        with pytest.raises(ConfigError, match='all zero'):
            PseudoLabeler(view_weights=(0, 0))
        with pytest.raises(ConfigError, match='2 values for 1 view'):
            PseudoLabeler(view_weights=(1, 1))

    def test_shapes(self):
        with pytest.raises(ShapeError, match='confidences'):
            fuse_candidates([random_prediction()], torch.ones(2, 3), 0.5)
        with pytest.raises(ShapeError, match='candidates'):
            fuse_candidates([], torch.ones(0, 3), 0.5)


def test_registered():
    assert isinstance(MODELS.build(dict(type='PseudoLabeler')), PseudoLabeler)
