import pickle

import pytest
import torch

from gvhmr_da_mm.core.errors import ConfigError, DataError, MissingFilesError
from gvhmr_da_mm.datasets import BEDLAMDataset, ClipKey

from . import packs
from .samples import assert_same_item

FOLDER = 'BEDLAM/hmr4d_support'


@pytest.fixture
def mids(tmp_path):
    return packs.bedlam(tmp_path)


def feature_path(root, number):
    part = 'maxspan60' if number == 2 else 'all60'
    name = f'scene_{number % 2}/seq_{number:06d}.mp4-person.pt'
    return root / FOLDER / 'imgfeats' / f'bedlam_{part}' / name


def test_parts_choose_the_clips(tmp_path, mids):
    names = {
        parts: [entry['sequence'] for entry in map(dataset.get_data_info, range(len(dataset)))]
        for parts in (('all60',), ('maxspan60',), ('all60', 'maxspan60'))
        for dataset in [BEDLAMDataset(tmp_path, parts=parts)]
    }
    assert names == {
        ('all60',): mids[:2],
        ('maxspan60',): mids[2:],
        ('all60', 'maxspan60'): mids,
    }


def test_items_are_labelled_windows(tmp_path, mids):
    dataset = BEDLAMDataset(tmp_path)
    item = dataset[ClipKey(2, 5)]
    sample = item['data_samples']
    meta = sample.metainfo
    assert 10 <= meta['start'] < meta['end'] <= 200 and 60 <= meta['length'] <= 120
    assert (meta['dataset'], meta['domain'], meta['supervision']) == ('bedlam', 'synthetic', 'full')
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
    inputs = {key: (tuple(value.shape), value.dtype) for key, value in item['inputs'].items()}
    assert inputs == dict(
        kp2d=((120, 17, 3), torch.float32),
        bbx_xys=((120, 3), torch.float32),
        K_fullimg=((120, 3, 3), torch.float32),
        cam_angvel=((120, 6), torch.float32),
        f_imgseq=((120, 1024), torch.float32),
        valid=((120,), torch.bool),
        img_wh=((2,), torch.float32),
        has_kp2d=((), torch.bool),
        has_imgfeat=((), torch.bool),
    )
    assert int(item['inputs']['valid'].sum()) == meta['length']
    assert not item['inputs']['has_kp2d'] and item['inputs']['has_imgfeat']


def test_labels_and_features_belong_to_the_same_frames(tmp_path, mids):
    labels = torch.load(tmp_path / FOLDER / 'smplpose_v2.pth')[mids[2]]
    features = torch.load(feature_path(tmp_path, 2))
    item = BEDLAMDataset(tmp_path)[ClipKey(2, 1)]
    start, length = item['data_samples'].start, item['data_samples'].length
    frames = slice(start, start + length)
    rows = slice(start - 10, start - 10 + length)
    gt = item['data_samples'].gt_instances
    assert torch.equal(gt.body_pose[:length], labels['pose'][frames, 3:])
    assert torch.equal(gt.global_orient_w[:length], labels['pose'][frames, :3])
    # The stored camera-space translation lacks the camera's.
    camera = labels['cam_ext'][frames, :3, 3]
    assert torch.equal(gt.transl_c[:length], labels['trans_incam'][frames] + camera)
    assert torch.equal(item['inputs']['f_imgseq'][:length], features['features'][rows].float())
    assert torch.equal(item['inputs']['bbx_xys'][:length], features['bbx_xys'][rows])


def test_gravity_is_down_in_the_gravity_view(tmp_path, mids):
    item = BEDLAMDataset(tmp_path)[ClipKey(0, 0)]
    labels = torch.load(tmp_path / FOLDER / 'smplpose_v2.pth')[mids[0]]
    start, end = item['data_samples'].start, item['data_samples'].end
    R_w2c = labels['cam_ext'][start:end, :3, :3]
    R_w2gv = item['data_samples'].gt_instances.R_c2gv[: end - start] @ R_w2c
    gravity = R_w2gv @ torch.tensor([0.0, -1, 0])
    torch.testing.assert_close(gravity, torch.tensor([0.0, 1, 0]).expand_as(gravity))


def test_a_key_gives_the_same_item_in_any_process(tmp_path, mids):
    dataset = BEDLAMDataset(tmp_path)
    copy = pickle.loads(pickle.dumps(dataset))
    for index in range(3):
        assert_same_item(dataset[ClipKey(index, 7)], copy[ClipKey(index, 7)])
    starts = {dataset[ClipKey(2, seed)]['data_samples'].start for seed in range(8)}
    assert len(starts) > 3
    assert len(pickle.dumps(dataset)) < 10_000


def test_plain_indices_follow_the_global_seed(tmp_path, mids):
    dataset = BEDLAMDataset(tmp_path)
    torch.manual_seed(3)
    first = dataset[2]
    torch.manual_seed(3)
    assert_same_item(first, dataset[2])


