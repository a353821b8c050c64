"""What every view has to do, and the views that leave the geometry alone."""

import pytest
import torch

from gvhmr_da_mm.core.camera import translation_from_weak_camera
from gvhmr_da_mm.core.errors import ConfigError, ShapeError
from gvhmr_da_mm.core.rotation import rotation_about_axis
from gvhmr_da_mm.models.views import BaseView, ComposeViews
from gvhmr_da_mm.registry import TRANSFORMS

CONFIGS = [
    dict(type='Identity'),
    dict(type='HorizontalFlip'),
    dict(type='CameraRoll', max_angle=1.0),
    dict(type='BoxJitter', shift=0.2, scale=0.5),
    dict(type='KeypointJitter', jitter=0.02, bias=0.02),
    dict(type='KeypointDrop', prob=0.4),
    dict(type='KeypointOcclusion', prob=1.0, min_frames=2, max_frames=4),
    dict(type='FeatureNoise', std=0.5),
    dict(type='FeatureDrop', prob=0.5),
    dict(type='TimeCrop', min_ratio=0.5, min_frames=2),
    dict(
        type='ComposeViews',
        views=[
            dict(type='HorizontalFlip'),
            dict(type='BoxJitter'),
            dict(type='CameraRoll'),
            dict(type='TimeCrop', min_frames=3),
        ],
    ),
]


def build(config) -> BaseView:
    return TRANSFORMS.build(config)


def clone(inputs):
    return {key: value.clone() for key, value in inputs.items()}


@pytest.mark.parametrize('config', CONFIGS, ids=lambda config: config['type'])
@pytest.mark.parametrize('batch, length', [(3, 7), (1, 1), (2, 2)])
class TestEveryView:
    def test_keeps_keys_shapes_and_input(self, make_scene, config, batch, length):
        inputs = make_scene(batch, length).inputs()
        before = clone(inputs)
        view, _ = build(config).apply(inputs)
        assert view is not inputs and view.keys() == before.keys()
        for key, value in before.items():
            assert torch.equal(inputs[key], value), f'{key} was changed in place'
            assert view[key].shape == value.shape and view[key].dtype == value.dtype, key

    def test_generator_decides(self, make_scene, same, config, batch, length):
        inputs = make_scene(batch, length).inputs()
        draws = [
            build(config).apply(inputs, torch.Generator().manual_seed(seed))[0] for seed in (1, 1)
        ]
        torch.rand(5)
        same(draws[0], draws[1], tolerance=0)
        state = torch.get_rng_state()
        build(config).apply(inputs, torch.Generator().manual_seed(3))
        assert torch.equal(torch.get_rng_state(), state), 'the global generator was used'

    def test_inverse_does_not_change_the_prediction_in_place(
        self, make_scene, same, config, batch, length
    ):
        scene = make_scene(batch, length)
        inputs = scene.inputs()
        view, state = build(config).apply(inputs)
        prediction = scene.predict(view)
        before = {key: value.clone() for key, value in vars(prediction).items()}
        got = build(config).invert(prediction, state, inputs, scene.root_offset)
        same(prediction, before, tolerance=0)
        assert got.valid.shape == (batch, length)
        assert all(
            getattr(got, name).shape == value.shape for name, value in before.items() if name != 'x'
        )


@pytest.mark.parametrize(
    'config', [c for c in CONFIGS if 'Keypoint' in c['type'] or 'Feature' in c['type']],
    ids=lambda config: config['type'],
)  # fmt: skip
def test_evidence_views_leave_the_prediction_alone(scene, config):
    inputs = scene.inputs()
    view, state = build(config).apply(inputs)
    changed = {key for key in inputs if not torch.equal(inputs[key], view[key])}
    assert changed and changed <= {'kp2d', 'f_imgseq', 'has_imgfeat'}
    prediction = scene.predict(view)
    assert build(config).invert(prediction, state, inputs) is prediction


def test_box_jitter_keeps_metric_results(scene, same):
    inputs = scene.inputs()
    view, state = build(CONFIGS[3]).apply(inputs)
    seen = scene.predict(view)
    got = build(CONFIGS[3]).invert(seen, state, inputs)
    assert (seen.pred_cam - scene.predict(inputs).pred_cam).abs().max() > 1e-3
    same(got, scene.predict(inputs))
    transl = translation_from_weak_camera(got.pred_cam, inputs['bbx_xys'], inputs['K_fullimg'])
    torch.testing.assert_close(transl, got.transl_c, rtol=1e-7, atol=1e-7)
    assert torch.equal(got.x, seen.x), 'the motion vector does not depend on the box'


