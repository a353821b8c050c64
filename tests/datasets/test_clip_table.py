import pickle

import numpy as np
import pytest

from gvhmr_da_mm.core.errors import DataError
from gvhmr_da_mm.datasets import PackDataset
from gvhmr_da_mm.datasets.clip_table import ClipTable
from gvhmr_da_mm.datasets.packs import PackEntry, PackHeader, PackIndex
from gvhmr_da_mm.datasets.packs.json_index import write_json_index

CLIPS = [dict(sequence='abc'[n % 3], start=n, end=10 * n + 1, note=n) for n in range(6)]


def write_index(root, entries, write=None):
    """Write an index whose sequences have no files."""
    (root / 'pack').mkdir(exist_ok=True)
    header = PackHeader('videos', complete=True)
    if write is not None:
        write(root / 'pack', header, entries)
    else:
        PackIndex.temporary(header, entries, root).save(root / 'pack')


def entries(count, **changes):
    options = dict(img_wh=(64, 48), splits=('train',), arrays=('bbx_xys', 'features', 'kp2d'))
    options.update(changes)
    return [PackEntry(f's{n}', 40 + 100 * n, file=f's/{n}', **options) for n in range(count)]


def test_a_table_is_the_list_of_its_clips():
    table = ClipTable.of(CLIPS)
    assert list(table) == CLIPS and table[-1] == CLIPS[-1] and list(table[1:3]) == CLIPS[1:3]
    assert table.lengths.tolist() == [clip['end'] - clip['start'] for clip in CLIPS]
    assert ClipTable.of(table) is table
    assert len(ClipTable.of([])) == 0
    with pytest.raises(IndexError):
        table[6]


def test_clips_are_taken_by_index_or_mask():
    table = ClipTable.of(CLIPS)
    assert list(table.take(np.array([4, 4, 1]))) == [CLIPS[4], CLIPS[4], CLIPS[1]]
    assert table.take(table.start > 3).names() == ['b', 'c']


@pytest.mark.parametrize('write', [None, write_json_index])
def test_clips_of_a_pack_are_listed_without_opening_a_sequence(tmp_path, write):
    write_index(tmp_path, [*entries(4), PackEntry('short', 9, (64, 48), splits=('train',))], write)
    dataset = PackDataset(tmp_path, pack='pack', split='train', max_len=120)
    # Clips are listed once for each 120 frames.
    names = [dataset.get_data_info(index)['sequence'] for index in range(len(dataset))]
    assert names == ['s0', 's1', 's2', 's2', 's3', 's3']
    expected = dict(sequence='s1', id='s1', part='train', start=0, end=140, sample_idx=1)
    assert dataset.get_data_info(1) == expected
    assert pickle.loads(pickle.dumps(dataset)).get_data_info(1) == expected
    with pytest.raises(DataError, match='does not exist'):
        dataset[0]


def test_listing_clips_makes_nothing_for_each_of_them(tmp_path, monkeypatch):
    write_index(tmp_path, entries(3))
    with monkeypatch.context() as patch:

        def entry(*args):
            raise AssertionError('an entry was read')

        patch.setattr(PackIndex, '_entry', entry)
        dataset = PackDataset(tmp_path, pack='pack', split='train')
        assert len(dataset) == 4
    assert dataset.get_data_info(3)['sequence'] == 's2'


def test_an_index_that_changed_since_is_not_read_on(tmp_path):
    write_index(tmp_path, entries(3))
    dataset = PackDataset(tmp_path, pack='pack')
    assert dataset.get_data_info(0)['sequence'] == 's0'
    write_index(tmp_path, entries(3)[::-1])
    with pytest.raises(DataError, match='has changed since its clips were listed'):
        dataset.get_data_info(0)


def test_what_sequences_of_a_pack_lack_is_counted(tmp_path):
    write_index(tmp_path, [*entries(3), *entries(5, arrays=('bbx_xys', 'kp2d'))[3:]])
    dataset = PackDataset(tmp_path, pack='pack')
    infos = dataset.source.sequences()
    assert [info.id for info in dataset.lacking(infos, 'features')] == ['s3', 's4']
    assert not len(dataset.lacking(infos, 'kp2d'))
