"""Consistency of the packs with each other, the cameras and the body models."""

import pytest
import torch

from gvhmr_da_mm.core.camera import perspective_project, to_box_coordinates, transform_smpl
from gvhmr_da_mm.core.rotation import axis_angle_to_matrix, relative_angle
from gvhmr_da_mm.demo.domain_shift import DomainShift
from gvhmr_da_mm.demo.packs import bedlam, emdb, threedpw
from gvhmr_da_mm.demo.studio import Studio


def _load(path):
    return torch.load(path, weights_only=True)


def _inside(points_c, K, box, margin=0.06):
    """Return the share of joints inside their boxes; boxes are jittered, hence the margin."""
    place = to_box_coordinates(perspective_project(points_c, K), box)
    return ((place > -margin) & (place < 1 + margin)).all(-1).float().mean()


def test_bedlam_camera_and_boxes(demo_root, studio):
    folder = demo_root / 'BEDLAM/hmr4d_support'
    labels = _load(folder / 'smplpose_v2.pth')
    ranges = {
        'all60': _load(folder / 'mid_to_valid_range_all60.pt'),
        'maxspan60': _load(folder / 'mid_to_valid_range_maxspan60.pt'),
    }
    assert set(labels) == {*ranges['all60'], *ranges['maxspan60']}
    for kind, mids in ranges.items():
        assert mids
        for mid, (start, end) in mids.items():
            label, (scene, video) = labels[mid], (mid.split('/')[3], mid.split('/')[-1])
            image = _load(folder / f'imgfeats/bedlam_{kind}/{scene}/{video}.pt')
            assert image['start_end'] == (start, end) and end - start >= 60
            assert len(image['features']) == len(image['bbx_xys']) == end - start
            skeleton = studio.smplx.skeleton(label['beta'])
            torch.testing.assert_close(skeleton[:22], label['skeleton'])
            orient, transl = transform_smpl(
                label['pose'][:, :3], label['trans'], label['cam_ext'], skeleton[0]
            )
            stored = label['trans_incam'] + label['cam_ext'][:, :3, 3]
            torch.testing.assert_close(stored, transl, atol=1e-4, rtol=0)
            angle = relative_angle(
                axis_angle_to_matrix(orient), axis_angle_to_matrix(label['global_orient_incam'])
            )
            assert angle.max() < 1e-3
            joints, _ = studio.smplx(label['pose'][:, 3:], label['beta'], orient, stored)
            visible = joints[start:end, :22]
            assert _inside(visible, label['cam_int'][0], image['bbx_xys']) > 0.99


def _label_joints(studio, label):
    """Return camera-space SMPL joints, world joints and COCO joints of a labelled person."""
    params, body = label['smpl_params'], studio.smpl[label['gender']]
    world, _ = body(
        params['body_pose'], params['betas'][0], params['global_orient'], params['transl']
    )
    T = label['T_w2c']
    orient, transl = transform_smpl(
        params['global_orient'], params['transl'], T, body.skeleton(params['betas'][0])[0]
    )
    camera, vertices = body(params['body_pose'], params['betas'][0], orient, transl)
    moved = (T[:, None, :3, :3] @ world[..., None])[..., 0] + T[:, None, :3, 3]
    torch.testing.assert_close(moved, camera, atol=1e-3, rtol=0)
    return camera, world, studio.coco @ vertices


def _keypoint_error(coco, K, box, kp2d):
    error = (perspective_project(coco, K) - kp2d[..., :2]).norm(dim=-1) / box[:, None, 2]
    return error[kp2d[..., 2] > 0.5].median()


def test_emdb_camera_boxes_and_keypoints(demo_root, studio):
    folder = demo_root / 'EMDB/hmr4d_support'
    records, tracks = _load(folder / 'emdb_vit_v4.pt'), _load(folder / 'emdb_dpvo_traj.pt')
    assert set(records) == set(tracks)
    assert set(records) & set(emdb.SHARED) and set(records) & set(emdb.TRAINING)
    for name, record in records.items():
        camera, world, coco = _label_joints(studio, record)
        frames = len(record['mask'])
        assert _inside(camera[:, :22], record['K_fullimg'], record['bbx_xys']) > 0.98
        assert 1e-4 < _keypoint_error(coco, record['K_fullimg'], record['bbx_xys'], record['kp2d'])
        assert _keypoint_error(coco, record['K_fullimg'], record['bbx_xys'], record['kp2d']) < 0.04
        assert tracks[name].shape == (frames, 7)
        if 'stairs' not in name:
            # Feet touch the floor y = 0 from above.
            assert -0.1 < world[:, [10, 11], 1].min() < 0.4
        flip = folder / f'imgfeats/emdb_flip/{name}.pt'
        assert flip.exists() == (name not in emdb.TRAINING)
        if flip.exists():
            flipped = _load(flip)
            mirrored = flipped['img_wh'][0] - flipped['bbx_xys'][:, 0]
            torch.testing.assert_close(mirrored, record['bbx_xys'][:, 0])


