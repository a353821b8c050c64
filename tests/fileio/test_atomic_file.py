import errno
import os
import stat

import pytest

from gvhmr_da_mm.fileio import atomic_file
from gvhmr_da_mm.fileio.atomic_file import (
    partial_file,
    remove_partial_files,
    write_atomically,
)


class Broken:
    """A file that takes half of what is written to it."""

    def __init__(self, file, error):
        self.file, self.error = file, error

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()

    def write(self, content):
        self.file.write(content[: len(content) // 2])
        self.file.flush()
        raise self.error


def break_writes(monkeypatch, error):
    monkeypatch.setattr(
        atomic_file, 'open', lambda *args: Broken(open(*args), error), raising=False
    )


def test_a_new_file_and_another_in_its_place(tmp_path):
    path = tmp_path / 'state.bin'
    for content in (b'first', b'the second one'):
        write_atomically(path, content)
        assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize('error', [OSError(errno.ENOSPC, 'full'), KeyboardInterrupt()])
@pytest.mark.parametrize('before', [b'before', None])
def test_a_write_that_breaks_off_changes_nothing(tmp_path, monkeypatch, error, before):
    path = tmp_path / 'state.bin'
    if before is not None:
        path.write_bytes(before)
    break_writes(monkeypatch, error)
    with pytest.raises(type(error)):
        write_atomically(path, b'after' * 100)
    assert [p.name for p in tmp_path.iterdir()] == ([] if before is None else ['state.bin'])
    assert before is None or path.read_bytes() == before


def test_the_old_file_is_there_until_the_new_one_is_on_the_disk(tmp_path, monkeypatch):
    path = tmp_path / 'state.bin'
    path.write_bytes(b'before')
    seen = []
    monkeypatch.setattr(os, 'fsync', lambda handle: seen.append(path.read_bytes()))
    write_atomically(path, b'after')
    assert seen == [b'before', b'after']  # the content, then the folder


def test_others_may_read_it_as_any_new_file(tmp_path):
    (tmp_path / 'plain').write_bytes(b'')
    write_atomically(tmp_path / 'atomic', b'')
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ('plain', 'atomic')]
    assert modes[0] == modes[1]


def test_leftovers_of_killed_processes_go(tmp_path):
    for name in ('.epoch_3.pth.4711.partial', '.hidden', 'epoch_2.pth', 'my.partial'):
        (tmp_path / name).write_bytes(b'x')
    removed = remove_partial_files(tmp_path)
    assert [path.name for path in removed] == ['.epoch_3.pth.4711.partial']
    assert sorted(p.name for p in tmp_path.iterdir()) == ['.hidden', 'epoch_2.pth', 'my.partial']


def test_two_writers_of_one_file_do_not_share_a_partial_one(tmp_path):
    # Processes of two machines may have the same number.
    path = tmp_path / 'a'
    with partial_file(path) as first, partial_file(path) as second:
        assert first != second
        first.write_text('first')
        second.write_text('second')
    assert path.read_text() == 'first' and list(tmp_path.iterdir()) == [path]
