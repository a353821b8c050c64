"""Results as other methods write them: the joints are those of their own body model."""

import numpy as np
import pytest
import torch

from gvhmr_da_mm import load_result
from gvhmr_da_mm.body_models import get_body_model
from gvhmr_da_mm.core.camera import transform_smpl
from gvhmr_da_mm.core.conventions import BODY_JOINT_NAMES
from gvhmr_da_mm.core.errors import ConfigError, DataError, MissingFilesError
from gvhmr_da_mm.core.extrinsics import invert_rigid
from gvhmr_da_mm.core.rotation import axis_angle_to_matrix
from gvhmr_da_mm.export import (
    person_skeleton,
    read_result,
    write_amass_npz,
    write_bvh,
    write_hmr4d_results,
)
from gvhmr_da_mm.export.readers import pose_motion

MILLIMETRE = 1e-3
EXACT = 0.01 * MILLIMETRE
K = np.array([[100.0, 0, 40], [0, 100, 30], [0, 0, 1]])


def assert_joints(found, expected, tolerance=0.4 * MILLIMETRE):
    error = np.linalg.norm(np.asarray(found) - np.asarray(expected), axis=-1)
    assert error.max() < tolerance


@pytest.fixture
def smpl(person, toy_root):
    """Return SMPL parameters in both spaces, and their joints (F, 22, 3)."""
    body = get_body_model('smpl', data_root=toy_root)
    pose = torch.nn.functional.pad(torch.from_numpy(person.body_pose), (0, 6))
    betas = torch.from_numpy(person.betas) * 0.5
    T_w2c = torch.from_numpy(person.T_w2c).float()
    orient, transl = (
        torch.from_numpy(getattr(person, f'{n}_w')) for n in ('global_orient', 'transl')
    )
    root = body.skeleton(betas)[:, 0]
    orient_c, transl_c = transform_smpl(orient, transl, T_w2c, root)
    return dict(
        pose=pose, betas=betas, world=(orient, transl), camera=(orient_c, transl_c), T_w2c=T_w2c,
        joints_w=body.fk(pose, betas, orient, transl)[:, :22],
        joints_c=body.fk(pose, betas, orient_c, transl_c)[:, :22],
    )  # fmt: skip


def wham_person(smpl, frames):
    return dict(
        pose=torch.cat((smpl['camera'][0], smpl['pose']), dim=1).numpy(),
        trans=smpl['camera'][1].numpy(),
        pose_world=torch.cat((smpl['world'][0], smpl['pose']), dim=1).numpy(),
        trans_world=smpl['world'][1].numpy(),
        betas=smpl['betas'].numpy(),
        verts=np.zeros((len(frames), 5, 3)),
        frame_ids=np.asarray(frames),
    )


def test_wham(smpl, toy_root, tmp_path):
    joblib = pytest.importorskip('joblib', reason='requirements/tests.txt has joblib')
    frames = [3, 4, 5, 8, 9, 10, 11, 12, 13]
    path = tmp_path / 'wham_output.pkl'
    people = {0: wham_person(smpl, range(9)), 7: wham_person(smpl, frames)}
    joblib.dump(people, path)
    result = load_result(path, toy_root)
    assert sorted(result.people) == [0, 1] and len(result) == 14 and result.fps == 30
    assert_joints(result.people[0].joints_w, smpl['joints_w'])
    assert_joints(result.people[0].joints_c, smpl['joints_c'])
    gap = result.people[1]
    assert (gap.first_frame, gap.last_frame) == (3, 13)
    np.testing.assert_array_equal(gap.seen, [1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1])
    np.testing.assert_array_equal(gap.confidence, gap.seen)
    assert_joints(gap.joints_w[gap.seen], smpl['joints_w'])
    assert_joints(gap.joints_w[3:5], smpl['joints_w'][[2, 2]])
    # For scores the motion stays one of SMPL.
    own = pose_motion(read_result(path)[0], toy_root, to_smplx=False)
    assert own.body_pose.shape == (9, 69)
    torch.testing.assert_close(own.world[1], smpl['world'][1])


