import cv2
import numpy as np
import pytest

from gvhmr_da_mm.core.errors import DataError, MissingFilesError
from gvhmr_da_mm.registry import VISUALIZERS


@pytest.fixture
def visualizer(tmp_path):
    return VISUALIZERS.build(
        dict(
            type='MotionLocalVisualizer',
            name=f'motion_{tmp_path.name}',  # MMEngine keeps visualizers by name
            vis_backends=[dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')],
            save_dir=str(tmp_path),
            draw_mesh=False,
            num_frames=3,
            tile_size=100,
        )
    )


def test_sheet_goes_to_all_backends_and_the_file(visualizer, make_sample, tmp_path):
    out = tmp_path / 'new' / 'sheet.png'
    visualizer.add_datasample('walk', None, make_sample(), out_file=str(out), step=7)
    visualizer.close()
    written = cv2.imread(str(out))
    assert (cv2.imread(str(tmp_path / 'vis_data/vis_image/walk_7.png')) == written).all()

    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    (event_file,) = (tmp_path / 'vis_data').glob('events.*')
    events = EventAccumulator(str(event_file))
    events.Reload()
    (image,) = events.Images('walk')
    assert image.step == 7
    decoded = cv2.imdecode(np.frombuffer(image.encoded_image_string, np.uint8), cv2.IMREAD_COLOR)
    assert (decoded == written).all()


def test_rows_are_what_was_asked_for(visualizer, make_sample):
    sample = make_sample()
    both = visualizer.draw_datasample(sample)
    alone = visualizer.draw_datasample(sample, draw_gt=False)
    assert both.shape[0] - alone.shape[0] == 100 + 6
    unlabelled = visualizer.draw_datasample(make_sample(with_gt=False))
    assert (unlabelled == alone).all()
    assert visualizer.draw_datasample(make_sample(with_pred=False)).shape == alone.shape


def test_pictures_are_the_background(visualizer, make_sample):
    green = np.zeros((120, 160, 3), np.uint8)
    green[..., 1] = 180
    sample = make_sample(with_gt=False)
    whole = visualizer.draw_datasample(sample, green)
    assert (whole == [0, 180, 0]).all(axis=-1).mean() > 0.1
    # One picture per frame: only that of a drawn frame is seen.
    frames = np.zeros((40, 120, 160, 3), np.uint8)
    frames[0] = green
    some = visualizer.draw_datasample(sample, frames)
    share = (some == [0, 180, 0]).all(axis=-1).sum() / (whole == [0, 180, 0]).all(axis=-1).sum()
    assert share == pytest.approx(1 / 3, abs=0.1)
    by_function = visualizer.draw_datasample(sample, lambda frame: frames[frame])
    assert (by_function == some).all()


def test_inputs_give_keypoints_box_and_intrinsics(visualizer, make_sample):
    sample = make_sample(with_gt=False)
    plain = visualizer.draw_datasample(sample)
    keypoints = np.zeros((40, 17, 3), np.float32)
    keypoints[:] = 80, 60, 1
    keypoints[:, 1] = 110, 90, 1
    inputs = dict(kp2d=keypoints, bbx_xys=np.tile([80.0, 60, 60], (40, 1)))
    drawn = visualizer.draw_datasample(sample, inputs=inputs)
    boxed = visualizer.draw_datasample(sample, inputs=inputs, draw_bbox=True)
    assert (plain != drawn).any() and (drawn != boxed).any()
    wide = dict(K_fullimg=np.diag([50.0, 50, 1]) + [[0, 0, 80], [0, 0, 60], [0, 0, 0]])
    visualizer.follow = False
    plain = visualizer.draw_datasample(sample)
    assert (plain != visualizer.draw_datasample(sample, inputs=wide)).any()


def test_errors(visualizer, make_sample, tmp_path):
    with pytest.raises(DataError, match='nothing to draw'):
        visualizer.draw_datasample(make_sample(), draw_gt=False, draw_pred=False)
    sample = make_sample()
    sample.pop('img_shape')
    with pytest.raises(DataError, match='img_shape'):
        visualizer.draw_datasample(sample)
    visualizer.draw_mesh, visualizer.data_root = True, tmp_path
    with pytest.raises(MissingFilesError, match='SMPLX_NEUTRAL'):
        visualizer.draw_datasample(make_sample())


def test_mesh_covers_more_than_the_skeleton(visualizer, make_sample, fixtures_root):
    sample = make_sample(with_gt=False)
    visualizer.data_root = fixtures_root
    thin = visualizer.draw_datasample(sample)
    visualizer.draw_mesh = True
    thick = visualizer.draw_datasample(sample)
    assert thin.shape == thick.shape
    tiles = (image[34:134].astype(int) for image in (thin, thick))
    blue = [(image[..., 2] - image[..., 0] > 60).sum() for image in tiles]
    assert blue[1] > 2 * blue[0]


def test_mmpose_visualizer_draws_our_samples_by_config(make_sample, tmp_path):
    """MMPose's 3D visualizer accepts the samples unchanged, in a pip-only environment too."""
    from mmengine.structures import InstanceData

    from gvhmr_da_mm.core.conventions import PARENTS_22

    colour = np.array([[255, 128, 0]] * 22)
    visualizer = VISUALIZERS.build(
        dict(
            type='mmpose.Pose3dLocalVisualizer',
            name=f'mmpose_{tmp_path.name}',
            skeleton=[(parent, joint) for joint, parent in enumerate(PARENTS_22) if joint],
            kpt_color=colour,
            link_color=colour[:21],
        )
    )
    sample = make_sample()
    # It takes instances for people and makes a plot of each: one frame is one person.
    sample.pred_instances = sample.pred_instances[20:21]
    sample.gt_instances = sample.gt_instances[20:21]
    image = np.zeros((200, 200, 3), np.uint8)
    out = tmp_path / 'mmpose.png'
    visualizer.add_datasample(
        'pose', image, sample, draw_2d=False, convert_keypoint=False, out_file=str(out)
    )
    drawn = cv2.imread(str(out)).astype(int)
    orange = (drawn[..., 2] - drawn[..., 0]) > 120
    halves = np.array_split(orange, 2, axis=1)
    assert all(half.sum() > 50 for half in halves)  # the prediction and the ground truth
    assert isinstance(sample.pred_instances, InstanceData)
