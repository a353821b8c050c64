"""Sequence packs as datasets: windows, whole sequences, missing fields, labels on request."""

import pytest
import torch

from gvhmr_da_mm.core.errors import ConfigError, DataError, MissingFilesError
from gvhmr_da_mm.core.rotation import rotation_about_axis
from gvhmr_da_mm.datasets import BEDLAMDataset, ClipKey, MultiSourceDataset, PackDataset
from gvhmr_da_mm.datasets.packs import PackWriter

LENGTHS = (40, 90, 300, 20)


def video(frames, **changes):
    content = dict(
        bbx_xys=torch.rand(frames, 3) * 100 + 300,
        K_fullimg=torch.tensor([[900.0, 0, 320], [0, 900, 240], [0, 0, 1]]),
        R_w2c=rotation_about_axis('y', torch.linspace(0, 0.5, frames)),
        kp2d=torch.rand(frames, 17, 3),
        observed=torch.arange(frames) % 10 != 0,
    )
    content.update(changes)
    return {name: value for name, value in content.items() if value is not None}


@pytest.fixture
def root(tmp_path):
    with PackWriter(tmp_path / 'packs/videos', 'videos') as writer:
        for number, frames in enumerate(LENGTHS):
            meta = dict(img_wh=(640, 480), splits=['train' if number % 2 else 'test'], start=5)
            writer.add(f'video_{number}', video(frames), meta)
    return tmp_path


def build(root, **options):
    return PackDataset(root, pack='packs/videos', **options)


def test_training_windows_of_unlabelled_video(root):
    dataset = build(root, dataset='mine')
    # 300 frames count twice; 20 are too few.
    names = [dataset.get_data_info(index)['sequence'] for index in range(len(dataset))]
    assert names == ['video_0', 'video_1', 'video_2', 'video_2']
    item = dataset[ClipKey(2, 7)]
    inputs, sample = item['inputs'], item['data_samples']
    assert inputs['kp2d'].shape == (120, 17, 3) and inputs['f_imgseq'].shape == (120, 1024)
    assert inputs['has_kp2d'] and not inputs['has_imgfeat']
    assert (sample.dataset, sample.domain, sample.supervision) == ('mine', 'real', 'none')
    assert 'gt_instances' not in sample and 5 <= sample.start < sample.end <= 305
    # Frames are those of the window, and keypoints that were not observed do not count.
    frames = torch.arange(sample.start, sample.end) - 5
    seen = inputs['kp2d'][: sample.length, :, 2].any(dim=1)
    assert torch.equal(seen, frames % 10 != 0)


def test_whole_sequences_at_test_time(root):
    dataset = build(root, split='test', test_mode=True, intrinsics='estimated')
    items = [dataset[index] for index in range(len(dataset))]
    assert [len(item['inputs']['kp2d']) for item in items] == [40, 300]
    assert items[0]['inputs']['K_fullimg'][0, 0, 0] == 800
    assert items[0]['data_samples'].conditions == dict(intrinsics='estimated')
    assert 'gt_instances' not in items[0]['data_samples']


@pytest.mark.parametrize('camera', [torch.eye(4), torch.eye(4).repeat(50, 1, 1)])
def test_one_camera_or_one_for_each_frame(tmp_path, camera):
    with PackWriter(tmp_path / 'packs/videos', 'videos') as writer:
        content = video(50, R_w2c=None, T_w2c=camera, kp2d=None, observed=None)
        content['K_fullimg'] = content['K_fullimg'].repeat(50, 1, 1)
        writer.add('a', content, dict(img_wh=(640, 480), static_camera=True))
    item = build(tmp_path, test_mode=True)[0]
    still = torch.eye(3)[:2].flatten().expand(50, 6)
    assert torch.equal(item['inputs']['cam_angvel'], still)
    assert item['inputs']['K_fullimg'][7, 0, 0] == 900 and not item['inputs']['has_kp2d']
    assert item['data_samples'].static_camera