def test_box_jitter_limits(make_scene):
    inputs = make_scene(batch=100, length=2).inputs()
    view, _ = build(dict(type='BoxJitter', shift=0.2, scale=0.5)).apply(inputs)
    size = inputs['bbx_xys'][..., 2:]
    shift = ((view['bbx_xys'] - inputs['bbx_xys'])[..., :2] / size).abs()
    scale = view['bbx_xys'][..., 2:] / size
    assert 0.15 < shift.max() <= 0.2
    assert 1 / 1.5 <= scale.min() < 0.75 and 1.35 < scale.max() <= 1.5


def test_keypoint_noise_is_relative_to_the_box(make_scene):
    inputs = make_scene(batch=20, length=30).inputs()
    view, _ = build(dict(type='KeypointJitter', jitter=0.02)).apply(inputs)
    noise = (view['kp2d'] - inputs['kp2d'])[..., :2] / inputs['bbx_xys'][..., None, 2:]
    assert abs(noise.std() - 0.02) < 1e-3
    assert torch.equal(view['kp2d'][..., 2], inputs['kp2d'][..., 2])


def test_keypoint_drop_rate(make_scene):
    inputs = make_scene(batch=20, length=30).inputs()
    view, _ = build(dict(type='KeypointDrop', prob=0.3)).apply(inputs)
    assert abs((view['kp2d'][..., 2] == 0).double().mean() - 0.3) < 0.02


def test_occlusion_hides_one_part_for_one_span(make_scene):
    inputs = make_scene(batch=200, length=30).inputs()
    config = dict(type='KeypointOcclusion', prob=1.0, min_frames=5, max_frames=8, parts=['legs'])
    view, _ = build(config).apply(inputs)
    hidden = view['kp2d'][..., 2] == 0
    legs = torch.tensor([13, 14, 15, 16])
    assert (hidden[..., legs] == hidden[..., legs[:1]]).all()
    assert not hidden[..., :13].any()
    spans = hidden[..., 13].sum(dim=1)
    assert spans.min() >= 1 and spans.max() == 8
    starts = hidden[..., 13].long().diff(dim=1).eq(1).sum(dim=1)
    assert starts.max() == 1, 'a span is contiguous'
    exposure = hidden[..., 13].double().mean(dim=0)[:28]
    assert exposure.min() > 0.1, 'every frame can be hidden'


def test_feature_drop_and_noise_agree_on_missing_features(scene):
    inputs = scene.inputs()
    dropped, _ = build(dict(type='FeatureDrop')).apply(inputs)
    assert not dropped['has_imgfeat'].any() and not dropped['f_imgseq'].any()
    noised, _ = build(dict(type='FeatureNoise', std=1.0)).apply(dropped)
    assert not noised['f_imgseq'].any()


class TestTimeCrop:
    @pytest.mark.parametrize('seed', range(6))
    def test_window_is_a_shorter_clip(self, make_scene, same, seed):
        """A predictor that sees only the window is right about it, on the frames that remain."""
        torch.manual_seed(seed)
        scene = make_scene(batch=3, length=12)
        inputs = scene.inputs()
        view = build(dict(type='TimeCrop', min_ratio=0.3, min_frames=3))
        cropped, state = view.apply(inputs)
        total = inputs['valid'].sum(dim=1)
        for clip in range(3):
            start, frames = int(state['start'][clip]), int(state['frames'][clip])
            assert 3 <= frames and start + frames <= total[clip]
            window = scene[start : start + frames]
            expected = window.inputs()
            if start + frames == total[clip]:  # The camera's last step is known then.
                expected['cam_angvel'] = inputs['cam_angvel'][:, start : start + frames]
            same(
                {
                    k: v[clip : clip + 1, :frames] if v.ndim > 2 else v[clip]
                    for k, v in cropped.items()
                },
                {
                    k: v[clip : clip + 1] if v.ndim > 2 else cropped[k][clip]
                    for k, v in expected.items()
                },
            )
            assert cropped['valid'][clip].sum() == frames
            assert torch.equal(
                cropped['f_imgseq'][clip, -1], scene.features[clip, start + frames - 1]
            )

    @pytest.mark.parametrize('seed', range(6))
    def test_inverse_of_a_perfect_prediction(self, make_scene, same, seed):
        torch.manual_seed(seed)
        scene = make_scene(batch=1, length=12)
        inputs = scene.inputs()
        view = build(dict(type='TimeCrop', min_ratio=0.3, min_frames=3))
        cropped, state = view.apply(inputs)
        start, frames = int(state['start']), int(state['frames'])
        index = (start + torch.arange(12)).clamp(max=start + frames - 1)
        shorter = scene[start : start + frames].predict(
            {k: v[:, :frames] if v.ndim > 1 and k != 'img_wh' else v for k, v in cropped.items()}
        )
        seen = shorter[:, index - start].replace(valid=cropped['valid'])
        got = view.invert(seen, state, inputs)
        expected = scene.predict(inputs)
        whole_end = start + frames == 12
        assert got.valid.sum() == frames - (not whole_end)
        assert got.valid[0, start]
        same(got.replace(valid=expected.valid), expected, mask=got.valid)
        assert all(v.isfinite().all() for k, v in vars(got).items() if k not in ('x', 'valid'))

    def test_windows_are_spread(self, make_scene):
        inputs = make_scene(batch=300, length=12).inputs()
        inputs['valid'] = torch.arange(12) < 11 * torch.ones(300, 1)
        _, state = build(dict(type='TimeCrop', min_ratio=0.5, min_frames=2)).apply(inputs)
        assert sorted(set(state['frames'].tolist())) == list(range(6, 12))
        assert (state['start'] + state['frames']).max() == 11 and state['start'].min() == 0

    def test_a_batch_of_two_frames_keeps_image_sizes(self, make_scene):
        """`img_wh` (B, 2) has the shape of a per-frame input when L = 2."""
        scene = make_scene(batch=2, length=2)
        view, _ = build(dict(type='TimeCrop', min_ratio=0.1, min_frames=2)).apply(scene.inputs())
        assert torch.equal(view['img_wh'], scene.img_wh)


