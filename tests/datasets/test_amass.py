import json
import pickle

import numpy as np
import pytest
import torch

from gvhmr_da_mm.core.camera import perspective_project, smpl_camera_extrinsics
from gvhmr_da_mm.core.errors import ConfigError, DataError, MissingFilesError
from gvhmr_da_mm.core.rotation import axis_angle_to_matrix
from gvhmr_da_mm.core.trajectory import local_velocity, rollout_world
from gvhmr_da_mm.datasets import AMASSDataset, ClipKey

from .mocap import recordings
from .samples import assert_same_item


@pytest.fixture
def folder(tmp_path):
    for name in ('CMU/01/a', 'CMU/02/b', 'KIT/3/c'):
        recordings.write(tmp_path / f'{name}_stageii.npz')
    np.savez(tmp_path / 'CMU/01/neutral_stagei.npz', betas=np.zeros(16))
    return tmp_path


@pytest.fixture
def dataset(toy_root, folder):
    return AMASSDataset(toy_root, motions=folder)


def read(dataset, seed, index=0, **info):
    info = dict(dataset.get_data_info(index), seed=seed, **info)
    return dataset.read_clip(info, info['start'], min(info['end'], 120))


def world_joints(dataset, labels):
    R = axis_angle_to_matrix(
        torch.cat((labels['global_orient_w'], labels['body_pose']), dim=1).unflatten(1, (22, 3))
    )
    rest = dataset.body.skeleton(labels['betas'][0])
    return dataset.body.pose(R, labels['transl_w'] + rest[0], labels['betas'][0])


def test_items_are_labelled_without_keypoints_and_features(dataset):
    item = dataset[ClipKey(1, 5)]
    sample, inputs = item['data_samples'], item['inputs']
    assert (sample.dataset, sample.domain, sample.supervision) == ('amass', 'synthetic', 'full')
    assert not inputs['has_kp2d'] and not inputs['has_imgfeat']
    shapes = {key: tuple(value.shape) for key, value in sample.gt_instances.items()}
    assert shapes == dict(
        body_pose=(120, 63),
        betas=(120, 10),
        global_orient_c=(120, 3),
        transl_c=(120, 3),
        global_orient_w=(120, 3),
        transl_w=(120, 3),
        R_c2gv=(120, 3, 3),
    )
    assert int(inputs['valid'].sum()) == sample.length <= 120
    assert (inputs['bbx_xys'][:, 2] > 0).all()


def test_files_without_motion_are_no_recordings(dataset):
    names = {dataset.get_data_info(index)['sequence'] for index in range(len(dataset))}
    assert names == {'CMU/01/a_stageii', 'CMU/02/b_stageii', 'KIT/3/c_stageii'}


def test_a_key_decides_everything(toy_root, folder, dataset):
    again = pickle.loads(pickle.dumps(AMASSDataset(toy_root, motions=folder)))
    again[ClipKey(2, 1)]
    assert_same_item(dataset[ClipKey(0, 7)], again[ClipKey(0, 7)])
    boxes = [dataset[ClipKey(0, seed)]['inputs']['bbx_xys'] for seed in (7, 8)]
    assert not torch.equal(*boxes)


def test_clips_that_are_read_with_one_seed_differ(dataset):
    clips = [read(dataset, 0, index) for index in range(3)]
    assert len({float(clip.labels['betas'][0, 0]) for clip in clips}) == 3
    assert len({float(clip.K_fullimg[0, 0]) for clip in clips}) == 3


@pytest.mark.parametrize('seed', range(12))
def test_world_camera_and_gravity_view_agree(dataset, seed):
    clip = read(dataset, seed)
    labels = clip.labels
    offset = dataset.body.skeleton(labels['betas'][0])[0]
    names = ('global_orient_w', 'transl_w', 'global_orient_c', 'transl_c')
    T = smpl_camera_extrinsics(*(labels[name] for name in names), offset)
    torch.testing.assert_close(T[:, :3, :3], clip.R_w2c, atol=1e-4, rtol=0)

    R_w, R_c = (axis_angle_to_matrix(labels[f'global_orient_{frame}']) for frame in 'wc')
    R_gv = labels['R_c2gv'] @ R_c
    # y is up in the world and down in the gravity view.
    torch.testing.assert_close(R_gv[:, 1], -R_w[:, 1], atol=1e-4, rtol=0)


