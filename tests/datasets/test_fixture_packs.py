"""Readers on published packs: labels, cameras and images agree."""

import pytest
import torch

from gvhmr_da_mm.body_models import get_body_model
from gvhmr_da_mm.body_models.body_conversion import bone_offsets, fit_betas
from gvhmr_da_mm.core.camera import perspective_project, transform_smpl
from gvhmr_da_mm.core.rotation import axis_angle_to_matrix, relative_angle
from gvhmr_da_mm.datasets import BEDLAMDataset, ClipKey, EMDBDataset, ThreeDPWDataset
from gvhmr_da_mm.datasets.pack_io import load_pack
from gvhmr_da_mm.datasets.splits import EMDB_TEST_PREFIXES, emdb_splits

pytestmark = pytest.mark.fixtures

# Joints that SMPL and COCO have in common: knees, ankles, wrists.
BODY = [4, 5, 7, 8, 20, 21]
COCO = [13, 14, 15, 16, 9, 10]


@pytest.fixture(scope='module')
def smplx(fixtures_root):
    return get_body_model('smplx_light', data_root=fixtures_root)


def camera_joints(gt, smplx):
    return smplx.fk(gt.body_pose, gt.betas, gt.global_orient_c, gt.transl_c)


def keypoint_distance(joints_c, inputs):
    """Return the distance (L,) of projected joints to the keypoints, in box sides."""
    projected = perspective_project(joints_c, inputs['K_fullimg'])[:, BODY]
    distance = (projected - inputs['kp2d'][:, COCO, :2]).norm(dim=-1).median(dim=-1).values
    return distance / inputs['bbx_xys'][:, 2]


def test_bedlam_labels_project_into_their_boxes(fixtures_root, smplx):
    dataset = BEDLAMDataset(fixtures_root)
    for index in range(len(dataset)):
        item = dataset[ClipKey(index, index)]
        inputs = item['inputs']
        pixels = perspective_project(
            camera_joints(item['data_samples'].gt_instances, smplx), inputs['K_fullimg']
        )
        boxes = inputs['bbx_xys'][:, None]
        inside = (pixels - boxes[..., :2]).abs().amax(dim=-1) <= boxes[..., 2] / 2
        assert inside.float().mean() > 0.95, dataset.get_data_info(index)


def test_bedlam_world_and_camera_labels_agree(fixtures_root):
    dataset = BEDLAMDataset(fixtures_root)
    labels = load_pack(fixtures_root / 'BEDLAM/hmr4d_support/smplpose_v2.pth')
    for index in range(len(dataset)):
        sample = dataset[ClipKey(index, 0)]['data_samples']
        record = labels[sample.sequence]
        gt = sample.gt_instances[: sample.length]
        orient_c, transl_c = transform_smpl(
            gt.global_orient_w,
            gt.transl_w,
            record['cam_ext'][sample.start : sample.end],
            record['skeleton'][0],
        )
        torch.testing.assert_close(transl_c, gt.transl_c, atol=1e-4, rtol=0)
        angle = relative_angle(
            axis_angle_to_matrix(orient_c), axis_angle_to_matrix(gt.global_orient_c)
        )
        assert angle.max() < 1e-2


def test_bedlam_lists_every_published_clip(fixtures_root):
    folder = fixtures_root / 'BEDLAM/hmr4d_support'
    for part in ('all60', 'maxspan60'):
        ranges = load_pack(folder / f'mid_to_valid_range_{part}.pt')
        dataset = BEDLAMDataset(fixtures_root, parts=(part,))
        infos = [dataset.get_data_info(index) for index in range(len(dataset))]
        assert {i['sequence']: (i['start'], i['end']) for i in infos} == dict(ranges)


@pytest.mark.parametrize('split', ['emdb1', 'emdb2'])
def test_emdb_joints_project_onto_their_keypoints(fixtures_root, split):
    dataset = EMDBDataset(fixtures_root, split=split, intrinsics='true', flip_test=True)
    # Which sequences there are is read from the pack, never assumed.
    listed = [
        n
        for n in load_pack(dataset.source.index_file(''))
        if n.startswith(EMDB_TEST_PREFIXES[split])
    ]
    infos = [dataset.get_data_info(index) for index in range(len(dataset))]
    assert [info['sequence'] for info in infos] == listed
    for index in range(len(dataset)):
        check_test_item(dataset[index])