def test_mirrored_features(tmp_path):
    mirrored = dict(flip_features=torch.rand(50, 1024), flip_bbx_xys=torch.rand(50, 3) + 1)
    with PackWriter(tmp_path / 'packs/videos', 'videos') as writer:
        content = video(50, features=torch.rand(50, 1024).half(), **mirrored)
        writer.add('a', content, dict(img_wh=(640, 480)))
    inputs = build(tmp_path, test_mode=True, flip_test=True)[0]['inputs']
    assert torch.equal(inputs['flip_f_imgseq'], mirrored['flip_features'])
    inputs = build(tmp_path, flip_features=True)[ClipKey(0, 0)]['inputs']
    assert inputs['has_flip_imgfeat'] and inputs['has_imgfeat']


def test_it_is_a_real_source_beside_others(root, toy_root):
    mixed = MultiSourceDataset(dict(bedlam=BEDLAMDataset(toy_root), videos=build(root)))
    assert set(mixed.sources) == {'synthetic', 'real'}
    assert mixed[len(mixed) - 1]['data_samples'].domain == 'real'


def test_subsets_share_the_sequences(root):
    options = dict(holdout_every=2)
    names = [
        {info['sequence'] for info in map(dataset.get_data_info, range(len(dataset)))}
        for dataset in (build(root, subset=subset, **options) for subset in ('fit', 'val'))
    ]
    assert not names[0] & names[1] and names[0] | names[1] == {'video_0', 'video_1', 'video_2'}


def sequences(dataset):
    return {dataset.get_data_info(index)['sequence'] for index in range(len(dataset))}


def test_excluded_sequences_are_left_out(root):
    assert sequences(build(root, exclude=['video_2'])) == {'video_0', 'video_1'}
    assert sequences(build(root, exclude=['*_[02]'])) == {'video_1'}
    assert sequences(build(root, exclude=['video_2'], test_mode=True, split='test')) == {'video_0'}
    (root / 'bad.txt').write_text('# too dark\nvideo_0\n\n  video_2 \n')
    for file in ('bad.txt', root / 'bad.txt'):
        assert sequences(build(root, exclude=file)) == {'video_1'}
    # A list of the whole split serves both subsets.
    for subset, left in (('fit', 'video_2'), ('val', 'video_1')):
        dataset = build(root, exclude=['video_0'], subset=subset, holdout_every=2)
        assert sequences(dataset) == {left}


def test_exclusion_lists_that_cannot_be_used(root):
    with pytest.raises(
        ConfigError, match=r"which has 4, such as 'video_2', got 1 unknown: 'vide_2'"
    ):
        build(root, exclude=['video_0', 'vide_2'])
    with pytest.raises(MissingFilesError, match='none.txt'):
        build(root, exclude='none.txt')
    (root / 'bad.txt').write_bytes(b'\xff\xfe\x00')
    with pytest.raises(DataError, match='bad.txt should be a text file'):
        build(root, exclude='bad.txt')
    with pytest.raises(ConfigError, match='leave a sequence, got all 4'):
        build(root, exclude=[f'video_{number}' for number in range(4)])


@pytest.mark.parametrize(
    'options, error, message',
    [
        (dict(split='val'), DataError, r"no sequence of split 'val'; its splits are \['test'"),
        (dict(supervision='labels'), DataError, 'have no SMPL-X labels'),
        (dict(supervision='some'), ConfigError, 'supervision'),
        (dict(flip_test=True), ConfigError, 'flip_test belongs to test items'),
        (dict(test_mode=True, supervision='labels'), ConfigError, 'is for training'),
        (dict(holdout_every=1), ConfigError, 'holdout_every'),
    ],
)
def test_what_cannot_be(root, options, error, message):
    with pytest.raises(error, match=message):
        build(root, **options)


def test_a_pack_that_is_not_there(tmp_path):
    with pytest.raises(MissingFilesError, match='tools/dataset_converters'):
        build(tmp_path)
    (tmp_path / 'packs/videos').mkdir(parents=True)
    with pytest.raises(DataError, match='is no sequence pack'):
        build(tmp_path)
