"""The export tool on a dump file: the ending of the output decides what is written."""

import cv2
import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData

from gvhmr_da_mm.structures import read_motion_dump, write_motion_dump

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


def export(call, *arguments):
    return call('analysis_tools/export_motion', *arguments)


def test_page_in_the_current_folder_by_default(call, dumped, tmp_path, monkeypatch):
    folder = tmp_path / 'here'
    folder.mkdir()
    monkeypatch.chdir(folder)
    code, printed, err = export(call, dumped, '--skeleton')
    assert code == 0, err
    assert printed.strip() == 'walk.html'
    assert 'toy  walk' in (folder / 'walk.html').read_text()


def test_meshes(call, dumped, toy_root, tmp_path):
    sizes = []
    for options in ((), ('--skeleton',)):
        path = tmp_path / 'a.html'
        code, _, err = export(call, dumped, '--out', path, '--data-root', toy_root, *options)
        assert code == 0, err
        sizes.append(path.stat().st_size)
    assert sizes[0] > sizes[1] + 100_000


def test_video_and_picture(call, dumped, tmp_path):
    video = tmp_path / 'new' / 'walk.mp4'
    code, _, err = export(call, dumped, '--skeleton', '--out', video, '--height', '60')
    assert code == 0, err
    capture = cv2.VideoCapture(str(video))
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == FRAMES
    assert capture.get(cv2.CAP_PROP_FRAME_HEIGHT) == 60
    picture = tmp_path / 'new' / 'walk.png'
    code, printed, err = export(
        call, dumped, '--skeleton', '--out', picture, '--video', tmp_path / 'none.mp4'
    )
    assert code == 0, err
    assert 'Note: there is no video' in printed
    assert cv2.imread(str(picture)) is not None


@pytest.mark.parametrize('name', ['walk.bvh', 'walk_smplx.npz', 'walk.glb'])
def test_files_for_other_programs(call, dumped, toy_root, tmp_path, name):
    out = tmp_path / 'new' / name
    contents = []
    for space in ('world', 'camera'):
        code, printed, err = export(
            call, dumped, '--out', out, '--space', space, '--data-root', toy_root
        )
        assert code == 0, err
        assert printed.strip() == str(out)
        contents.append(out.read_bytes())
        assert len(contents[-1]) > 500
    assert contents[0] != contents[1]


def test_published_layout_and_options_of_the_parameters(call, dumped, toy_root, tmp_path):
    code, _, err = export(call, dumped, '--out', tmp_path / 'a.pt')
    assert code == 2 and 'a.pt needs the camera' in err
    dump = read_motion_dump(dumped)
    inputs = dict(K_fullimg=torch.eye(3).expand(FRAMES, 3, 3))
    write_motion_dump(dumped, dump.sample.to_dict(), inputs)
    code, _, err = export(call, dumped, '--out', tmp_path / 'a.pt')
    assert code == 0, err
    assert 'smpl_params_global' in torch.load(tmp_path / 'a.pt', weights_only=True)
    turned = {}
    for name, options in dict(z=(), y=('--up', '+y'), smpl=('--body', 'smpl')).items():
        out = tmp_path / f'{name}.npz'
        code, _, err = export(call, dumped, '--out', out, '--data-root', toy_root, *options)
        assert code == 0, err
        turned[name] = np.load(out)
    assert not np.allclose(turned['z']['trans'], turned['y']['trans'], atol=0.01)
    assert turned['smpl']['poses'].shape == (FRAMES, 72)
    code, _, err = export(call, dumped, '--out', tmp_path / 'a.glb', '--data-root', toy_root)
    assert code == 0 and b'"cameras"' in (tmp_path / 'a.glb').read_bytes(), err


def test_the_world_by_default(call, dumped, tmp_path):
    for name, options in (('a.bvh', ()), ('b.bvh', ('--space', 'world'))):
        code, _, err = export(call, dumped, '--out', tmp_path / name, *options)
        assert code == 0, err
    assert (tmp_path / 'a.bvh').read_text() == (tmp_path / 'b.bvh').read_text()


