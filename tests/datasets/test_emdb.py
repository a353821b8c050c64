import pytest
import torch

from gvhmr_da_mm.core.errors import ConfigError, DataError, MissingFilesError
from gvhmr_da_mm.datasets import ClipKey, EMDBDataset
from gvhmr_da_mm.datasets.sources import PUBLISHED_SOURCES
from gvhmr_da_mm.datasets.sources.write_pack import write_pack

from . import packs
from .samples import assert_same_item

PACK = 'EMDB/hmr4d_support/emdb_vit_v4.pt'


@pytest.fixture
def root(tmp_path):
    packs.emdb(tmp_path)
    return tmp_path


def sequences(dataset):
    return [dataset.get_data_info(index)['sequence'] for index in range(len(dataset))]


def emdb(root, **options):
    return EMDBDataset(root, with_joints=False, **options)


def test_splits(root):
    assert sequences(emdb(root)) == list(packs.EMDB_TRAIN)
    assert sequences(emdb(root, split='emdb1')) == [packs.EMDB_TEST[0], packs.EMDB_TEST[2]]
    assert sequences(emdb(root, split='emdb2')) == list(packs.EMDB_TEST[1:])
    fit, val = emdb(root, subset='fit'), emdb(root, subset='val')
    assert sorted(sequences(fit) + sequences(val)) == sorted(packs.EMDB_TRAIN)
    assert val.test_mode and 'gt_instances' in val[0]['data_samples']


def test_transductive_adds_inputs_without_labels_and_says_so(root):
    dataset = emdb(root, transductive=True)
    assert set(sequences(dataset)) == {*packs.EMDB_TRAIN, *packs.EMDB_TEST}
    assert len(dataset) == 7 and dataset.metainfo['transductive']
    flags = []
    for index in range(7):
        sample = dataset[ClipKey(index, 0)]['data_samples']
        assert 'gt_instances' not in sample and sample.supervision == 'none'
        flags.append(sample.transductive)
    assert flags == [False] * 4 + [True] * 3
    assert not emdb(root).metainfo['transductive']


def test_an_empty_training_split_names_both_remedies(tmp_path):
    packs.emdb(tmp_path, names=packs.EMDB_TEST)
    with pytest.raises(ConfigError, match='transductive=True') as error:
        emdb(tmp_path)
    assert 'convert the raw EMDB download' in str(error.value)
    assert len(emdb(tmp_path, transductive=True)) == 3


def test_an_incomplete_test_split_warns_once(root):
    dataset = emdb(root, split='emdb1')
    assert dataset._warned == {'incomplete'}


def test_an_empty_test_split_is_an_error(tmp_path):
    packs.emdb(tmp_path, names=packs.EMDB_TRAIN)
    with pytest.raises(DataError, match='holds no sequence of emdb1'):
        emdb(tmp_path, split='emdb1')


def test_training_items_are_unlabelled(root):
    item = emdb(root)[ClipKey(0, 3)]
    sample = item['data_samples']
    assert 'gt_instances' not in sample
    assert (sample.domain, sample.supervision, sample.gender) == ('real', 'none', 'neutral')
    assert item['inputs']['has_kp2d'] and item['inputs']['kp2d'].shape == (120, 17, 3)
    assert len(emdb(root)) == 4


def test_labels_cannot_reach_unlabelled_items(root):
    dataset = emdb(root)
    before = [dataset[ClipKey(index, 9)] for index in range(4)]

    def spoil(pack):
        for record in pack.values():
            record['smpl_params'] = {
                key: torch.full_like(value, float('nan'))
                for key, value in record['smpl_params'].items()
            }
            record['mask'] = torch.zeros_like(record['mask'])
            record['gender'] = 'unknown'

    packs.edit(root / PACK, spoil)
    dataset = emdb(root)
    for index, item in enumerate(before):
        assert_same_item(item, dataset[ClipKey(index, 9)])

    def remove(pack):
        for record in pack.values():
            del record['smpl_params'], record['mask'], record['gender']

    packs.edit(root / PACK, remove)
    dataset = emdb(root)
    for index, item in enumerate(before):
        assert_same_item(item, dataset[ClipKey(index, 9)])
    assert len(emdb(root, transductive=True)) == 7
    with pytest.raises(DataError, match='mask'):
        emdb(root, split='emdb1')[0]


def test_test_items_are_whole_sequences_with_labels(root):
    item = emdb(root, split='emdb1', flip_test=True)[0]
    record = torch.load(root / PACK)[packs.EMDB_TEST[0]]
    inputs, sample = item['inputs'], item['data_samples']
    assert len(inputs['valid']) == 70 and inputs['valid'].all()
    assert not inputs['kp2d'][10:15, :, 2].any() and inputs['kp2d'][15:, :, 2].any()
    assert torch.equal(inputs['kp2d'][..., :2], record['kp2d'][..., :2])
    assert torch.equal(inputs['flip_kp2d'][:, 5, 0], 1440 - record['kp2d'][:, 6, 0])
    shapes = {key: tuple(value.shape) for key, value in sample.gt_instances.items()}
    assert shapes == dict(
        body_pose=(70, 69),
        betas=(70, 10),
        global_orient=(70, 3),
        transl=(70, 3),
        T_w2c=(70, 4, 4),
        K_fullimg=(70, 3, 3),
        mask=(70,),
    )
    assert (sample.gender, sample.dataset, sample.img_shape) == ('female', 'emdb1', (1920, 1440))
    assert sample.target_img_path == ['emdb1_P1_14_outdoor_climb.jpg']


