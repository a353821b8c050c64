"""Evaluation on videos of calibrated cameras."""

import cv2
import numpy as np
import pytest
import torch

from gvhmr_da_mm.apis.keypoint_model import (
    KeypointModel,
    evaluate_calibrated,
    mean_of_views,
    videos_of,
)
from gvhmr_da_mm.apis.keypoint_model.limbs import LIMB_BONES, LIMB_JOINTS, limb_rows
from gvhmr_da_mm.apis.keypoint_model.reference import fill_gaps, make_reference
from gvhmr_da_mm.core.errors import DataError, MissingFilesError
from gvhmr_da_mm.registry import MODELS
from gvhmr_da_mm.video import view_observation
from gvhmr_da_mm.video.view_observation import observe_view
from tests.apis.keypoint_model.scenes import FRAMES, Scene
from tests.testing import toy_model_config


@pytest.fixture(scope='module')
def scene(toy_root, tmp_path_factory):
    return Scene(tmp_path_factory.mktemp('calibrated'), toy_root)


@pytest.fixture
def detected(scene, monkeypatch):
    monkeypatch.setattr(view_observation, 'build_detector', scene.detector)
    return scene


def test_limbs():
    assert len(LIMB_JOINTS) == len(LIMB_BONES) == 12
    assert LIMB_JOINTS == tuple(range(5, 17)) and limb_rows('hip') == [6, 7]


def test_the_truth_has_no_error(detected, tmp_path):
    model = detected.model()
    results = evaluate_calibrated(model, videos_of(detected.folder), tmp_path)
    assert set(results) == {f'cam{number}' for number in range(4)}
    for name, result in results.items():
        assert result['frames'] == FRAMES and result['reference_mm'] < 0.1
        for method in ('ours', 'mediapipe'):
            # The reference is smoothed.
            assert result[method]['pa_mpjpe'] < 6 and result[method]['mpjpe'] < 8
            assert result[method]['turned_share'] == 0
        assert result['network']['mpjpe'] == pytest.approx(0.12 * 3**0.5 * 1000 / 12, abs=8)
        assert result['gravity_deg'] < 0.1
        ours = result['ours']
        assert ours['wa_mpjpe'] < 8 and ours['w_mpjpe'] < 15 and ours['rte'] < 1
        assert ours['drift'] < 15 and abs(ours['pelvis_height']) < 15
        assert cv2.imread(str(tmp_path / f'{name}.png')).std() > 10
    for clip in model.clips:
        assert clip.static_camera and torch.equal(clip.R_w2c, torch.eye(3).expand(FRAMES, 3, 3))
        np.testing.assert_allclose(clip.K_fullimg, detected.views[clip.sequence].K)


def test_a_network_sees_each_view_alone(detected, toy_root, tmp_path):
    torch.manual_seed(0)
    network = MODELS.build(toy_model_config(toy_root, num_layers=1))
    model = KeypointModel(network, dict(refiner=dict(type='KeypointRefiner', steps=2)))
    results = evaluate_calibrated(model, videos_of(detected.folder), tmp_path)
    mean = mean_of_views(results)
    assert mean['ours']['mpjpe'] == pytest.approx(
        np.mean([result['ours']['mpjpe'] for result in results.values()])
    )
    assert mean['ours']['mpjpe'] != mean['network']['mpjpe']
    assert mean['ours']['pa_mpjpe'] > 50 > mean['mediapipe']['pa_mpjpe']


def test_turned_bodies_are_counted(detected, tmp_path):
    model = detected.model()
    order = [joint + (1 if joint % 2 else -1) if joint >= 5 else joint for joint in range(17)]
    truth = model.coco_joints
    model.coco_joints = lambda sample, space: truth(sample, space)[:, order]
    ours = evaluate_calibrated(model, videos_of(detected.folder), tmp_path)['cam1']['ours']
    assert ours['turned_share'] == 1 and ours['mpjpe'] > 100


def test_short_gaps_are_filled():
    joints = np.arange(30.0)[:, None, None].repeat(2, axis=1).repeat(3, axis=2)
    valid = np.ones((30, 2), dtype=bool)
    valid[3:8, 0] = valid[12:18, 1] = valid[27:, 0] = False
    damaged = np.where(valid[..., None], joints, 99)
    filled, good = fill_gaps(damaged, valid)
    np.testing.assert_allclose(filled[:27], joints[:27])
    assert np.flatnonzero(~good).tolist() == [*range(12, 18), 27, 28, 29]
    assert not fill_gaps(damaged, np.zeros_like(valid))[1].any()


def test_views_that_do_not_agree(detected, tmp_path):
    views = list(detected.views.values())
    seen = [
        observe_view(detected.folder / f'{v.name}.mp4', v, tmp_path / f'{v.name}.npz')
        for v in views
    ]
    with pytest.raises(DataError, match='agree.*in no frame.*synchronised'):
        make_reference(views[::-1], seen)


def test_videos_and_cameras_that_do_not_fit(scene, tmp_path):
    with pytest.raises(MissingFilesError, match='no folder'):
        videos_of(tmp_path / 'nothing')
    for file in scene.folder.iterdir():
        (tmp_path / file.name).symlink_to(file)
    (tmp_path / 'cam3.mp4').unlink()
    assert [view.name for view, _ in videos_of(tmp_path)] == ['cam0', 'cam1', 'cam2']
    (tmp_path / 'cam2.mp4').rename(tmp_path / 'other.mp4')
    with pytest.raises(DataError, match='no camera of the video.*other.*cam0, cam1, cam2, cam3'):
        videos_of(tmp_path)
    (tmp_path / 'other.mp4').unlink()
    with pytest.raises(DataError, match='at least 3 of the cameras'):
        videos_of(tmp_path)
