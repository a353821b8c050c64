import json
import os

import cv2
import numpy as np
import pytest
import torch

import gvhmr_da_mm
from gvhmr_da_mm.apis import init_model
from gvhmr_da_mm.apis.inferencers import MotionInferencer
from gvhmr_da_mm.apis.inferencers import motion_inferencer as module
from gvhmr_da_mm.core.errors import ConfigError, DataError, MissingFilesError
from gvhmr_da_mm.registry import INFERENCERS
from gvhmr_da_mm.structures import MotionResult
from gvhmr_da_mm.video import view_observation
from gvhmr_da_mm.video.torso_size import TORSO

from .conftest import FRAMES, SIZE, keypoints


def fast(inferencer, inputs, **options):
    """Return the results of inputs, without the fit."""
    return list(inferencer(inputs, fit=False, **options))


def test_a_video(inferencer, video, people):
    (result,) = fast(inferencer, video)
    assert isinstance(result, MotionResult) and result.name == 'walk'
    assert len(result) == FRAMES and result.size == SIZE and result.fps == 30
    assert sorted(result.people) == [0, 1]
    first, second = result.people.values()
    assert (first.first_frame, first.last_frame, first.coverage) == (0, FRAMES - 1, 1)
    assert (second.first_frame, second.last_frame) == (4, FRAMES - 3)
    detected = np.load(people)['kp2d'][0]
    np.testing.assert_allclose(first.keypoints, detected, atol=1e-4)
    assert ((first.confidence > 0) & (first.confidence <= 1)).all()
    assert result.camera.T_w2c.shape == (FRAMES, 4, 4) and result.camera.K.shape == (3, 3)
    assert result.facts['settings']['fit'] is False


def test_people_share_floor_and_camera(inferencer, video):
    (result,) = fast(inferencer, video, camera='static')
    for person in result.people.values():
        lowest = person.joints_w[..., 1].min(axis=1)
        assert abs(np.quantile(lowest, 0.1)) < 0.15
    T = result.camera.T_w2c
    np.testing.assert_allclose(T, np.broadcast_to(T[0], T.shape), atol=1e-9)


def test_files(inferencer, video, tmp_path):
    out = tmp_path / 'out'
    fast(inferencer, video, out_dir=out, formats=('npz', 'bvh'))
    names = {file.name for file in (out / 'walk').iterdir()}
    expected = {f'motion_{n}.{e}' for n in (0, 1) for e in ('npz', 'bvh')}
    assert names == expected | {'overlay.mp4', 'world.html', 'summary.json', '.stages'}
    summary = json.loads((out / 'walk' / 'summary.json').read_text())
    assert list(summary['people']) == ['0', '1'] and summary['axes']['world'] == 'y up'
    assert summary['frames'] == FRAMES and summary['fps'] == 30 and summary['size'] == list(SIZE)
    assert {'decode', 'detect', 'gyro', 'network', 'draw'} <= set(summary['stages'])
    assert summary['reused'] == []
    capture = cv2.VideoCapture(str(out / 'walk' / 'overlay.mp4'))
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == FRAMES


def test_what_is_no_person_is_left_out_and_told(checkpoint, toy_root, video, tmp_path):
    path = keypoints(tmp_path / 'people.npz', [(0, FRAMES), (0, FRAMES)])
    kp2d = np.load(path)['kp2d']
    kp2d[1] = kp2d[1, 0]
    guesses = np.random.default_rng(0).uniform((50, 10), (60, 60), (FRAMES, len(TORSO), 2))
    kp2d[1][:, TORSO, :2] = guesses
    np.savez(path, kp2d=kp2d)
    inferencer = MotionInferencer(
        weights=checkpoint, data_root=toy_root, keypoints=str(path), device='cpu'
    )
    (result,) = fast(inferencer, video, pred_out_dir=tmp_path / 'out')
    assert list(result.people) == [0] and result.people[0].keypoints[..., 0].max() < 50
    summary = json.loads((tmp_path / 'out' / 'walk' / 'summary.json').read_text())
    assert any('in frames 0 to 39 is no person' in warning for warning in summary['warnings'])
    assert not any('is no person' in note for note in result.people[0].notes)