@pytest.mark.parametrize(
    'out, options, expected',
    [
        ('a.gif', (), '.html, .mp4, .png, .bvh, .glb, .npz, .pt'),
        ('a.bvh', ('--skeleton',), '`--skeleton` is for .html, .mp4, .png'),
        ('a.glb', ('--video', 'a.mp4'), '`--video` is for .mp4, .png'),
        ('a.html', ('--video', 'a.mp4'), '`--video` is for .mp4, .png'),
        ('a.png', ('--height', '60'), '`--height` is for .mp4'),
        ('a.png', ('--space', 'camera'), '`--space` is for .bvh, .glb, .npz'),
        ('a.glb', ('--unit', 'm'), '`--unit` is for .bvh'),
        ('a.bvh', ('--up', '+y'), '`--up` is for .npz'),
        ('a.pt', ('--body', 'smpl'), '`--body` is for .npz'),
        ('a.npz', ('--up', '+y', '--space', 'camera'), '`--up` is for `--space world`'),
        ('a.mp4', ('--height', '4'), '`--height` should be at least 16'),
        ('walk.npz', (), 'the dump itself'),
    ],
)
def test_what_does_not_go_together(call, dumped, tmp_path, out, options, expected):
    before = dumped.read_bytes()
    code, _, err = export(call, dumped, '--out', tmp_path / out, *options)
    assert code == 2 and expected in err
    assert [path.name for path in tmp_path.iterdir()] == ['walk.npz']
    assert dumped.read_bytes() == before


def test_the_video_is_not_replaced(call, dumped, tmp_path):
    video = tmp_path / 'a.mp4'
    video.write_bytes(b'video')
    code, _, err = export(call, dumped, '--out', video, '--video', video)
    assert code == 2 and 'the video itself' in err and video.read_bytes() == b'video'


def test_metres_for_blender(call, dumped, tmp_path):
    positions = []
    for unit in ('cm', 'm'):
        out = tmp_path / 'a.bvh'
        code, _, err = export(call, dumped, '--out', out, '--unit', unit)
        assert code == 0, err
        positions.append(np.loadtxt(out.read_text().splitlines()[-FRAMES:])[:, :3])
    np.testing.assert_allclose(positions[0], 100 * positions[1], atol=1e-4)


@pytest.mark.parametrize('name', ['a.html', 'a.mp4', 'a.png', 'a.bvh', 'a.npz'])
def test_a_place_that_cannot_be_written_to(call, dumped, tmp_path, name):
    (tmp_path / 'file').write_text('')
    options = () if name[-3:] in ('bvh', 'npz') else ('--skeleton',)
    code, _, err = export(call, dumped, '--out', tmp_path / 'file' / name, *options)
    assert code == 2 and 'StorageError' in err and str(tmp_path / 'file') in err


def test_missing_files(call, dumped, tmp_path):
    code, _, err = export(call, tmp_path / 'absent.npz')
    assert code == 2 and 'absent.npz' in err
    for name in ('a.html', 'a.glb'):
        code, _, err = export(call, dumped, '--out', tmp_path / name, '--data-root', tmp_path)
        assert code == 2 and 'SMPLX_NEUTRAL' in err


def test_the_world_of_a_given_camera(call, dumped, tmp_path):
    dump = read_motion_dump(dumped)
    dump.sample.set_metainfo(dict(world_up='+z', test_time=dict(given_camera=True)))
    write_motion_dump(dumped, dump.sample.to_dict(), {})
    code, _, err = export(call, dumped, '--out', tmp_path / 'a.bvh', '--space', 'given')
    assert code == 0, err
    code, _, err = export(call, dumped, '--out', tmp_path / 'a.glb', '--space', 'given')
    assert code == 2 and 'glb, which is y up' in err
