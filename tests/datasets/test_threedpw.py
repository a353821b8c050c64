import pytest
import torch

from gvhmr_da_mm.core.errors import DataError, MissingFilesError
from gvhmr_da_mm.datasets import ClipKey, ThreeDPWDataset

from . import packs
from .samples import assert_same_item

FOLDER = '3DPW/hmr4d_support'


@pytest.fixture
def root(tmp_path):
    packs.threedpw(tmp_path)
    return tmp_path


def threedpw(root, **options):
    return ThreeDPWDataset(root, with_joints=False, **options)


def entries(dataset):
    return [dataset.get_data_info(index) for index in range(len(dataset))]


def test_long_sequences_are_listed_often(root):
    names = [entry['sequence'] for entry in entries(threedpw(root))]
    assert names == [name for name in packs.THREEDPW_TRAIN for _ in range(2)]
    assert len(threedpw(root, split='test')) == 1


def test_persons_of_one_video_are_held_out_together(root):
    fit = {entry['sequence'] for entry in entries(threedpw(root, subset='fit'))}
    val = {entry['sequence'] for entry in entries(threedpw(root, subset='val'))}
    assert fit == set(packs.THREEDPW_TRAIN[1:])
    assert val == {packs.THREEDPW_TRAIN[0]}


def test_labels_cannot_reach_unlabelled_items(root):
    dataset = threedpw(root)
    count = len(dataset)
    before = [dataset[ClipKey(index, 2)] for index in range(count)]
    assert all('gt_instances' not in item['data_samples'] for item in before)
    (root / FOLDER / 'train_refit_smplx.pt').unlink()

    def remove(pack):
        for record in pack.values():
            for key in ('smpl_params', 'gender', 'mask_raw', 'mask_wham'):
                del record[key]

    packs.edit(root / FOLDER / 'train_3dpw_gt_labels.pt', remove)
    packs.edit(root / FOLDER / 'test_3dpw_gt_labels.pt', remove)
    dataset = threedpw(root)
    for index, item in enumerate(before):
        assert_same_item(item, dataset[ClipKey(index, 2)])
    transductive = threedpw(root, transductive=True)
    items = [transductive[index] for index in range(len(transductive))]
    assert len(items) == count + 2
    assert [item['data_samples'].transductive for item in items] == [False] * count + [True] * 2
    assert all('gt_instances' not in item['data_samples'] for item in items)


def test_labelled_training_uses_the_good_ranges(root):
    dataset = threedpw(root, real_supervision='labels')
    shake = [e for e in entries(dataset) if e['sequence'] == packs.THREEDPW_TRAIN[0]]
    # The published ranges are (0, 100) and (120, 391); the sequence ends at 260.
    assert [(e['start'], e['end']) for e in shake] == [(0, 100), (120, 260)]
    sample = dataset[ClipKey(0, 0)]['data_samples']
    assert sample.supervision == 'camera'
    refit = torch.load(root / FOLDER / 'train_refit_smplx.pt')[packs.THREEDPW_TRAIN[0]]
    params = refit['smplx_params_incam']
    start, end = sample.start, sample.end
    gt = sample.gt_instances[: end - start]
    assert torch.equal(gt.transl_c, params['transl'][start:end])
    assert torch.equal(gt.body_pose, params['body_pose'][start:end])
    assert all(torch.isfinite(value).all() for value in gt.values())


def test_without_keypoints_clips_are_used_masked_with_one_warning(tmp_path):
    packs.threedpw(tmp_path, keypoints=False)
    dataset = threedpw(tmp_path)
    item = dataset[0]
    assert not item['inputs']['has_kp2d'] and not item['inputs']['kp2d'].any()
    assert dataset._warned == {'kp2d'}
    assert threedpw(tmp_path, split='test')._warned == set()


def test_keypoints_of_labelled_clips_are_simulated_without_a_warning(tmp_path):
    packs.threedpw(tmp_path, keypoints=False)
    dataset = threedpw(tmp_path, real_supervision='labels')
    assert not dataset[0]['inputs']['has_kp2d'] and dataset._warned == set()


def test_test_items(root):
    item = threedpw(root, split='test', flip_test=True)[0]
    inputs, sample = item['inputs'], item['data_samples']
    assert inputs['valid'].shape == (260,)
    assert inputs['K_fullimg'][0, 0, 0] == 1960
    assert sample.gt_instances.mask.tolist() == [True] * 255 + [False] * 5
    assert not inputs['kp2d'][255:, :, 2].any()
    raw = threedpw(root, split='test', mask_key='mask_raw')[0]
    assert raw['data_samples'].gt_instances.mask.all()
    boxes = torch.load(root / FOLDER / 'preproc_test_bbx.pt')['downtown_bar_00_1']['bbx_xys']
    assert torch.equal(inputs['bbx_xys'], boxes)
    assert sample.dataset == '3dpw' and sample.gender == 'male'


def test_all_missing_files_are_in_one_error(tmp_path):
    with pytest.raises(MissingFilesError) as error:
        ThreeDPWDataset(tmp_path, split='test')
    expected = ('test_3dpw_gt_labels.pt', 'preproc_test_kp2d_v0.pt', 'preproc_test_bbx.pt')
    assert all(name in str(error.value) for name in (*expected, '3dpw_test', 'SMPL_MALE.pkl'))


def test_missing_features_are_named(root):
    (root / FOLDER / 'imgfeats/3dpw_test/downtown_bar_00_1.pt').unlink()
    with pytest.raises(MissingFilesError, match='downtown_bar_00_1.pt'):
        threedpw(root, split='test')


def test_a_sequence_without_keypoints_is_named(root):
    def remove(pack):
        del pack[packs.THREEDPW_TRAIN[1]]

    packs.edit(root / FOLDER / 'preproc_train_kp2d_v0.pt', remove)
    with pytest.raises(DataError, match='courtyard_box_00_0`, key `kp2d`'):
        threedpw(root)[2]