def test_threedpw_joints_project_onto_their_keypoints(fixtures_root):
    dataset = ThreeDPWDataset(fixtures_root, split='test', flip_test=True)
    for index in range(len(dataset)):
        check_test_item(dataset[index])


def check_test_item(item):
    inputs, gt = item['inputs'], item['data_samples'].gt_instances
    distance = keypoint_distance(torch.from_numpy(gt.lifting_target), inputs)
    assert distance[gt.mask].median() < 0.04, item['data_samples'].sequence
    assert (inputs['kp2d'][~gt.mask][..., 2] == 0).all()
    width = inputs['img_wh'][0]
    mirrored = width - inputs['bbx_xys'][:, 0]
    torch.testing.assert_close(inputs['flip_bbx_xys'][:, 0], mirrored, atol=1e-2, rtol=1e-4)
    assert (gt.lifting_target_visible == gt.mask[:, None].numpy()).all()


def test_threedpw_training_labels_fit_the_keypoints_on_every_frame_used(fixtures_root, smplx):
    dataset = ThreeDPWDataset(fixtures_root, real_supervision='labels')
    if dataset.lacking(dataset.source.sequences(('train',)), 'kp2d'):
        pytest.skip('the optional keypoints of the training clips are not in these packs')
    for index in range(len(dataset)):
        info = dataset.get_data_info(index)
        # All frames of the range, not only a window.
        clip = dataset.read_clip(info, info['start'], info['end'])
        gt = clip.labels
        joints = smplx.fk(gt['body_pose'], gt['betas'], gt['global_orient_c'], gt['transl_c'])
        inputs = dict(K_fullimg=clip.K_fullimg, kp2d=clip.kp2d, bbx_xys=clip.bbx_xys)
        distance = keypoint_distance(joints, inputs)
        assert distance.quantile(0.99) < 0.1, info


def test_converted_emdb_labels_keep_the_joints(fixtures_root, smplx):
    names = load_pack(fixtures_root / 'EMDB/hmr4d_support/emdb_vit_v4.pt')
    if not any(emdb_splits(name) == ('train',) for name in names):
        pytest.skip('all EMDB sequences of these packs are test sequences')
    dataset = EMDBDataset(fixtures_root, real_supervision='labels')
    errors = []
    for index in range(len(dataset)):
        info = dataset.get_data_info(index)
        start, end = info['start'], info['end']
        clip = dataset.read_clip(info, start, end)
        gt = clip.labels
        joints_c = smplx.fk(gt['body_pose'], gt['betas'], gt['global_orient_c'], gt['transl_c'])
        joints_w = smplx.fk(gt['body_pose'], gt['betas'], gt['global_orient_w'], gt['transl_w'])
        record = load_pack(dataset.source.index_file(''))[info['sequence']]
        params = {key: value[start:end] for key, value in record['smpl_params'].items()}
        smpl = get_body_model('smpl', record['gender'], data_root=fixtures_root)
        expected_w = smpl.fk(**params)[:, :22]
        T_w2c = record['T_w2c'][start:end]
        moved = joints_w @ T_w2c[:, :3, :3].mT + T_w2c[:, None, :3, 3]
        torch.testing.assert_close(moved, joints_c, atol=1e-3, rtol=0)
        errors.append((joints_w - expected_w).norm(dim=-1).mean())
    assert torch.stack(errors).mean() < 0.02


def test_refitted_betas_give_the_same_bones(fixtures_root, smplx):
    packs = fixtures_root / '3DPW/hmr4d_support'
    refit = load_pack(packs / 'train_refit_smplx.pt')
    for name, record in load_pack(packs / 'train_3dpw_gt_labels.pt').items():
        smpl = get_body_model('smpl', record['gender'], data_root=fixtures_root)
        fitted = fit_betas(smpl.skeleton(record['smpl_params']['betas'][0]), smplx)
        expected = smplx.skeleton(refit[name]['smplx_params_incam']['betas'][0])
        error = bone_offsets(smplx.skeleton(fitted)) - bone_offsets(expected)
        assert error.norm(dim=-1).mean() < 0.005
        assert fitted.abs().max() < 6