def tram_folder(smpl, folder, frames=range(2, 11)):
    (folder / 'hps').mkdir()
    rotations = axis_angle_to_matrix(
        torch.cat((smpl['camera'][0], smpl['pose']), dim=1).unflatten(1, (24, 3))
    )
    track = dict(
        pred_cam=torch.zeros(9, 3),
        pred_rotmat=rotations,
        pred_shape=smpl['betas'],
        pred_trans=smpl['camera'][1][:, None],
        frame=torch.tensor(list(frames)),
    )
    np.save(folder / 'hps' / 'hps_track_0.npy', track)
    T_c2w = torch.eye(4).repeat(20, 1, 1)
    T_c2w[2:11] = invert_rigid(smpl['T_w2c'])
    camera = dict(
        world_cam_R=T_c2w[:, :3, :3], world_cam_T=T_c2w[:, :3, 3], img_focal=100.0,
        img_center=np.array([40.0, 30.0]),
    )  # fmt: skip
    np.save(folder / 'camera.npy', camera)


def test_tram(smpl, toy_root, tmp_path):
    tram_folder(smpl, tmp_path)
    result = load_result(tmp_path, toy_root)
    (person,) = result.people.values()
    assert person.first_frame == 2 and len(person) == 9
    assert_joints(person.joints_w, smpl['joints_w'])
    assert_joints(person.joints_c, smpl['joints_c'])
    assert result.size == (80, 60)
    np.testing.assert_array_equal(result.camera.K, K)
    np.testing.assert_allclose(result.camera.T_w2c[2:11], smpl['T_w2c'], atol=1e-5)
    (tmp_path / 'camera.npy').unlink()
    with pytest.raises(DataError, match='camera.npy'):
        load_result(tmp_path, toy_root)
    assert read_result(tmp_path)[0].camera is not None


def test_own_pt_file_is_complete(person, toy_root, tmp_path):
    person.seen[3] = False
    person.first_frame = 4
    person.bbx_xys = np.full((len(person), 3), 20.0, np.float32)
    path = write_hmr4d_results(tmp_path / 'a.pt', person, K, fps=25)
    result = load_result(path, data_root=toy_root)
    (found,) = result.people.values()
    assert (result.fps, result.size, len(result)) == (25, (80, 60), 4 + len(person))
    assert found.first_frame == 4 and found.confidence[3] == 0
    np.testing.assert_array_equal(found.seen, person.seen)
    for name in ('joints_w', 'body_pose', 'transl_w', 'global_orient_c', 'transl_c', 'bbx_xys'):
        np.testing.assert_allclose(getattr(found, name), getattr(person, name), atol=1e-5)


def test_file_of_gvhmr(person, toy_root, joints, tmp_path):
    content = torch.load(write_hmr4d_results(tmp_path / 'a.pt', person, K), weights_only=True)
    del content['gvhmr_da_mm']
    content['net_outputs'] = dict(static_conf_logits=torch.zeros(1, 9, 6))
    torch.save(content, tmp_path / 'hmr4d_results.pt')
    result = load_result(tmp_path / 'hmr4d_results.pt', toy_root)
    (found,) = result.people.values()
    assert_joints(found.joints_w, joints('world'), EXACT)
    assert_joints(found.joints_c, joints('camera'), EXACT)
    assert found.seen.all() and result.name == 'hmr4d_results'


@pytest.mark.parametrize('up', [None, '+y'])
@pytest.mark.parametrize('kind', ['smplx', 'smpl'])
def test_amass(person, toy_root, joints, tmp_path, up, kind):
    path = write_amass_npz(tmp_path / 'a.npz', person, up=up, body=kind, data_root=toy_root, fps=60)
    result = load_result(path, toy_root, up=up)
    (found,) = result.people.values()
    assert_joints(found.joints_w, joints('world'), *([EXACT] if kind == 'smplx' else []))
    assert result.fps == 60 and result.camera is None and not found.in_camera


@pytest.mark.parametrize('scale', [1, 100])
def test_bvh(person, toy_root, joints, tmp_path, scale):
    path = write_bvh(tmp_path / 'a.bvh', person_skeleton(person, fps=25), scale)
    result = load_result(path, toy_root)
    (found,) = result.people.values()
    assert result.fps == pytest.approx(25, abs=1e-4)
    assert_joints(found.joints_w, joints('world'), 5 * EXACT)
    written = result.save(tmp_path / 'again.bvh', scale=scale)[0]
    (again,) = load_result(written, toy_root).people.values()
    assert_joints(again.joints_w, joints('world'), 5 * EXACT)