@pytest.mark.parametrize('seed', range(12))
def test_the_box_is_around_what_is_seen(dataset, seed):
    clip = read(dataset, seed)
    labels = clip.labels
    offset = dataset.body.skeleton(labels['betas'][0])[0]
    names = ('global_orient_w', 'transl_w', 'global_orient_c', 'transl_c')
    T = smpl_camera_extrinsics(*(labels[name] for name in names), offset)
    points = world_joints(dataset, labels) @ T[:, :3, :3].mT + T[:, None, :3, 3]
    assert points[..., 2].min() > 0.3
    pixels = perspective_project(points, clip.K_fullimg)
    seen = ((pixels > 0) & (pixels < torch.tensor(clip.img_wh))).all(dim=-1)
    inside = ((pixels - clip.bbx_xys[:, None, :2]).abs() <= clip.bbx_xys[:, None, 2:] / 2 + 1).all(
        -1
    )
    assert seen.any(dim=1).all() and inside[seen].all()


@pytest.mark.parametrize('seed', range(6))
def test_velocities_roll_out_to_the_path(dataset, seed):
    clip = read(dataset, seed)
    labels = clip.labels
    R_w, R_c = (axis_angle_to_matrix(labels[f'global_orient_{frame}']) for frame in 'wc')
    velocity = local_velocity(R_w, labels['transl_w'])
    step = clip.R_w2c[1:] @ clip.R_w2c[:-1].mT
    angvel = torch.cat((step, step[-1:]))[..., :2, :].flatten(1)
    R, path = rollout_world(labels['R_c2gv'] @ R_c, R_c, angvel, velocity, smoothing=0)
    # Equal up to where the world begins and how it is turned about the vertical.
    turn = R[0] @ R_w[0].mT
    truth = (labels['transl_w'] - labels['transl_w'][0]) @ turn.T
    torch.testing.assert_close(turn[1], torch.tensor([0.0, 1, 0]), atol=1e-3, rtol=0)
    torch.testing.assert_close(path, truth, atol=0.02, rtol=0)


