"""RICH: the documented format, its errors, and prediction and metrics on it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.structures import InstanceData

from gvhmr_da_mm.body_models import get_body_model
from gvhmr_da_mm.core.camera import transform_smpl
from gvhmr_da_mm.core.errors import ConfigError, DataError, MissingFilesError
from gvhmr_da_mm.core.rotation import axis_angle_to_matrix
from gvhmr_da_mm.datasets import RICHDataset
from gvhmr_da_mm.evaluation import CameraSpaceMetric, WorldSpaceMetric
from gvhmr_da_mm.models.test_time import MotionRecovery
from gvhmr_da_mm.registry import MODELS
from tests.datasets.packs import edit, save
from tests.testing import toy_model_config

NAMES = ('Gym_011_cooking/cam_02', 'ParkingLot2_009/cam_00')
FRAMES = 40
PACK = Path('RICH/hmr4d_support/rich_test.pt')


def smooth(frames, size):
    return 0.01 * torch.randn(frames, size).cumsum(dim=0) + 0.1 * torch.randn(size)


def write_rich(root, names=NAMES, frames=FRAMES, flip=True, gender='neutral'):
    pack = {}
    for name in names:
        T_w2c = torch.eye(4)
        T_w2c[:3, :3] = axis_angle_to_matrix(torch.tensor([2.9, 0.3, 0.1]))
        T_w2c[:3, 3] = torch.tensor([0.2, 0.4, 5.0])
        mask = torch.ones(frames, dtype=torch.bool)
        mask[5:8] = False
        pack[name] = dict(
            gender=gender,
            smplx_params=dict(
                body_pose=smooth(frames, 63),
                betas=torch.randn(10).expand(frames, 10).clone(),
                global_orient=smooth(frames, 3),
                transl=smooth(frames, 3),
            ),
            mask=mask,
            K_fullimg=torch.tensor([[1800.0, 0, 960], [0, 1800, 540], [0, 0, 1]]),
            T_w2c=T_w2c,
            img_wh=torch.tensor([1920, 1080]),
            bbx_xys=torch.rand(frames, 3) * 100 + 400,
            kp2d=torch.rand(frames, 17, 3),
            features=torch.randn(frames, 1024).half(),
        )
        if flip:
            record = dict(bbx_xys=torch.rand(frames, 3) + 400, features=torch.randn(frames, 1024))
            save(root / PACK.parent / 'imgfeats' / 'rich_flip' / f'{name}.pt', record)
    save(root / PACK, pack)


@pytest.fixture
def root(toy_root, tmp_path):
    for folder in ('body_models', 'support'):
        (tmp_path / folder).symlink_to(toy_root / folder)
    write_rich(tmp_path)
    return tmp_path


def build(root, **options):
    return RICHDataset(data_root=root, **{'with_joints': False, **options})


def perfect(sample):
    """Predict the label of a neutral body in the camera and in the world."""
    target = sample.gt_instances
    smplx = {name: target[name] for name in ('body_pose', 'betas', 'global_orient', 'transl')}
    return smplx, target.T_w2c


def test_a_whole_sequence_of_a_static_camera(root):
    dataset = build(root, flip_test=True)
    assert len(dataset) == 2
    item = dataset[0]
    inputs, sample = item['inputs'], item['data_samples']
    assert inputs['kp2d'].shape == (FRAMES, 17, 3) and inputs['flip_kp2d'].shape == (FRAMES, 17, 3)
    still = torch.eye(3)[:2].reshape(6).expand(FRAMES, 6)
    torch.testing.assert_close(inputs['cam_angvel'], still, atol=1e-6, rtol=0)
    assert inputs['K_fullimg'][0, 0, 0] == 1800
    assert not inputs['kp2d'][5:8, :, 2].any() and inputs['kp2d'][8:, :, 2].any()
    assert sample.static_camera is True and sample.dataset == 'rich'
    assert sample.sequence == NAMES[0]
    assert sample.conditions == dict(intrinsics='true', camera_rotation='true')
    assert sample.gt_instances.body_pose.shape == (FRAMES, 63)
    assert sample.gt_instances.T_w2c.shape == (FRAMES, 4, 4)


def test_joints_in_the_camera_are_those_of_the_labels(root):
    dataset = build(root, with_joints=True)
    sample = dataset.read_clip(dataset.get_data_info(0), 0, FRAMES).labels
    smplx = get_body_model('smplx_light', 'neutral', root)
    names = ('body_pose', 'betas', 'global_orient', 'transl')
    joints = smplx.fk(*(sample[name] for name in names))
    T_w2c = sample['T_w2c'][0]
    expected = joints @ T_w2c[:3, :3].T + T_w2c[:3, 3]
    torch.testing.assert_close(torch.from_numpy(sample['lifting_target']), expected)
    assert sample['lifting_target_visible'].sum() == 22 * (FRAMES - 3)


def test_joints_are_finite_where_labels_are_not(root):
    """MMPose's metrics align the joints of all frames, and fail at NaN."""

    def spoil(pack):
        for record in pack.values():
            for values in record['smplx_params'].values():
                values[~record['mask']] = torch.nan

    edit(root / PACK, spoil)
    sample = build(root, with_joints=True)[0]['data_samples'].gt_instances
    assert np.isfinite(sample['lifting_target']).all() and sample['transl'].isnan().any()


