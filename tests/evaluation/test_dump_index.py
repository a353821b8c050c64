import re

import pytest

from gvhmr_da_mm.evaluation.dump_index import DumpEntry, name_files, read_index, write_index


def dumped(folder, *clips):
    """Write empty files of (dataset, sequence, start, frames) and return what they are called."""
    entries = []
    for number, (dataset, sequence, start, frames) in enumerate(clips):
        (folder / f'{number}.npz').write_bytes(b'')
        entries.append(DumpEntry(f'{number}.npz', dataset, sequence, frames, start))
    named = name_files(folder, entries)
    write_index(folder, named)
    assert read_index(folder)[0] == named
    return {entry.file: (entry.sequence, entry.start) for entry in named}


def test_a_range_stands_in_a_name_only_where_it_tells_files_apart(tmp_path):
    names = dumped(
        tmp_path,
        ('video', 'walk', 99, 183),
        ('video', 'holiday/beach', 0, 30),
        ('emdb1', 'P1', 0, 50),
        ('emdb1', 'P1', 60, 40),
        ('emdb2', 'P1', 60, 40),
    )
    assert names == {
        'emdb1/P1_0-50.npz': ('P1', 0),
        'emdb1/P1_60-100.npz': ('P1', 60),
        'emdb2/P1.npz': ('P1', 60),
        'video/holiday/beach.npz': ('holiday/beach', 0),
        'video/walk.npz': ('walk', 99),
    }


@pytest.mark.parametrize(
    'sequence, name',
    [
        ('網球 (1)', '網球__1_'),
        ('a[1]*?', 'a_1___'),
        ('../up', '_/up'),
        ('/root', '_/root'),
        ('-rf', '_rf'),
        ('.hidden', '_hidden'),
        ('naïve.v2', 'naïve.v2'),
    ],
)
def test_names_can_be_typed(tmp_path, sequence, name):
    assert list(dumped(tmp_path, ('video', sequence, 0, 9))) == [f'video/{name}.npz']


def test_names_stay_different(tmp_path):
    clips = [('v', name, start, 9) for name in ('a b', 'a_b', 'a%b', 'A b') for start in (0, 9)]
    names = dumped(tmp_path, *clips, ('v', 'a_b_0-9', 0, 9))
    assert len({name.casefold() for name in names}) == 9
    assert all(re.fullmatch(r'v/[\w-]+\.npz', name) for name in names)
    assert len(set(names.values())) == 9