@pytest.mark.mocap
@pytest.mark.parametrize('name', ['CMU', 'CMU_short', 'UIPRMD'])
def test_every_folder_of_real_motion_gives_people_on_the_floor(toy_root, mocap_root, name):
    clips = json.loads((mocap_root / 'clips.json').read_text())
    level = [
        clip['file'].removesuffix('.npz')
        for clip in clips
        if clip['file'].startswith(f'{name}/') and not clip['terrain']
    ]
    dataset = AMASSDataset(toy_root, motions=mocap_root, include=level)
    for index in range(0, len(dataset), max(len(dataset) // 8, 1)):
        labels = read(dataset, index, index).labels
        feet = world_joints(dataset, labels)[:, 10:12, 1].amin()
        assert -0.03 < feet < 0.1, dataset.get_data_info(index)
        assert torch.isfinite(labels['transl_c']).all() and labels['transl_c'][:, 2].min() > 0


def test_the_published_pack_and_the_files_hold_the_same_motion(toy_root, folder):
    poses, trans = (torch.from_numpy(x).float() for x in recordings.walk())
    pack = folder / 'smplxpose_v2.pth'
    torch.save({'CMU/01/a': dict(pose=poses, trans=trans, beta=torch.zeros(10))}, pack)
    datasets = [
        AMASSDataset(toy_root, motions=pack),
        AMASSDataset(toy_root, motions=folder, include=('CMU/01/*',)),
    ]
    first, second = (read(dataset, 3).labels for dataset in datasets)
    for key, value in first.items():
        torch.testing.assert_close(value, second[key], atol=1e-4, rtol=0)


def test_smplh_files_use_the_rest_pose_of_smpl(toy_root, tmp_path):
    recordings.write(
        tmp_path / 'a.npz', columns=156, mocap_frame_rate=None, mocap_framerate=30.0, gender='male'
    )
    dataset = AMASSDataset(toy_root, motions=tmp_path)
    origin = dataset.body.recorded_skeleton('smplh', 'male', torch.zeros(10))[0]
    assert (origin - dataset.body.skeleton(torch.zeros(10))[0]).norm() > 0.05
    motion = dataset.source.read(dataset.get_data_info(0), 0, 5, dataset.body)
    trans = torch.from_numpy(recordings.walk()[1])
    height = motion.pelvis[:, 1]
    torch.testing.assert_close(height, trans[:5, 2] + origin[2], atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    'changes, words',
    [
        (dict(columns=72), ['poses', '165', '72', 'SMPL', 'download']),
        (dict(mocap_frame_rate=None), ['mocap_frame_rate', 'frames per second']),
        (dict(mocap_frame_rate=0.0), ['mocap_frame_rate', '0']),
        (dict(trans=None), ['trans', 'none']),
        (dict(poses=None), ['poses', 'exclude']),
        (dict(betas=np.zeros(4)), ['betas', '10', '4']),
        (dict(betas=np.full(16, 57.0)), ['`betas`', 'at most 10', '57']),
        (dict(gender='robot'), ['gender', 'robot']),
        (dict(trans=np.zeros((3, 3))), ['trans', 'shape', '(3, 3)']),
    ],
)
def test_bad_files_are_named(toy_root, tmp_path, changes, words):
    path = recordings.write(tmp_path / 'sub/a.npz', **changes)
    with pytest.raises(DataError) as error:
        dataset = AMASSDataset(toy_root, motions=tmp_path)
        dataset[ClipKey(0, 0)]
    for word in [str(path), *words]:
        assert word in str(error.value)


def broken(kind):
    poses, trans = recordings.walk()
    poses = np.concatenate((poses, np.zeros((len(poses), 99))), axis=1)
    if kind == 'nan':
        trans[7, 1] = np.nan
    elif kind == 'jump':
        trans[20:, 0] += 0.5
    elif kind == 'flip':
        poses[15, 3 * 18 : 3 * 18 + 3] += (0, 3.0, 0)
    elif kind == 'y_up':
        y_up = recordings.load_clip('walk')
        poses[:, :3] = recordings.matrix_to_axis_angle(y_up.rotations[:, 0]).numpy()
        trans = (y_up.pelvis - torch.tensor(recordings.REST_PELVIS)).numpy()
    return dict(poses=poses, trans=trans)


BROKEN = {
    'nan': ['trans', 'NaN', 'row 7'],
    'jump': ['trans', 'acceleration', 'marker'],
    'flip': ['poses', 'rad/s', 'frame 15'],
    'y_up': ['z up', 'y up', "up='y'"],
}


@pytest.mark.parametrize('kind', BROKEN)
def test_motion_that_cannot_be_right_is_named(toy_root, tmp_path, kind):
    path = recordings.write(tmp_path / 'a.npz', **broken(kind))
    dataset = AMASSDataset(toy_root, motions=tmp_path)
    with pytest.raises(DataError) as error:
        dataset[ClipKey(0, 0)]
    for word in [str(path), *BROKEN[kind]]:
        assert word in str(error.value)


@pytest.mark.parametrize('kind', BROKEN)
def test_bad_recordings_are_skipped_and_counted(toy_root, folder, kind):
    recordings.write(folder / 'bad.npz', **broken(kind))
    dataset = AMASSDataset(toy_root, motions=folder, on_bad_sample='skip')
    assert [sample.sequence for sample in dataset.left_out] == ['bad']
    assert 'bad.npz' in dataset.left_out[0].reason


def test_y_up_can_be_read(toy_root, tmp_path):
    recordings.write(tmp_path / 'y/a.npz', **broken('y_up'))
    recordings.write(tmp_path / 'z/a.npz')
    y_up = AMASSDataset(toy_root, motions=tmp_path / 'y', up='y')
    z_up = AMASSDataset(toy_root, motions=tmp_path / 'z')
    first, second = (read(dataset, 0).labels['transl_w'] for dataset in (y_up, z_up))
    torch.testing.assert_close(first, second, atol=1e-3, rtol=0)


def test_short_recordings_are_left_out(toy_root, folder):
    poses, trans = recordings.walk()
    poses = np.concatenate((poses, np.zeros((len(poses), 99))), axis=1)
    recordings.write(folder / 'short.npz', poses=poses[:20], trans=trans[:20])
    dataset = AMASSDataset(toy_root, motions=folder)
    names = {dataset.get_data_info(index)['sequence'] for index in range(len(dataset))}
    assert 'short' not in names and len(names) == 3


def test_missing_motions_and_bodies(toy_root, tmp_path, folder):
    with pytest.raises(MissingFilesError, match='smplxpose_v2.pth'):
        AMASSDataset(toy_root)
    with pytest.raises(MissingFilesError, match='SMPLX_NEUTRAL.npz'):
        AMASSDataset(tmp_path / 'empty', motions=folder)
    with pytest.raises(DataError, match='exclude'):
        AMASSDataset(toy_root, motions=folder, exclude=('*',))


def test_excluded_recordings_are_not_read(toy_root, folder):
    recordings.write(folder / 'KIT/3/damaged.npz', poses=None)
    (folder / 'bad.txt').write_text('KIT/*\n# no floor\nCMU/01/a_stageii\n')
    dataset = AMASSDataset(toy_root, motions=folder, exclude=folder / 'bad.txt')
    assert [info['sequence'] for info in dataset.data_list] == ['CMU/02/b_stageii']
    with pytest.raises(ConfigError, match=r"got 2 unknown: 'CNU/\*', 'b_stageii'"):
        AMASSDataset(toy_root, motions=folder, exclude=('CNU/*', 'KIT/*', 'b_stageii'))


@pytest.mark.parametrize('options', [
    dict(up='x'), dict(speed=(0, 1)), dict(mirror_prob=2), dict(test_mode=True),
])  # fmt: skip
def test_impossible_options(toy_root, folder, options):
    with pytest.raises(ConfigError, match=next(iter(options))):
        AMASSDataset(toy_root, motions=folder, **options)
