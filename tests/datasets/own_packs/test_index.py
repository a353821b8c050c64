"""The index of a pack: round trip, packs of earlier versions, errors for spoiled files."""

import json
import pickle
import sqlite3
from dataclasses import asdict, replace

import numpy as np
import pytest

from gvhmr_da_mm.core.errors import DataError, StorageError
from gvhmr_da_mm.datasets.pack_io import load_pack
from gvhmr_da_mm.datasets.packs import PackEntry, PackHeader, PackIndex, PackWriter, SequencePack
from gvhmr_da_mm.datasets.packs.json_index import write_json_index

from .test_packs import META, arrays

HEADER = PackHeader('videos', complete=True)
ENTRIES = [
    PackEntry('a', 9, (640, 480), splits=('train',), arrays=('bbx_xys', 'kp2d'), bytes=3),
    PackEntry('b/ü', 120, (64, 48), sequence='b', group='g', start=4, valid_ranges=[[0, 3]]),
    PackEntry('c', 7, (64, 48), splits=('train', 'val'), arrays=('bbx_xys',), extra={'n': [1]}),
]


def save(root, entries=ENTRIES, header=HEADER):
    PackIndex.temporary(header, entries, root / 'index.sqlite').save(root)
    return PackIndex.open(root)


def write_earlier(root, entries=ENTRIES, header=HEADER):
    """Write an index of JSON lines, as finished packs had."""
    write_json_index(root, header, entries)
    return PackIndex.open(root)


@pytest.mark.parametrize('write', [save, write_earlier])
def test_entries_come_back_in_order(tmp_path, write):
    index = write(tmp_path)
    assert list(index) == ['a', 'b/ü', 'c'] and len(index) == 3
    assert [asdict(entry) for entry in index.values()] == list(map(asdict, ENTRIES))
    assert [index.at(number) for number in range(3)] == [index[name] for name in index] == ENTRIES
    assert index.header == HEADER
    assert 'c' in index and 'd' not in index
    for missing in (lambda: index['d'], lambda: index.at(3)):
        with pytest.raises(KeyError):
            missing()


def test_columns_are_those_of_the_entries(tmp_path):
    index = save(tmp_path)
    assert index.table['start'].tolist() == [0, 4, 0]
    assert index.table['frames'].tolist() == [9, 120, 7]
    assert list(index.column('sequence')) == ['a', 'b', 'c']
    assert list(index.column('group')) == ['a', 'g', 'c']
    kinds = index.kinds(lambda splits, arrays: 'train' in splits and 'bbx_xys' in arrays)
    assert np.isin(index.table['kind'], kinds).tolist() == [True, False, True]


def test_the_later_of_two_entries_counts(tmp_path):
    changed = replace(ENTRIES[0], frames=5, arrays=('bbx_xys',))
    for write in (save, write_earlier):
        index = write(tmp_path, [*ENTRIES, changed])
        assert list(index) == ['a', 'b/ü', 'c'] and index['a'] == changed
        assert index.table['frames'].tolist() == [5, 120, 7]


def test_an_index_is_pickled_as_its_folder(tmp_path):
    assert list(pickle.loads(pickle.dumps(save(tmp_path)))) == ['a', 'b/ü', 'c']
    assert list(pickle.loads(pickle.dumps(SequencePack(tmp_path)))) == ['a', 'b/ü', 'c']


def test_an_iteration_ends_quietly_after_the_index_is_closed(tmp_path):
    save(tmp_path)
    index = PackIndex.open(tmp_path)
    names = index._read('SELECT id FROM sequences')
    next(names)
    index.close()
    names.close()  # as the garbage collector does with one that an error left unfinished


def test_a_finished_pack_of_an_earlier_version_goes_on(tmp_path):
    with PackWriter(tmp_path, 'videos') as writer:
        writer.add('a', arrays(), META)
    entries = list(SequencePack(tmp_path).entries.values())
    (tmp_path / 'index.sqlite').unlink()
    write_earlier(tmp_path, entries)
    assert load_pack(tmp_path)['a']['kp2d'].shape == (12, 17, 3)
    with PackWriter(tmp_path, 'videos') as writer:
        assert writer.is_done('a')
        writer.add('b', arrays(), META)
    assert list(load_pack(tmp_path)) == ['a', 'b']
    assert not (tmp_path / 'index.jsonl').exists()


def test_a_pack_is_what_it_was_until_the_new_index_is_complete(tmp_path, monkeypatch):
    with PackWriter(tmp_path, 'videos') as writer:
        writer.add('a', arrays(), META)
    with PackWriter(tmp_path, 'videos') as writer:
        with monkeypatch.context() as patch:

            def killed(*args):
                raise KeyboardInterrupt

            patch.setattr('gvhmr_da_mm.fileio.atomic_file.os.replace', killed)
            with pytest.raises(KeyboardInterrupt):
                writer.finish()
        assert list(SequencePack(tmp_path)) == ['a']
        assert not list(tmp_path.glob('.index*'))


def test_no_room_for_the_index_is_told(tmp_path):
    index = PackIndex.temporary(HEADER, ENTRIES, tmp_path)
    with pytest.raises(StorageError, match='cannot be written'):
        index.save(tmp_path / 'nowhere')


def change(statement):
    def spoil(path):
        with sqlite3.connect(path) as connection:
            connection.execute(statement)

    return spoil


@pytest.mark.parametrize(
    'spoil, message',
    [
        (lambda path: path.write_bytes(b'nonsense' * 999), 'not a database'),
        (lambda path: path.write_bytes(path.read_bytes()[:6000]), 'damaged'),
        (lambda path: path.write_bytes(b''), 'other tables'),
        (change('DROP TABLE facts'), 'other tables'),
        # What a query of a view does is up to whoever wrote the file.
        (change('CREATE VIEW more AS SELECT * FROM sequences'), 'other tables'),
        (change("UPDATE header SET value = '99' WHERE field = 'version'"), 'has version 99'),
        (change("UPDATE header SET value = '\"x\"' WHERE field = 'format'"), 'no index of a pack'),
        (change("INSERT INTO header VALUES ('odd', '1')"), 'its header is wrong'),
        (change("UPDATE header SET value = '{'"), 'damaged'),
        (change("UPDATE kinds SET splits = '{'"), 'damaged'),
        (change('UPDATE sequences SET kind = 77'), 'damaged'),
        (change("UPDATE sequences SET start = 'x'"), 'damaged'),
        (change('UPDATE sequences SET frames = 0'), '`frames` should be at least 1'),
        (change('UPDATE facts SET facts = \'{"file":"../a","img_wh":[9,9]}\''), 'below the pack'),
        (change("UPDATE facts SET facts = '[1]'"), 'damaged'),
        (change("UPDATE facts SET facts = '{}'"), 'img_wh'),
    ],
)
def test_a_spoiled_index_is_named(tmp_path, spoil, message):
    save(tmp_path)
    spoil(tmp_path / 'index.sqlite')
    with pytest.raises(DataError, match=message) as error:
        index = PackIndex.open(tmp_path)
        assert index.table['start'].sum()
        list(index.values())
    assert 'index.sqlite' in str(error.value)


def test_an_index_of_json_lines_has_no_other_separators(tmp_path):
    odd = replace(ENTRIES[0], id='a\u2028b', sequence='a\u2028b', group='a\u2028b')
    assert list(write_earlier(tmp_path, [odd])) == ['a\u2028b']
    text = (tmp_path / 'index.jsonl').read_text(encoding='utf-8')
    assert json.loads(text.split('\n')[1])['id'] == 'a\u2028b'
