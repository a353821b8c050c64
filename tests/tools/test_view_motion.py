"""The viewing tool on a dump file: a page, a video, a picture."""

import cv2
import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData

from gvhmr_da_mm.structures import write_motion_dump

FRAMES = 3


@pytest.fixture
def dumped(tmp_path):
    instances = InstanceData(
        body_pose=torch.rand(FRAMES, 63),
        betas=torch.zeros(FRAMES, 10),
        keypoints=np.random.default_rng(0).uniform(-1, 1, (FRAMES, 22, 3)) + [0, 0, 4],
        **{f'{n}_{s}': torch.rand(FRAMES, 3) for n in ('global_orient', 'transl') for s in 'cw'},
    )
    path = tmp_path / 'walk.npz'
    metainfo = dict(dataset='toy', sequence='walk', img_shape=(60, 80))
    write_motion_dump(path, dict(**metainfo, pred_instances=instances), {})
    return path


def view(call, *arguments):
    return call('analysis_tools/view_motion', *arguments)


def test_page_by_default(call, dumped, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, printed, err = view(call, dumped, '--skeleton')
    assert code == 0, err
    assert printed.strip() == 'walk.html'
    assert 'toy  walk' in (tmp_path / 'walk.html').read_text()


def test_meshes(call, dumped, toy_root, tmp_path):
    sizes = []
    for options in ((), ('--skeleton',)):
        path = tmp_path / 'a.html'
        code, _, err = view(call, dumped, '--out', path, '--data-root', toy_root, *options)
        assert code == 0, err
        sizes.append(path.stat().st_size)
    assert sizes[0] > sizes[1] + 100_000


def test_video_and_picture(call, dumped, tmp_path):
    video = tmp_path / 'new' / 'walk.mp4'
    code, _, err = view(call, dumped, '--skeleton', '--out', video, '--height', '60')
    assert code == 0, err
    capture = cv2.VideoCapture(str(video))
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == FRAMES
    assert capture.get(cv2.CAP_PROP_FRAME_HEIGHT) == 60
    picture = tmp_path / 'new' / 'walk.png'
    code, printed, err = view(
        call, dumped, '--skeleton', '--out', picture, '--video', tmp_path / 'none.mp4'
    )
    assert code == 0, err
    assert 'Note: there is no video' in printed
    assert cv2.imread(str(picture)) is not None


def test_errors(call, dumped, tmp_path):
    code, _, err = view(call, dumped, '--out', tmp_path / 'a.gif')
    assert code == 2 and '.html, .mp4, .png' in err
    code, _, err = view(call, tmp_path / 'none.npz')
    assert code == 2 and 'none.npz' in err
    code, _, err = view(call, dumped, '--data-root', tmp_path)
    assert code == 2 and 'SMPLX_NEUTRAL' in err