def test_short_clips_are_used_whole_or_left_out(tmp_path, mids):
    dataset = BEDLAMDataset(tmp_path)
    meta = dataset[ClipKey(0, 0)]['data_samples'].metainfo
    assert (meta['start'], meta['end']) == (0, 40)
    assert len(BEDLAMDataset(tmp_path, min_frames=41)) == 2
    with pytest.raises(DataError, match='min_frames=500'):
        BEDLAMDataset(tmp_path, min_frames=500)


def test_mmengine_subsets_and_pipelines(tmp_path, mids):
    def mark(item):
        return dict(item, marked=True)

    dataset = BEDLAMDataset(tmp_path, indices=2, pipeline=[mark])
    assert len(dataset) == 2 and dataset[0]['marked']
    lazy = BEDLAMDataset(tmp_path, lazy_init=True)
    assert lazy.metainfo['dataset_name'] == 'bedlam'
    lazy.full_init()
    assert len(lazy) == 3


def test_all_missing_files_are_in_one_error(tmp_path):
    with pytest.raises(MissingFilesError) as error:
        BEDLAMDataset(tmp_path)
    for name in ('smplpose_v2.pth', 'range_all60.pt', 'range_maxspan60.pt', 'bedlam_all60'):
        assert name in str(error.value)


def test_missing_features_are_counted(tmp_path, mids):
    for number in (0, 1):
        feature_path(tmp_path, number).unlink()
    with pytest.raises(MissingFilesError, match='2 of 3 feature files are missing') as error:
        BEDLAMDataset(tmp_path)
    assert 'seq_000000.mp4-person.pt' in str(error.value)


def test_bad_values_name_file_sequence_key_and_frame(tmp_path, mids):
    def spoil(pack):
        pack[mids[0]]['trans'][33] = float('nan')

    packs.edit(tmp_path / FOLDER / 'smplpose_v2.pth', spoil)
    with pytest.raises(DataError, match='key `trans`: expected finite') as error:
        BEDLAMDataset(tmp_path)[ClipKey(0, 0)]
    for part in ('smplpose_v2.pth', mids[0], 'frame 33'):
        assert part in str(error.value)


def test_bad_clips_can_be_skipped(tmp_path, mids):
    def spoil(pack):
        pack[mids[0]]['trans'][33] = float('nan')

    packs.edit(tmp_path / FOLDER / 'smplpose_v2.pth', spoil)
    dataset = BEDLAMDataset(tmp_path, on_bad_sample='skip')
    assert_same_item(dataset[ClipKey(0, 4)], dataset[ClipKey(1, 4)])


def test_skipping_ends_when_every_clip_is_bad(tmp_path, mids):
    def spoil(pack):
        for labels in pack.values():
            labels['beta'] = torch.full((10,), float('inf'))

    packs.edit(tmp_path / FOLDER / 'smplpose_v2.pth', spoil)
    with pytest.raises(DataError, match='every one of its 3 clips is bad'):
        BEDLAMDataset(tmp_path, on_bad_sample='skip')[0]


def test_wrong_shapes_and_keys_are_named(tmp_path, mids):
    def spoil(pack):
        pack[mids[0]]['pose'] = pack[mids[0]]['pose'][:, :60]
        del pack[mids[1]]['cam_int']

    packs.edit(tmp_path / FOLDER / 'smplpose_v2.pth', spoil)
    dataset = BEDLAMDataset(tmp_path)
    with pytest.raises(DataError, match=r'key `pose`: expected shape \(F 66\)'):
        dataset[0]
    with pytest.raises(DataError, match='key `cam_int`: expected a value'):
        dataset[1]


def test_features_must_cover_the_clip(tmp_path, mids):
    def shift(record):
        record['start_end'] = (3, 43)

    packs.edit(feature_path(tmp_path, 0), shift)
    with pytest.raises(DataError, match='expected frames 0 to 39, got frames 3 to 42'):
        BEDLAMDataset(tmp_path)[0]


def test_a_listed_clip_without_labels_is_named(tmp_path, mids):
    packs.edit(tmp_path / FOLDER / 'smplpose_v2.pth', lambda pack: pack.pop(mids[1]) and None)
    with pytest.raises(DataError, match='seq_000001'):
        BEDLAMDataset(tmp_path)


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(parts=()), '`parts`'),
        (dict(parts=('all61',)), '`parts`'),
        (dict(on_bad_sample='ignore'), '`on_bad_sample`'),
        (dict(min_len=0), 'min_len'),
        (dict(min_len=121), 'min_len'),
        (dict(test_mode=True), 'test_mode'),
    ],
)
def test_impossible_options_are_named(tmp_path, options, message):
    with pytest.raises(ConfigError, match=message):
        BEDLAMDataset(tmp_path, **options)