def test_drawings_and_predictions_apart(inferencer, video, tmp_path):
    fast(inferencer, video, vis_out_dir=tmp_path / 'v', pred_out_dir=tmp_path / 'p')
    assert not list((tmp_path / 'p' / 'walk').glob('*.mp4'))
    assert {f.name for f in (tmp_path / 'v' / 'walk').iterdir()} == {'overlay.mp4', 'world.html'}


def test_a_second_run_uses_what_is_there(inferencer, video, tmp_path, monkeypatch):
    out = tmp_path / 'out'
    (before,) = fast(inferencer, video, out_dir=out)
    files = {f: f.stat().st_mtime_ns for f in (out / 'walk').iterdir() if f.is_file()}

    def never(*args, **kwargs):
        raise AssertionError('detected or predicted again')

    monkeypatch.setattr(view_observation, 'detect', never)
    monkeypatch.setattr(inferencer.model, 'predict', never)
    (after,) = fast(inferencer, video, out_dir=out)
    for number, person in before.people.items():
        for name, value in person.arrays().items():
            np.testing.assert_array_equal(after.people[number].arrays()[name], value)
    summary = json.loads((out / 'walk' / 'summary.json').read_text())
    assert summary['reused'] == ['detect', 'network', 'draw', 'export']
    changed = [f.name for f, time in files.items() if f.stat().st_mtime_ns != time]
    assert changed == ['summary.json']
    # The detections serve other settings, the predictions do not.
    with pytest.raises(AssertionError, match='predicted again'):
        list(inferencer(video, out_dir=out, fit=True))
    os.utime(video)
    with pytest.raises(AssertionError, match='detected'):
        fast(inferencer, video, out_dir=out)


def test_people_of_an_earlier_run_leave_no_file(inferencer, video, tmp_path):
    folder = tmp_path / 'walk'
    fast(inferencer, video, pred_out_dir=tmp_path)
    (folder / 'motion_of_mine.npz').touch()
    (result,) = fast(inferencer, video, pred_out_dir=tmp_path, people='largest')
    assert len(result.people) == 1
    assert {file.name for file in folder.glob('*.npz')} == {'motion.npz', 'motion_of_mine.npz'}


def test_formats_and_drawings_of_an_earlier_motion_are_removed(inferencer, video, tmp_path):
    folder = tmp_path / 'walk'
    more = {'overlay.mp4', 'world.html', 'motion.json'}

    def files():
        return {file.name for file in folder.iterdir() if file.is_file()}

    fast(inferencer, video, out_dir=tmp_path, formats=('npz', 'json'))
    fast(inferencer, video, pred_out_dir=tmp_path)
    everything = files()
    assert more < everything  # Of the same motion.
    fast(inferencer, video, pred_out_dir=tmp_path, focal='90')
    assert files() == everything - more


def test_an_interruption_keeps_finished_stages(inferencer, video, tmp_path, monkeypatch):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(MotionResult, 'save', interrupt)
        with pytest.raises(KeyboardInterrupt):
            fast(inferencer, video, out_dir=tmp_path / 'out')
    monkeypatch.setattr(inferencer.model, 'predict', interrupt)
    (result,) = fast(inferencer, video, out_dir=tmp_path / 'out')
    assert len(result.people) == 2 and (tmp_path / 'out' / 'walk' / 'overlay.mp4').is_file()


