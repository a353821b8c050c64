import cv2
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.logging import MessageHub
from mmengine.model import BaseModel
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample

from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.engine.hooks import motion_visualization_hook
from gvhmr_da_mm.engine.hooks.motion_visualization_hook import MotionVisualizationHook
from gvhmr_da_mm.visualization import MotionLocalVisualizer, VideoWriter

FRAMES = 4


class Standing(BaseModel):
    """Predicts a person who stands still in front of the camera."""

    def forward(self, inputs, data_samples=None, mode='tensor'):
        generator = np.random.default_rng(0)
        for sample in data_samples:
            joints = generator.uniform(-0.8, 0.8, (FRAMES, 22, 3)).astype(np.float32) + [0, 0, 4]
            sample.pred_instances = InstanceData(
                body_pose=torch.zeros(FRAMES, 63),
                betas=torch.zeros(FRAMES, 10),
                global_orient_c=torch.zeros(FRAMES, 3),
                transl_c=torch.zeros(FRAMES, 3),
                global_orient_w=torch.zeros(FRAMES, 3),
                transl_w=torch.zeros(FRAMES, 3),
                keypoints=joints,
            )
        return data_samples


def item(number):
    sample = PoseDataSample(
        metainfo=dict(dataset='toy', sequence=f'walk/{number}', img_shape=(60, 80), start=0)
    )
    K = torch.tensor([[60.0, 0, 40], [0, 60, 30], [0, 0, 1]]).expand(FRAMES, 3, 3)
    return dict(inputs=dict(K_fullimg=K), data_samples=sample)


@pytest.fixture
def build(tmp_path):
    """Build a runner that validates and tests six samples."""

    def _build(visualizer=None, **hook):
        loader = dict(
            dataset=[item(number) for number in range(6)],
            sampler=dict(type='DefaultSampler', shuffle=False),
            batch_size=1,
        )
        visualizer = visualizer or dict(
            type='MotionLocalVisualizer',
            draw_mesh=False,
            num_frames=2,
            tile_size=60,
            vis_backends=[dict(type='LocalVisBackend')],
        )
        MessageHub._instance_dict.clear()
        name = f'vis_{tmp_path.name}'
        return Runner(
            model=Standing(),
            work_dir=str(tmp_path / 'run'),
            val_dataloader=loader,
            val_cfg=dict(),
            val_evaluator=Evaluator([]),
            test_dataloader=loader,
            test_cfg=dict(),
            test_evaluator=Evaluator([]),
            visualizer=dict(name=name, **visualizer),
            custom_hooks=[dict(dict(type=MotionVisualizationHook, enable=True), **hook)],
            log_level='WARNING',
            experiment_name=name,
            default_scope='gvhmr_da_mm',
        )

    scopes = DefaultScope._instance_dict.copy()
    yield _build
    DefaultScope._instance_dict.clear()
    DefaultScope._instance_dict.update(scopes)
    MessageHub._instance_dict.clear()


def names(folder):
    return sorted(path.name for path in folder.glob('*.png'))


def test_every_second_sample_up_to_the_limit(build, tmp_path):
    runner = build(interval=2, max_samples=2)
    runner.val()
    assert names(tmp_path / 'run/vis/val_iter_0') == ['val_toy_walk-0.png', 'val_toy_walk-2.png']
    runner.test()
    assert names(tmp_path / 'run/vis/test_iter_0') == ['test_toy_walk-0.png', 'test_toy_walk-2.png']
    backend = next((tmp_path / 'run').glob('*/vis_data/vis_image'))
    assert len(names(backend)) == 4


def test_counts_start_again_in_each_pass(build, tmp_path):
    runner = build(interval=4, max_samples=9)
    for _ in range(2):
        runner.val()
    assert names(tmp_path / 'run/vis/val_iter_0') == ['val_toy_walk-0.png', 'val_toy_walk-4.png']


def test_off(build, tmp_path):
    build(enable=False, visualizer=dict(type='Visualizer')).val()
    assert not (tmp_path / 'run/vis').exists()