class TestCompose:
    def test_inverts_in_reverse_order(self, scene, same):
        inputs = scene.inputs()
        views = ComposeViews(
            [
                dict(type='CameraRoll', max_angle=1.0),
                dict(type='HorizontalFlip'),
                dict(type='BoxJitter', shift=0.3),
                dict(type='CameraRoll', max_angle=1.0),
            ]
        )
        view, state = views.apply(inputs)
        rolls = [
            rotation_about_axis('z', state['steps'][step][1]['angle'])[:, None] for step in (0, 3)
        ]
        physical = scene.rolled(rolls[0]).mirrored().rolled(rolls[1])
        same(
            {k: view[k] for k in ('kp2d', 'cam_angvel', 'K_fullimg')},
            {k: physical.inputs()[k] for k in ('kp2d', 'cam_angvel', 'K_fullimg')},
        )
        got = views.invert(physical.predict(view), state, inputs, scene.root_offset)
        same(got, scene.predict(inputs))

    def test_nothing_is_the_plain_view(self, scene, same):
        inputs = scene.inputs()
        view, state = ComposeViews([]).apply(inputs)
        same(view, inputs, tolerance=0)
        prediction = scene.predict(inputs)
        assert ComposeViews([]).invert(prediction, state, inputs) is prediction

    def test_rejects_what_is_no_view(self):
        with pytest.raises(ConfigError, match='BaseView'):
            ComposeViews([3])


@pytest.mark.parametrize(
    'config',
    [
        dict(type='BoxJitter', shift=1.0),
        dict(type='BoxJitter', scale=-0.1),
        dict(type='KeypointJitter', jitter=-1),
        dict(type='KeypointDrop', prob=1.2),
        dict(type='KeypointOcclusion', parts=['tail']),
        dict(type='KeypointOcclusion', min_frames=9, max_frames=3),
        dict(type='FeatureNoise', std=float('nan')),
        dict(type='FeatureDrop', prob=-0.1),
        dict(type='TimeCrop', min_ratio=0),
        dict(type='TimeCrop', min_frames=1),
    ],
    ids=str,
)
def test_impossible_settings(config):
    with pytest.raises(ConfigError):
        build(config)


def test_wrong_keypoints(scene):
    inputs = dict(scene.inputs(), kp2d=torch.zeros(3, 7, 16, 3))
    with pytest.raises(ShapeError, match='kp2d'):
        build(dict(type='HorizontalFlip')).apply(inputs)


def test_a_new_view_in_a_few_lines(scene):
    @TRANSFORMS.register_module(force=True)
    class DropFirstFrame(BaseView):
        def apply(self, inputs, generator=None):
            kp2d = inputs['kp2d'].clone()
            kp2d[:, 0, :, 2] = 0
            return dict(inputs, kp2d=kp2d), {}

    view, _ = build(dict(type='DropFirstFrame')).apply(scene.inputs())
    assert not view['kp2d'][:, 0, :, 2].any() and view['kp2d'][:, 1, :, 2].all()