@pytest.mark.parametrize(
    'split, images', [('test', '3dpw_test'), ('train', '3dpw_train_smplx_refit')]
)
def test_threedpw_camera_boxes_and_keypoints(demo_root, studio, split, images):
    folder = demo_root / '3DPW/hmr4d_support'
    labels = _load(folder / f'{split}_3dpw_gt_labels.pt')
    keypoints = _load(folder / f'preproc_{split}_kp2d_v0.pt')
    for vid, label in labels.items():
        image = _load(folder / f'imgfeats/{images}/{vid}.pt')
        camera, world, coco = _label_joints(studio, label)
        K, box = label['K_fullimg'], image['bbx_xys']
        assert _inside(camera[:, :22], K, box) > 0.98
        assert _keypoint_error(coco, K, box, keypoints[vid]) < 0.04
    tilt = [
        (label['T_w2c'][0, :3, :3] @ torch.tensor([0, -1.0, 0]))[1] for label in labels.values()
    ]
    assert min(tilt) < 0.95, 'the 3DPW world is not gravity aligned'


def test_people_of_one_video_share_its_camera(demo_root):
    labels = _load(demo_root / '3DPW/hmr4d_support/test_3dpw_gt_labels.pt')
    first, second = labels['downtown_walking_00_0'], labels['downtown_walking_00_1']
    torch.testing.assert_close(first['T_w2c'], second['T_w2c'], atol=0, rtol=0)
    apart = first['smpl_params']['transl'] - second['smpl_params']['transl']
    assert apart.norm(dim=-1).min() > 0.2


def test_refit_agrees_with_the_labels(demo_root, studio):
    folder = demo_root / '3DPW/hmr4d_support'
    labels = _load(folder / 'train_3dpw_gt_labels.pt')
    for vid, refit in _load(folder / 'train_refit_smplx.pt').items():
        camera, _, _ = _label_joints(studio, labels[vid])
        params = refit['smplx_params_incam']
        joints, _ = studio.smplx(
            params['body_pose'], params['betas'][0], params['global_orient'], params['transl']
        )
        assert (joints[:, :22] - camera[:, :22]).norm(dim=-1).mean() < 0.02
        for start, end in refit['valid_range_list']:
            assert 0 <= start < end <= len(camera)


def test_a_clip_depends_on_the_seed_only(body, tmp_path):
    paths = []
    for folder, seed, clips in (('a', 1, 1), ('b', 1, 2), ('c', 2, 1)):
        studio = Studio(seed, DomainShift.of(1.0), body)
        bedlam.write_bedlam(tmp_path / folder, studio, clips, 60, lambda: None)
        paths.append(tmp_path / folder / 'BEDLAM/hmr4d_support/smplpose_v2.pth')
    first, second, third = (next(iter(_load(path).values())) for path in paths)
    torch.testing.assert_close(first, second, atol=0, rtol=0)
    assert not torch.equal(first['pose'], third['pose'])


def test_packs_stay_the_same(demo_root):
    """The motions that were drawn, and all that follows from the random numbers after them."""
    labels = _load(demo_root / 'BEDLAM/hmr4d_support/smplpose_v2.pth')
    first = next(iter(labels.values()))
    last = torch.tensor([0.0379, 1.1687, -0.8558])
    torch.testing.assert_close(first['trans'][-1], last, atol=1e-3, rtol=0)
    record = _load(demo_root / 'EMDB/hmr4d_support/emdb_vit_v4.pt')['P0_00_mvs_a']
    assert float(record['smpl_params']['body_pose'].abs().mean()) == pytest.approx(0.1565, abs=2e-4)
    assert float(record['kp2d'].mean()) == pytest.approx(569.58, abs=0.5)


def test_name_choice_shares_a_sequence_between_the_splits():
    names = emdb.choose_names(2, 2, 1)
    assert len(names) == 4 and emdb.LOW_RESOLUTION in names
    assert set(emdb.choose_names(17, 25, 8)) == {*emdb.EMDB1, *emdb.EMDB2, *emdb.TRAINING}
    assert len(emdb.SHARED) == 3
    assert emdb.choose_names(0, 0, 0) == []


def test_clips_with_published_ranges_are_long_enough(studio):
    assert all(name in threedpw.TRAIN for name in threedpw.FIXED_LENGTHS)
    assert threedpw.FIXED_LENGTHS['courtyard_laceShoe_00_0'] >= 931
