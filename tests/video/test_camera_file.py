import numpy as np
import pytest

from gvhmr_da_mm.core.errors import DataError, MissingFilesError
from gvhmr_da_mm.video.calibrated_views import View
from gvhmr_da_mm.video.camera_file import read_camera_poses
from tests.video.calibrated import write_calibration
from tests.video.scenes import rotation

ROTATIONS = np.stack([rotation(t, 2 * t, -t) for t in range(5)])
POSES = np.tile(np.eye(4), (5, 1, 1))
POSES[:, :3, :3] = ROTATIONS
POSES[:, :3, 3] = 7
MILLIMETRES = np.array([[1, 1, 1, 1000]] * 3 + [[1] * 4])


def test_every_form_reads_the_same(tmp_path):
    np.savez(tmp_path / 'a.npz', R_w2c=ROTATIONS)
    np.savez(tmp_path / 'b.npz', T_w2c=POSES)
    np.save(tmp_path / 'c.npy', ROTATIONS)
    np.save(tmp_path / 'd.npy', POSES)
    np.savetxt(tmp_path / 'e.txt', ROTATIONS.reshape(5, 9))
    np.savetxt(tmp_path / 'f.csv', ROTATIONS.reshape(5, 9), delimiter=',')
    for path in sorted(tmp_path.iterdir()):
        poses = read_camera_poses(path)
        np.testing.assert_allclose(poses.R_w2c, ROTATIONS, atol=1e-9)
        assert (poses.centres is not None) == (path.stem in 'bd')
        if poses.centres is not None:
            seen = np.einsum('fij,fj->fi', ROTATIONS, poses.centres) + POSES[:, :3, 3]
            np.testing.assert_allclose(seen, 0, atol=1e-9)


@pytest.mark.parametrize(
    'content, said',
    [
        (np.zeros((4, 3, 3)), 'frame 0 is not a rotation'),
        (np.stack((ROTATIONS[0], 2 * ROTATIONS[1])), 'frame 1 is not a rotation'),
        (ROTATIONS * [[[-1], [1], [1]]], 'frame 0 is not a rotation'),
        (np.where(np.arange(5)[:, None, None] == 3, np.nan, ROTATIONS), 'frame 3'),
        (np.zeros((4, 7)), r'got shape \(4, 7\)'),
        (np.zeros((0, 3, 3)), 'got shape'),
    ],
)
def test_what_is_no_rotation(tmp_path, content, said):
    np.save(tmp_path / 'camera.npy', content)
    with pytest.raises(DataError, match=said):
        read_camera_poses(tmp_path / 'camera.npy')


def test_a_place_that_is_not_finite(tmp_path):
    poses = POSES.copy()
    poses[2, 1, 3] = np.nan
    np.save(tmp_path / 'camera.npy', poses)
    with pytest.raises(DataError, match='translation of frame 2'):
        read_camera_poses(tmp_path / 'camera.npy')


def test_poses_of_row_vectors(tmp_path):
    np.save(tmp_path / 'camera.npy', POSES.transpose(0, 2, 1))
    with pytest.raises(DataError, match=r'last row .* frame 0 should be 0 0 0 1, .*transpose'):
        read_camera_poses(tmp_path / 'camera.npy')


def test_files_that_cannot_be_read(tmp_path):
    np.savez(tmp_path / 'other.npz', poses=POSES)
    (tmp_path / 'words.txt').write_text('to be or not')
    np.save(tmp_path / 'objects.npy', np.array([{}], dtype=object))
    for name in ('other.npz', 'words.txt', 'objects.npy'):
        with pytest.raises(DataError, match=name):
            read_camera_poses(tmp_path / name)
    with pytest.raises(MissingFilesError, match='none.npy'):
        read_camera_poses(tmp_path / 'none.npy')


INTRINSICS = np.array([[900.0, 0, 320], [0, 900, 240], [0, 0, 1]])


def test_one_matrix_is_a_static_camera(tmp_path):
    for content, shape in ((ROTATIONS[0], (3, 3)), (POSES[0], (4, 4))):
        np.save(tmp_path / 'a.npy', content)
        assert read_camera_poses(tmp_path / 'a.npy').R_w2c.shape == (1, 3, 3), shape


def test_a_calibration_names_its_cameras(tmp_path):
    views = [View(name, INTRINSICS, ROTATIONS[2], np.array([1.0, 2, 3])) for name in ('a', 'b')]
    write_calibration(tmp_path / 'x.qca.txt', views)
    poses = read_camera_poses(tmp_path / 'x.qca.txt', 'b')
    assert poses.up == '+z'
    np.testing.assert_allclose(poses.K, INTRINSICS, atol=1e-3)
    np.testing.assert_allclose(ROTATIONS[2] @ poses.centres[0], [-1, -2, -3], atol=1e-6)
    with pytest.raises(DataError, match="x.qca.txt has no camera 'c', only a, b"):
        read_camera_poses(tmp_path / 'x.qca.txt', 'c')


@pytest.mark.parametrize('stated, up', [('z', '+z'), ('+y', '+y'), ('-x', '-x')])
def test_the_up_axis_and_intrinsics(tmp_path, stated, up):
    np.savez(tmp_path / 'a.npz', T_w2c=POSES, up=stated, K_fullimg=INTRINSICS)
    poses = read_camera_poses(tmp_path / 'a.npz')
    assert poses.up == up
    np.testing.assert_array_equal(poses.K, INTRINSICS)
    np.savez(tmp_path / 'b.npz', T_w2c=POSES)
    assert read_camera_poses(tmp_path / 'b.npz')[3:] == ('', None)


@pytest.mark.parametrize(
    'content, said',
    [
        (dict(T_w2c=POSES, up='upwards'), "`up` should be one of .*'upwards'"),
        (dict(R_w2c=ROTATIONS, up='z'), '`up` needs poses'),
        (dict(T_w2c=POSES * MILLIMETRES, up='z'), '12124 m .*millimetres by 1000'),
        (dict(R_w2c=ROTATIONS, K_fullimg=INTRINSICS.T), '`K_fullimg` should be'),
        (dict(R_w2c=ROTATIONS, K_fullimg=np.tile(INTRINSICS, (5, 1, 1))), '`K_fullimg` should be'),
    ],
)
def test_worlds_and_intrinsics_that_cannot_be(tmp_path, content, said):
    np.savez(tmp_path / 'camera.npz', **content)
    with pytest.raises(DataError, match=f'camera.npz.*{said}'):
        read_camera_poses(tmp_path / 'camera.npz')
