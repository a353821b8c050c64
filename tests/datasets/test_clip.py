import torch

from gvhmr_da_mm.core.rotation import axis_angle_to_matrix
from gvhmr_da_mm.datasets.clip import Clip, flip_keypoints, mirror_camera, pack_clip


def clip(frames=5, **fields):
    return Clip(
        sequence='a/b.mp4-c',
        start=2,
        end=2 + frames,
        img_wh=(640, 480),
        bbx_xys=torch.rand(frames, 3),
        K_fullimg=torch.eye(3),
        R_w2c=axis_angle_to_matrix(torch.randn(frames, 3)),
        **fields,
    )


def test_flipping_twice_is_the_identity():
    kp2d = torch.rand(4, 17, 3)
    torch.testing.assert_close(
        flip_keypoints(flip_keypoints(kp2d, 640), 640), kp2d, atol=1e-4, rtol=0
    )
    R_w2c = axis_angle_to_matrix(torch.randn(4, 3))
    assert torch.equal(mirror_camera(mirror_camera(R_w2c)), R_w2c)


def test_flipping_swaps_the_sides():
    kp2d = torch.zeros(17, 3)
    kp2d[9] = torch.tensor([10.0, 20.0, 0.5])  # left wrist
    flipped = flip_keypoints(kp2d, 640)
    assert flipped[10].tolist() == [630.0, 20.0, 0.5]


def test_mirrored_relative_rotations_are_conjugated():
    R_w2c = axis_angle_to_matrix(torch.randn(2, 3))
    mirrored = mirror_camera(R_w2c)
    M = torch.diag(torch.tensor([-1.0, 1, 1]))
    expected = M @ (R_w2c[1] @ R_w2c[0].mT) @ M
    torch.testing.assert_close(mirrored[1] @ mirrored[0].mT, expected)


def test_training_items_are_padded_and_say_what_they_have():
    item = pack_clip(clip(), 'name', 'real', max_len=8)
    inputs = item['inputs']
    assert inputs['valid'].tolist() == [True] * 5 + [False] * 3
    for key in ('bbx_xys', 'cam_angvel', 'f_imgseq', 'K_fullimg', 'kp2d'):
        assert len(inputs[key]) == 8
        assert torch.equal(inputs[key][4], inputs[key][7])
    assert not inputs['has_kp2d'] and not inputs['has_imgfeat']
    assert not inputs['kp2d'].any()
    assert 'gt_instances' not in item['data_samples']
    meta = item['data_samples'].metainfo
    assert meta['img_shape'] == (480, 640) and meta['length'] == 5
    assert meta['target_img_path'] == ['name_a-b-mp4-c.jpg']


def test_labels_are_padded_with_the_inputs():
    labels = dict(transl_c=torch.arange(15.0).reshape(5, 3))
    sample = pack_clip(clip(labels=labels), 'name', 'real', max_len=7)['data_samples']
    assert sample.gt_instances.transl_c[:, 0].tolist() == [0, 3, 6, 9, 12, 12, 12]


def test_mirrored_features_in_training_items_are_always_or_never_there():
    without = pack_clip(clip(), 'name', 'real', max_len=8, flip_features=True)['inputs']
    assert not without['has_flip_imgfeat'] and without['flip_f_imgseq'].shape == (8, 1024)
    flips = dict(flip_f_imgseq=torch.ones(5, 1024), flip_bbx_xys=torch.rand(5, 3))
    there = pack_clip(clip(**flips), 'name', 'real', max_len=8, flip_features=True)['inputs']
    assert there['has_flip_imgfeat'] and there['flip_f_imgseq'].all()
    assert there.keys() == without.keys()
    assert 'flip_f_imgseq' not in pack_clip(clip(**flips), 'name', 'real', max_len=8)['inputs']


def test_test_items_keep_their_length():
    flips = dict(flip_f_imgseq=torch.ones(5, 1024), flip_bbx_xys=torch.rand(5, 3))
    inputs = pack_clip(clip(**flips), 'name', 'real')['inputs']
    assert inputs['valid'].all() and len(inputs['valid']) == 5
    assert {'flip_kp2d', 'flip_bbx_xys', 'flip_cam_angvel', 'flip_f_imgseq'} <= inputs.keys()
