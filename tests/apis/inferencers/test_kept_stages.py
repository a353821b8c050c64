"""Observations of a video serve all commands below one folder, and no other video."""

import os
import shutil

import numpy as np
from scipy.spatial.transform import Rotation

from gvhmr_da_mm.apis.inferencers import MotionInferencer
from gvhmr_da_mm.apis.inferencers import video_recovery as module
from gvhmr_da_mm.apis.inferencers.kept_stages import KeptStages

from .conftest import FRAMES, keypoints


def run(inferencer, video, out, **options):
    return next(inferencer(video, fit=False, camera='static', pred_out_dir=out, **options))


def test_another_output_folder_below_uses_them(inferencer, video, detected, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(module, 'print_log', lambda text, *_: said.append(text))
    out = tmp_path / 'out'
    first = run(inferencer, video, out)
    assert not said
    again = run(inferencer, video, out / 'after', formats=('bvh',))
    assert detected == [video] and len(said) == 1 and str(out) in said[0]
    np.testing.assert_array_equal(again.people[0].keypoints, first.people[0].keypoints)
    assert not (out / 'after' / '.stages').exists()
    run(inferencer, video, tmp_path / 'elsewhere')
    assert detected == [video] * 2


def test_what_they_do_not_serve(inferencer, video, detected, tmp_path):
    out = tmp_path / 'out'
    run(inferencer, video, out)
    run(inferencer, video, out, people='largest')
    assert len(detected) == 2, 'MediaPipe looks for one person otherwise'
    run(inferencer, video, out)
    assert len(detected) == 2, 'those of other options are there still'
    # Another video with the same name, size and time.
    (tmp_path / 'b').mkdir()
    shutil.copy2(video, tmp_path / 'b' / video.name)
    run(inferencer, tmp_path / 'b' / video.name, out)
    os.utime(video)
    run(inferencer, video, out)
    assert len(detected) == 4


def test_keypoints_of_a_folder_are_those_of_the_video(
    checkpoint, toy_root, video, detected, tmp_path
):
    folder = tmp_path / 'keypoints'
    folder.mkdir()
    file = keypoints(folder / f'{video.stem}.npz', [(0, FRAMES)])
    inferencer = MotionInferencer(
        weights=checkpoint, data_root=toy_root, keypoints=str(folder), device='cpu'
    )
    for _ in range(2):
        assert len(run(inferencer, video, tmp_path / 'out').people) == 1
    assert len(detected) == 1
    keypoints(file, [(0, FRAMES), (0, FRAMES)])
    assert len(run(inferencer, video, tmp_path / 'out').people) == 2


def test_another_camera_in_a_file_of_a_folder(inferencer, video, tmp_path):
    folder = tmp_path / 'cameras'
    folder.mkdir()
    file, out = folder / f'{video.stem}.npy', tmp_path / 'out'
    options = dict(fit=False, camera=str(folder), pred_out_dir=out)
    for last in (0, 40):
        turns = Rotation.from_rotvec(np.linspace((0, 0, 0), (0, last, 0), FRAMES), degrees=True)
        np.save(file, turns.as_matrix())
        found = next(inferencer(video, **options)).facts['signature']
    fresh = next(inferencer(video, **{**options, 'pred_out_dir': None}))
    again = next(inferencer(video, **options))
    np.testing.assert_array_equal(again.people[0].joints_w, fresh.people[0].joints_w)
    # That of another video does not matter.
    np.save(folder / 'other.npy', np.eye(3))
    assert next(inferencer(video, **options)).facts['signature'] == found


def test_the_nearest_folder_with_observations(tmp_path, monkeypatch):
    outer, inner = (tmp_path / name / '.stages' / 'observations' for name in ('a', 'a/b'))
    outer.mkdir(parents=True)
    monkeypatch.chdir(tmp_path / 'a')
    assert KeptStages.below(tmp_path / 'a' / 'b' / 'c', tmp_path).observations == outer
    inner.mkdir(parents=True)
    assert KeptStages.below(tmp_path / 'a' / 'b' / 'c', tmp_path).observations == inner
    outside = tmp_path / 'a' / '..' / 'd'
    assert KeptStages.below(outside, tmp_path).observations == tmp_path / 'd/.stages/observations'