def test_frames_in_memory(checkpoint, toy_root, tmp_path):
    people = keypoints(tmp_path / 'one.npz', [(0, FRAMES)])
    inferencer = MotionInferencer(weights=checkpoint, data_root=toy_root, keypoints=str(people))
    frames = np.random.default_rng(0).integers(0, 255, (FRAMES, 64, 96, 3), np.uint8)
    for inputs in (frames, list(frames)):
        (result,) = fast(inferencer, inputs, pred_out_dir=tmp_path / 'out')
        assert result.name == 'frames' and len(result) == FRAMES
    summary = json.loads((tmp_path / 'out' / 'frames' / 'summary.json').read_text())
    assert summary['reused'] == []  # Other frames may have the same name.


def test_heights(inferencer, video):
    plain, tall = (fast(inferencer, video, height=h)[0] for h in (None, {1: 1.9}))
    assert np.array_equal(tall.people[0].betas, plain.people[0].betas)
    before, after = plain.people[1], tall.people[1]
    assert not np.allclose(before.betas, after.betas)
    ratio = np.linalg.norm(after.joints_c[:, 0], axis=1) / np.linalg.norm(
        before.joints_c[:, 0], axis=1
    )
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-3)
    with pytest.raises(ConfigError, match='`height` should be in metres, 0.5 to 2.6, got 178'):
        fast(inferencer, video, height=178)
    assert not any('height' in note for note in tall.facts['notes'])
    told = fast(inferencer, video, height={0: 1.8, 7: 1.7})[0].facts['notes']
    assert 'a height is given for people [7], who are not in this video' in told


def test_a_given_camera(inferencer, video, tmp_path):
    T_w2c = np.diag([1.0, -1, -1, 1])  # The camera looks along -z of a world with y up.
    T_w2c[:3, 3] = (0, 1.5, 0)
    np.savez(tmp_path / 'camera.npz', T_w2c=T_w2c, up='y')
    (result,) = fast(inferencer, video, camera=str(tmp_path / 'camera.npz'))
    np.testing.assert_allclose(result.camera.T_w2c[0], T_w2c, atol=1e-6)
    for person in result.people.values():
        np.testing.assert_allclose(person.T_w2c, np.tile(T_w2c, (len(person), 1, 1)), atol=1e-4)


def test_a_camera_file_without_an_up_axis_is_told(inferencer, video, tmp_path):
    np.savez(tmp_path / 'camera.npz', T_w2c=np.eye(4))
    (result,) = fast(inferencer, video, camera=str(tmp_path / 'camera.npz'))
    assert any('does not state `up`' in note for note in result.facts['notes'])


def test_what_is_refused(inferencer, video, checkpoint, toy_root, tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match='unknown argument `heigth`; did you mean .height'):
        list(inferencer(video, heigth=1.8))
    with pytest.raises(ConfigError, match="`formats` should be of .*bvh.*, got 'fbx'"):
        list(inferencer(video, formats=('fbx',)))
    for formats in ('npz', ['.npz'], ['NPZ'], [None]):
        with pytest.raises(ConfigError, match='`formats` should be '):
            list(inferencer(video, formats=formats))
    (result,) = fast(inferencer, video)
    for frame in (-1, FRAMES, 1.5, float('nan')):
        with pytest.raises(ConfigError, match='`frame` should be 0 to 39'):
            result.at(frame)
    with pytest.raises(DataError, match='at least 41 .* longer video, or a smaller `min_frames`'):
        list(inferencer(video, min_frames=41))
    monkeypatch.setattr(module, 'list_models', list)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissingFilesError, match='ships no model: give `model`'):
        MotionInferencer(data_root=toy_root)


def test_where_it_is_found(checkpoint, toy_root):
    assert gvhmr_da_mm.MotionInferencer is INFERENCERS.get('MotionInferencer')
    assert MotionInferencer.list_models() == gvhmr_da_mm.apis.list_models()
    model = gvhmr_da_mm.init_model(checkpoint, data_root=toy_root, device='cpu')
    assert not model.training and init_model is gvhmr_da_mm.init_model
    state = torch.load(checkpoint)['state_dict']
    assert torch.equal(next(model.parameters()), state[next(iter(dict(model.named_parameters())))])