def test_windows_instead_of_files(build, tmp_path, monkeypatch):
    shown = []

    def show(self, image, win_name, wait_time):
        shown.append((win_name, wait_time, image.shape[2]))

    monkeypatch.setattr(MotionLocalVisualizer, 'show', show)
    monkeypatch.setattr(motion_visualization_hook, 'require_display', lambda: None)
    build(interval=4, show=True, wait_time=0.5, out_dir=None).test()
    assert shown == [('test_toy_walk-0', 0.5, 3), ('test_toy_walk-4', 0.5, 3)]
    assert not list((tmp_path / 'run').rglob('*.png'))


@pytest.mark.parametrize('backend', ['agg', 'tkagg'])
def test_windows_need_a_display(build, monkeypatch, backend):
    def switch_backend(name):
        if name != 'agg':
            raise ImportError(f'Cannot load backend {name!r}')

    monkeypatch.setattr(plt, 'get_backend', lambda: backend)
    monkeypatch.setattr(plt, 'switch_backend', switch_backend)
    with pytest.raises(ConfigError, match=f"no display .*'{backend}'.*--show-dir FOLDER"):
        build(show=True).test()


def test_pictures_of_a_validation_are_in_tensorboard(build, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    visualizer = dict(
        type='MotionLocalVisualizer',
        draw_mesh=False,
        num_frames=2,
        tile_size=60,
        vis_backends=[dict(type='TensorboardVisBackend')],
    )
    runner = build(visualizer, interval=3)
    runner.val()
    runner.visualizer.close()
    (event_file,) = (tmp_path / 'run').glob('*/vis_data/events.*')
    events = EventAccumulator(str(event_file))
    events.Reload()
    assert sorted(events.Tags()['images']) == ['val_toy_walk-0', 'val_toy_walk-3']
    (image,) = events.Images('val_toy_walk-3')
    decoded = cv2.imdecode(np.frombuffer(image.encoded_image_string, np.uint8), cv2.IMREAD_COLOR)
    assert (decoded == cv2.imread(str(tmp_path / 'run/vis/val_iter_0/val_toy_walk-3.png'))).all()


def test_a_missing_or_damaged_video_is_named(build, tmp_path, warnings_of):
    (tmp_path / 'videos' / 'walk').mkdir(parents=True)
    (tmp_path / 'videos' / 'walk' / '1.mp4').write_text('no video')
    runner = build(interval=1, video_path=f'{tmp_path}/videos/{{sequence}}.mp4')
    runner.test()
    (message,) = [text for text in warnings_of if 'dark canvas' in text]
    assert '6 of 6' in message and 'walk/0.mp4' in message
    assert 'cannot read the video' in message and 'walk/1.mp4' in message
    assert len(names(tmp_path / 'run/vis/test_iter_0')) == 6


def test_absent_video_is_no_error_and_a_present_one_is_used(build, tmp_path):
    path = tmp_path / 'videos' / 'walk' / '3.mp4'
    with VideoWriter(path) as writer:
        for _ in range(FRAMES):
            writer.write(np.full((60, 80, 3), (10, 200, 30), np.uint8))
    build(interval=1, video_path=f'{tmp_path}/videos/{{sequence}}.mp4').test()
    folder = tmp_path / 'run/vis/test_iter_0'
    green = [
        (cv2.imread(str(folder / name)).astype(int) @ [-1, 2, -1] > 250).mean()
        for name in names(folder)
    ]
    assert len(green) == 6
    assert green[3] > 0.05
    assert max(green[:3] + green[4:]) < 0.01


def test_errors(build):
    with pytest.raises(ConfigError, match='MotionLocalVisualizer'):
        build(visualizer=dict(type='Visualizer')).test()
    with pytest.raises(ConfigError, match='interval'):
        MotionVisualizationHook(interval=0)


def test_unknown_field_of_the_video_path(build):
    with pytest.raises(ConfigError, match="'person'.*sequence"):
        build(video_path='{person}.mp4').test()
