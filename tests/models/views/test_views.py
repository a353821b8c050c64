"""Properties of every view, and the views that do not change the geometry."""

import pytest
import torch

from gvhmr_da_mm.core.camera import translation_from_weak_camera
from gvhmr_da_mm.core.errors import ConfigError, ShapeError
from gvhmr_da_mm.core.rotation import rotation_about_axis
from gvhmr_da_mm.models.views import BaseView, ComposeViews
from gvhmr_da_mm.registry import TRANSFORMS

CONFIGS = [
    dict(type='HorizontalFlip'),
    dict(type='CameraRoll', max_angle=1.0),
    dict(type='BoxJitter', shift=0.2, scale=0.5),
    dict(type='KeypointJitter', jitter=0.02, bias=0.02),
    dict(type='KeypointDrop', prob=0.4),
    dict(type='FeatureNoise', std=0.5),
    dict(
        type='ComposeViews',
        views=[
            dict(type='HorizontalFlip'),
            dict(type='BoxJitter'),
            dict(type='CameraRoll'),
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
    view, state = build(CONFIGS[2]).apply(inputs)
    seen = scene.predict(view)
    got = build(CONFIGS[2]).invert(seen, state, inputs)
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


def test_missing_features_get_no_noise(scene):
    inputs = scene.inputs()
    dropped = dict(inputs, f_imgseq=torch.zeros_like(inputs['f_imgseq']))
    noised, _ = build(dict(type='FeatureNoise', std=1.0)).apply(dropped)
    assert not noised['f_imgseq'].any()


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
        dict(type='FeatureNoise', std=float('nan')),
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
