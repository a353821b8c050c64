"""The reader of AMASS' files finds the motion, in metres, seconds and AMASS' axes."""

import numpy as np
import pytest
import smplx
import torch

from gvhmr_da_mm.body_models import get_body_model
from gvhmr_da_mm.core.errors import ConfigError, DataError
from gvhmr_da_mm.export import dumped_person, given_up, write_amass_npz
from gvhmr_da_mm.fileio.amass_file import read_arrays, read_header

MILLIMETRE = 1e-3
TOLERANCE = dict(smplx=0.01 * MILLIMETRE, smpl=0.5 * MILLIMETRE)
"""SMPL-X is stored as it is; SMPL is fitted to a motion with large angles of all joints."""


def posed(path, body):
    """Return the joints (F, 22, 3) of a file."""
    arrays = read_arrays(path)
    poses, betas = arrays['poses'], arrays['betas'].expand(len(arrays['poses']), 10)
    hands = torch.zeros(len(poses), 3 * body.num_posed - 66)
    pose = torch.cat((poses[:, 3:], hands), dim=1)
    return body.fk(pose, betas, poses[:, :3], arrays['trans'])[:, :22]


@pytest.mark.parametrize('kind, columns', [('smplx', 165), ('smpl', 72)])
@pytest.mark.parametrize('up', [None, '+y'])
def test_the_joints_and_the_axes(person, toy_root, joints, tmp_path, kind, columns, up):
    path = tmp_path / 'new' / 'a.npz'
    write_amass_npz(path, person, up=up, body=kind, fps=25, data_root=toy_root)
    header = read_header(path, bodies=('smplx', 'smpl'))
    assert (header.body, header.gender, header.frame_rate) == (kind, 'neutral', 25)
    assert header.frames == len(person)
    with np.load(path) as file:
        assert file['poses'].shape == (len(person), columns)
        assert not file['poses'][:, 66:].any()
        assert str(file['surface_model_type']) == kind
        assert float(file['mocap_time_length']) == len(person) / 25
        assert int(file['first_frame']) == person.first_frame and file['seen'].all()
    found = posed(path, get_body_model(kind, data_root=toy_root))
    x, y, z = joints('world').unbind(-1)
    expected = torch.stack((x, y, z) if up else (x, -z, y), dim=-1)
    assert (found - expected).norm(dim=-1).max() < TOLERANCE[kind]


@pytest.mark.parametrize('kind', ['smplx', 'smpl'])
def test_another_library_finds_the_joints(person, toy_root, joints, tmp_path, kind):
    path = write_amass_npz(tmp_path / 'a.npz', person, up='+y', body=kind, data_root=toy_root)
    with np.load(path) as file:
        poses, betas, trans = (
            torch.from_numpy(file[name]).float() for name in ('poses', 'betas', 'trans')
        )
    frames = len(poses)
    library = smplx.create(
        str(toy_root / 'body_models'), kind, gender='neutral', batch_size=frames, use_pca=False,
        flat_hand_mean=True,
    )  # fmt: skip
    found = library(
        global_orient=poses[:, :3],
        body_pose=poses[:, 3 : 3 * (22 if kind == 'smplx' else 24)],
        betas=betas.expand(frames, -1),
        transl=trans,
    ).joints[:, :22]
    assert (found - joints('world')).norm(dim=-1).max() < TOLERANCE[kind]


@pytest.mark.parametrize('kind', ['smplx', 'smpl'])
def test_the_rest_pose(person, toy_root, tmp_path, kind):
    """The size and the proportions of the person are those of the source."""
    path = write_amass_npz(tmp_path / 'a.npz', person, body=kind, data_root=toy_root)
    rest = get_body_model(kind, data_root=toy_root).skeleton(read_arrays(path)['betas'])[:22]
    source = get_body_model('smplx', data_root=toy_root).skeleton(torch.from_numpy(person.betas[0]))
    offset = (rest - rest[:1]) - (source - source[:1])
    assert offset.norm(dim=-1).max() < MILLIMETRE


def test_the_camera_is_not_turned(person, dump, tmp_path):
    p = dump.sample.pred_instances
    with np.load(write_amass_npz(tmp_path / 'a.npz', person, 'camera')) as file:
        np.testing.assert_array_equal(file['trans'], p.transl_c)
        np.testing.assert_array_equal(file['root_orient'], p.global_orient_c)
        np.testing.assert_array_equal(file['pose_body'], p.body_pose)
        np.testing.assert_array_equal(file['poses'][:, 3:66], p.body_pose)


def test_axes_of_the_given_camera(given_dump, body, joints, tmp_path):
    person = dumped_person(given_dump)
    path = write_amass_npz(tmp_path / 'a.npz', person, up=given_up(given_dump))
    x, y, z = joints('world').unbind(-1)
    expected = torch.stack((x, -z, y), dim=-1)
    torch.testing.assert_close(posed(path, body), expected, atol=1e-5, rtol=0)


def test_errors(person, tmp_path):
    for options, expected in (
        (dict(space='gv'), 'space'),
        (dict(up='z'), 'up'),
        (dict(space='camera', up='+z'), '`up` is for the world'),
        (dict(body='smplh'), 'body'),
    ):
        with pytest.raises(ConfigError, match=expected):
            write_amass_npz(tmp_path / 'a.npz', person, **options)
    person.transl_c = None
    with pytest.raises(DataError, match='in the camera is unknown'):
        write_amass_npz(tmp_path / 'a.npz', person, 'camera')
    assert not list(tmp_path.iterdir())