def test_names_of_smpl_in_a_bvh(person, toy_root, tmp_path):
    text = write_bvh(tmp_path / 'a.bvh', person_skeleton(person)).read_text()
    for name in BODY_JOINT_NAMES:
        side, _, rest = name.partition('_')
        other = f'{side[0].upper()}_{rest.title()}' if rest else name.title()
        text = text.replace(f' {name}\n', f' m_avg_{other}\n')
    (tmp_path / 'b.bvh').write_text(text)
    found = [read_result(tmp_path / name)[0].body_pose for name in ('a.bvh', 'b.bvh')]
    np.testing.assert_array_equal(*found)


def test_a_folder_of_people(person, toy_root, tmp_path):
    for number in (2, 10):
        person.first_frame = number
        write_amass_npz(tmp_path / f'person_{number}.npz', person)
    (tmp_path / 'summary.json').write_text('{}')
    result = load_result(tmp_path, toy_root)
    assert {n: p.first_frame for n, p in result.people.items()} == {0: 2, 1: 10}


def break_pt(change):
    def write(path, person):
        content = torch.load(write_hmr4d_results(path, person, K), weights_only=True)
        change(content)
        torch.save(content, path)

    return write


def changed_bvh(old, new):
    def write(path, person):
        text = write_bvh(path, person_skeleton(person)).read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    return write


@pytest.mark.parametrize(
    'name, write, expected',
    [
        (
            'a.pt',
            break_pt(lambda c: c.pop('K_fullimg')),
            'field `K_fullimg`: expected a value',
        ),
        (
            'a.pt',
            break_pt(lambda c: c['smpl_params_incam'].update(transl=torch.zeros(9, 2))),
            r'field `smpl_params_incam.transl`: expected numbers of shape \(9, 3\)',
        ),
        (
            'a.pt',
            break_pt(lambda c: c['smpl_params_global']['transl'].fill_(np.nan)),
            'field `smpl_params_global.transl`: expected finite numbers',
        ),
        (
            'a.pt',
            lambda path, _: path.write_bytes(b'nothing'),
            'should be a file of torch.save',
        ),
        ('a.pt', break_pt(lambda c: c.update(x=np.float64)), 'nothing in it was run'),
        ('a.pkl', lambda path, _: path.write_bytes(b'nothing'), 'a.pkl should be a pickle'),
        ('a.npy', lambda path, _: np.save(path, np.zeros(3)), 'a.npy: expected a dict of TRAM'),
        ('a.npz', lambda path, _: np.savez(path, x=1), 'a.npz: field `poses`'),
        ('a.bvh', lambda path, _: path.write_text('nothing'), 'a.bvh should be a BVH file'),
        ('a.bvh', changed_bvh('left_knee', 'LeftLeg'), 'without left_knee'),
        ('a.bvh', changed_bvh('Frames: 9', 'Frames: 10'), 'says 10, and 9 lines follow'),
        ('a.bvh', changed_bvh('Frame Time: 0.0333', 'Frame Time: -0.0333'), 'Frame Time'),
        ('a.docx', lambda path, _: path.write_text(''), 'a.docx should be a result and end in one'),
    ],
)
def test_bad_files_are_named(person, tmp_path, name, write, expected):
    write(tmp_path / name, person)
    with pytest.raises(DataError, match=expected) as error:
        read_result(tmp_path / name)
    assert str(tmp_path / name) in str(error.value)


def test_bad_options(person, tmp_path):
    path = write_amass_npz(tmp_path / 'a.npz', person)
    with pytest.raises(MissingFilesError, match='absent.pt'):
        read_result(tmp_path / 'absent.pt')
    with pytest.raises(ConfigError, match='`up`'):
        read_result(path, up='z')
    with pytest.raises(ConfigError, match='`fps` should be positive'):
        read_result(path, fps=0)
    (tmp_path / 'empty').mkdir()
    with pytest.raises(DataError, match='empty should be a folder with results'):
        read_result(tmp_path / 'empty')
