"""Published files and sequence packs converted from them give bit-identical samples."""

import pytest

from gvhmr_da_mm.core.errors import DataError
from gvhmr_da_mm.datasets import (
    BEDLAMDataset,
    ClipKey,
    EMDBDataset,
    PackDataset,
    RICHDataset,
    ThreeDPWDataset,
)
from gvhmr_da_mm.datasets.packs import SequencePack
from gvhmr_da_mm.datasets.sources import PUBLISHED_SOURCES
from gvhmr_da_mm.datasets.sources.write_pack import write_pack
from tests.datasets.samples import assert_same_item
from tests.datasets.test_rich import write_rich

CASES = [
    ('bedlam', BEDLAMDataset, dict()),
    ('bedlam', BEDLAMDataset, dict(parts=('maxspan60',))),
    ('emdb', EMDBDataset, dict(split='train', flip_features=True)),
    ('emdb', EMDBDataset, dict(split='train', transductive=True)),
    ('emdb', EMDBDataset, dict(split='train', real_supervision='labels')),
    ('emdb', EMDBDataset, dict(split='train', subset='val', with_joints=False)),
    ('emdb', EMDBDataset, dict(split='emdb1', flip_test=True)),
    ('emdb', EMDBDataset, dict(split='emdb2', flip_test=True, camera='dpvo', with_joints=False)),
    ('3dpw', ThreeDPWDataset, dict(split='train')),
    ('3dpw', ThreeDPWDataset, dict(split='train', transductive=True, flip_features=True)),
    ('3dpw', ThreeDPWDataset, dict(split='train', real_supervision='labels')),
    ('3dpw', ThreeDPWDataset, dict(split='test', flip_test=True)),
    ('3dpw', ThreeDPWDataset, dict(split='test', mask_key='mask_raw', with_joints=False)),
]


def convert_all(root, out, names):
    for name in names:
        report = write_pack(PUBLISHED_SOURCES[name].below(root), out / name)
        assert not report.failures and report.written == report.planned > 0
    return out


@pytest.fixture(scope='module')
def toy_packs(toy_root, tmp_path_factory):
    return convert_all(toy_root, tmp_path_factory.mktemp('toy_packs'), ('bedlam', 'emdb', '3dpw'))


@pytest.fixture(scope='module')
def fixture_packs(fixtures_root, tmp_path_factory):
    out = tmp_path_factory.mktemp('fixture_packs')
    return convert_all(fixtures_root, out, ('bedlam', 'emdb', '3dpw'))


def assert_same(published, ours):
    assert len(published) == len(ours) > 0
    for index in range(len(published)):
        expected, got = published.get_data_info(index), ours.get_data_info(index)
        got = {key: value for key, value in got.items() if key in expected}
        assert {k: v for k, v in expected.items() if k in got} == got
        for seed in (0,) if published.test_mode else (0, 1):
            key = ClipKey(index, seed)
            assert_same_item(published[key], ours[key])


@pytest.mark.parametrize('name, kind, options', CASES)
def test_samples_of_the_demo_packs(toy_root, toy_packs, name, kind, options):
    if options.get('subset') == 'val':
        options = dict(options, holdout_every=2)
    published = kind(toy_root, **options)
    assert_same(published, kind(toy_root, pack=toy_packs / name, **options))


@pytest.mark.fixtures
@pytest.mark.parametrize('name, kind, options', CASES)
def test_samples_of_the_fixtures(fixtures_root, fixture_packs, name, kind, options):
    published = kind(fixtures_root, **options)
    assert_same(published, kind(fixtures_root, pack=fixture_packs / name, **options))


def test_samples_of_rich(toy_root, tmp_path):
    (tmp_path / 'body_models').symlink_to(toy_root / 'body_models')
    write_rich(tmp_path)
    convert_all(tmp_path, tmp_path / 'packs', ('rich',))
    for options in (dict(flip_test=True), dict(intrinsics='estimated')):
        options['with_joints'] = False
        published = RICHDataset(tmp_path, **options)
        assert_same(published, RICHDataset(tmp_path, pack='packs/rich', **options))


def test_the_index_tells_what_there_is(toy_packs):
    emdb = SequencePack(toy_packs / 'emdb')
    assert emdb.header.complete and emdb.header.domain == 'real'
    for entry in emdb.entries.values():
        assert entry.has_labels and entry.has_keypoints and entry.has_features
        trained = entry.splits == ('train',)
        assert trained == ('flip_features' not in entry.arrays)
    parts = [entry.splits for entry in SequencePack(toy_packs / 'bedlam').entries.values()]
    assert set(parts) == {('all60',), ('maxspan60',)}


def test_any_labelled_pack_is_a_source(toy_root, toy_packs):
    options = dict(dataset='bedlam', domain='synthetic', list_long_clips_often=False)
    ours = PackDataset(toy_root, pack=toy_packs / 'bedlam', supervision='labels', **options)
    assert_same(BEDLAMDataset(toy_root), ours)


def test_training_without_labels_gives_none(toy_root, toy_packs):
    dataset = PackDataset(toy_root, pack=toy_packs / 'emdb', split='train')
    item = dataset[ClipKey(0, 0)]
    assert 'gt_instances' not in item['data_samples']
    assert item['data_samples'].supervision == 'none'


def test_mirrored_features_that_are_missing_are_named(toy_root, toy_packs):
    options = dict(split='train', subset='val', holdout_every=2, flip_test=True, with_joints=False)
    with pytest.raises(DataError, match='mirrored'):
        EMDBDataset(toy_root, pack=toy_packs / 'emdb', **options)