def test_labels_of_frames_that_do_not_count_may_be_nan(root, tmp_path):
    """The network reads every frame of its input, so that those of the input have to be finite."""
    before = emdb(root, split='emdb1')[0]['data_samples'].gt_instances
    mask = before.mask
    assert mask.any() and not mask.all()

    def spoil(pack):
        for record in pack.values():
            record['smpl_params']['transl'][~record['mask']] = torch.nan

    packs.edit(root / PACK, spoil)
    after = emdb(root, split='emdb1')[0]['data_samples'].gt_instances
    for name in before.keys():
        assert torch.equal(torch.as_tensor(after[name])[mask], torch.as_tensor(before[name])[mask])
    assert after.transl[~mask].isnan().all()
    assert not write_pack(PUBLISHED_SOURCES['emdb'].below(root), tmp_path / 'pack').failures
    packed = EMDBDataset(pack=str(tmp_path / 'pack'), split='emdb1', with_joints=False)
    assert packed[0]['data_samples'].gt_instances.transl.isnan().any(dim=1).equal(~mask)
    first = int(mask.nonzero()[0])

    def spoil_valid(pack):
        pack[packs.EMDB_TEST[0]]['smpl_params']['transl'][first] = torch.nan

    packs.edit(root / PACK, spoil_valid)
    with pytest.raises(DataError, match=f'smpl_params.transl.*first at frame {first}'):
        emdb(root, split='emdb1')[0]


@pytest.mark.parametrize('name', ['kp2d', 'bbx_xys', 'features', 'T_w2c'])
def test_inputs_of_frames_that_do_not_count_have_to_be_finite(root, name):
    def spoil(pack):
        for record in pack.values():
            record[name] = record[name].float()
            record[name][~record['mask']] = torch.nan

    packs.edit(root / PACK, spoil)
    with pytest.raises(DataError, match=f'{name}.*expected finite values'):
        emdb(root, split='emdb1')[0]


def test_the_pack_is_not_written_to(root):
    first = emdb(root, split='emdb1')[0]
    for value in first['inputs'].values():
        value.zero_()
    assert emdb(root, split='emdb1')[0]['inputs']['kp2d'].any()


def test_image_sizes_and_intrinsics(root):
    walk = emdb(root, split='emdb2')[0]['inputs']
    assert walk['img_wh'].tolist() == [720, 960]
    assert walk['K_fullimg'][0].flatten()[[0, 2, 4, 5]].tolist() == [1200, 360, 1200, 480]
    big = emdb(root, split='emdb1')[0]['inputs']['K_fullimg'][0]
    assert big[0, 0] == 2400
    assert emdb(root, split='emdb1', intrinsics='true')[0]['inputs']['K_fullimg'][0, 0, 0] == 1500


def test_camera_can_come_from_odometry(root):
    true = emdb(root, split='emdb1')[0]['inputs']['cam_angvel']
    estimated = emdb(root, split='emdb1', camera='dpvo')[0]['inputs']['cam_angvel']
    still = torch.tensor([1.0, 0, 0, 0, 1, 0]).expand(70, 6)
    torch.testing.assert_close(estimated, still)
    assert not torch.allclose(true, still, atol=1e-4)


def test_labelled_training_leaves_bad_label_frames_out(root):
    dataset = emdb(root, real_supervision='labels', lazy_init=True)
    clips = dataset.list_clips()
    ranges = [(clip['start'], clip['end']) for clip in clips[:2]]
    assert ranges == [(0, 10), (15, 70)]


def test_missing_files_are_in_one_error(root):
    with pytest.raises(MissingFilesError) as error:
        EMDBDataset(root, split='emdb1')
    assert 'SMPL_MALE.pkl' in str(error.value) and 'SMPL_FEMALE.pkl' in str(error.value)
    flip = root / 'EMDB/hmr4d_support/imgfeats/emdb_flip'
    for name in (packs.EMDB_TEST[0], packs.EMDB_TEST[2]):
        (flip / f'{name}.pt').unlink()
    with pytest.raises(MissingFilesError, match='2 file'):
        emdb(root, split='emdb1', flip_test=True)


def test_inputs_of_different_length_are_named(root):
    def cut(pack):
        record = pack[packs.EMDB_TRAIN[0]]
        record['features'] = record['features'][:50].clone()

    packs.edit(root / PACK, cut)
    with pytest.raises(DataError, match=r"key `features`: expected shape .* {'F': 70}"):
        emdb(root)[0]


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(split='val'), '`split`'),
        (dict(split='emdb1', transductive=True), 'test split'),
        (dict(split='emdb1', subset='fit'), 'test split'),
        (dict(split='emdb1', exclude=['P1_14']), 'test split'),
        (dict(split='emdb1', real_supervision='labels'), 'test split'),
        (dict(transductive=True, real_supervision='labels'), 'neither'),
        (dict(transductive=True, subset='val'), 'neither'),
        (dict(flip_test=True), 'flip_features'),
        (dict(test_mode=True), 'test_mode'),
        (dict(camera='gyro'), '`camera`'),
        (dict(intrinsics='guess'), '`intrinsics`'),
        (dict(real_supervision='some'), '`real_supervision`'),
        (dict(subset='half'), '`subset`'),
        (dict(holdout_every=1), '`holdout_every`'),
    ],
)
def test_impossible_options_are_named(tmp_path, options, message):
    with pytest.raises(ConfigError, match=message):
        emdb(tmp_path, **options)


def test_a_split_too_small_to_hold_out_is_named(tmp_path):
    packs.emdb(tmp_path, names=packs.EMDB_TRAIN[:1])
    with pytest.raises(ConfigError, match="subset='val' is empty"):
        emdb(tmp_path, subset='val')