def test_estimated_intrinsics(root):
    item = build(root, intrinsics='estimated')[0]
    diagonal = (1920**2 + 1080**2) ** 0.5
    assert item['inputs']['K_fullimg'][0, 0, 0].item() == pytest.approx(diagonal)
    assert item['data_samples'].conditions['intrinsics'] == 'estimated'


def test_labels_score_zero_as_predictions(root):
    samples = []
    for index in range(2):
        sample = build(root)[index]['data_samples']
        smplx, T_w2c = perfect(sample)
        rest = get_body_model('smplx', 'neutral', root).skeleton(smplx['betas'])[:, 0]
        orient_c, transl_c = transform_smpl(smplx['global_orient'], smplx['transl'], T_w2c, rest)
        sample.pred_instances = InstanceData(
            body_pose=smplx['body_pose'],
            betas=smplx['betas'],
            global_orient_c=orient_c,
            transl_c=transl_c,
            global_orient_w=smplx['global_orient'],
            transl_w=smplx['transl'],
        )
        samples.append(sample)
    evaluator = Evaluator(
        [
            WorldSpaceMetric('rich', data_root=root),
            CameraSpaceMetric(protocol='rich_camera', data_root=root),
        ]
    )
    evaluator.process(samples)
    results = evaluator.evaluate(2)
    for name in ('rich/wa_mpjpe', 'rich/w_mpjpe', 'rich/rte', 'rich_camera/pve'):
        assert results[name] < 0.05, name
    assert set(results) == {
        *(f'rich/{name}' for name in WorldSpaceMetric.metric_names),
        *(f'rich_camera/{name}' for name in CameraSpaceMetric.metric_names),
    }


def test_the_model_takes_the_way_of_static_cameras(root):
    torch.manual_seed(0)
    model = MODELS.build(toy_model_config(root)).eval()
    item = build(root, flip_test=True)[0]
    inputs = {name: value[None] for name, value in item['inputs'].items()}
    paths = []
    for options in (dict(static_camera=None), dict(static_camera=True), dict(static_camera=False)):
        model.recovery = MotionRecovery(flip_test=True, postprocess=True, **options)
        (sample,) = model(inputs, [item['data_samples'].clone()], mode='predict')
        paths.append(sample.pred_instances.transl_w)
    assert torch.equal(paths[0], paths[1])
    assert not torch.allclose(paths[0], paths[2], atol=1e-4)


def test_the_config_adds_rich_to_the_test_sets():
    folder = Path(__file__).parents[2] / 'configs/_base_/datasets'
    config = Config.fromfile(str(folder / 'test_emdb_3dpw_rich.py'))
    datasets = config.test_dataloader.dataset.datasets
    assert list(datasets) == ['emdb1', 'emdb2', 'threedpw', 'rich']
    assert datasets.rich['type'].__name__ == 'RICHDataset'
    assert len(config.test_evaluator) == 5


@pytest.mark.parametrize(
    'change, message',
    [
        (lambda r: r.pop('T_w2c'), 'key `T_w2c`'),
        (lambda r: r.update(T_w2c=torch.eye(4).repeat(FRAMES, 1, 1)), r'shape \(4 4\)'),
        (lambda r: r['T_w2c'].fill_(torch.nan), 'key `T_w2c`.*finite'),
        (lambda r: r['smplx_params'].pop('betas'), 'key `smplx_params.betas`'),
        (lambda r: r.update(mask=r['mask'][:-1]), 'key `mask`'),
        (lambda r: r.update(gender='unknown'), 'key `gender`'),
    ],
)
def test_bad_packs_are_named(root, change, message):
    def change_first(pack):
        change(pack[NAMES[0]])

    edit(root / PACK, change_first)
    with pytest.raises(DataError, match=message):
        build(root)[0]


def test_empty_packs_and_sequences_are_errors(root):
    save(root / PACK, {})
    with pytest.raises(DataError, match='no sequence'):
        build(root)
    write_rich(root, NAMES[:1], frames=0)
    with pytest.raises(DataError, match='no frame.*cam_02'):
        build(root)


def test_missing_files_are_listed(root, tmp_path):
    (root / PACK.parent / 'imgfeats' / 'rich_flip' / f'{NAMES[1]}.pt').unlink()
    assert len(build(root)) == 2
    with pytest.raises(MissingFilesError, match='cam_00.*\n.*flip_test=False'):
        build(root, flip_test=True)
    (root / PACK).unlink()
    with pytest.raises(MissingFilesError, match='rich_test.pt'):
        build(root)


def test_there_is_no_training_split(root):
    with pytest.raises(ConfigError, match="'test'.*'train'"):
        build(root, split='train')
