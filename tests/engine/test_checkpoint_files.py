import os
import shutil

import pytest
import torch

from gvhmr_da_mm.core.errors import CheckpointError
from gvhmr_da_mm.engine import checkpoint_files
from gvhmr_da_mm.engine.checkpoint_files import checkpoint_problem, find_last_checkpoint


@pytest.fixture
def work_dir(tmp_path):
    """Return a folder with three checkpoints, of which the last is pointed to."""
    for age, name in enumerate(('rolling.pth', 'epoch_2.pth', 'epoch_1.pth')):
        torch.save(dict(weight=torch.arange(1000.0)), tmp_path / name)
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'rolling.pth'))
    torch.save({}, tmp_path / 'best_epoch_2.pth')
    return tmp_path


def truncate(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def spoil(path):
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle] ^= 1
    path.write_bytes(content)


def empty(path):
    path.write_bytes(b'')


def test_the_one_that_is_pointed_to(work_dir):
    assert find_last_checkpoint(work_dir) == str(work_dir / 'rolling.pth')
    (work_dir / 'last_checkpoint').write_text(str(work_dir / 'epoch_1.pth'))
    assert find_last_checkpoint(work_dir) == str(work_dir / 'epoch_1.pth')


def test_none_at_all(tmp_path):
    assert find_last_checkpoint(tmp_path) is None
    assert find_last_checkpoint(tmp_path / 'none') is None


@pytest.mark.parametrize('damage', [truncate, spoil, empty, os.remove])
def test_a_damaged_one_is_passed_over(work_dir, damage, monkeypatch):
    said = []
    monkeypatch.setattr(checkpoint_files, 'print_log', lambda text, *_, **__: said.append(text))
    damage(work_dir / 'rolling.pth')
    assert find_last_checkpoint(work_dir) == str(work_dir / 'epoch_2.pth')
    assert 'rolling.pth' in said[0] and 'epoch_2.pth instead' in said[0]
    damage(work_dir / 'epoch_2.pth')
    assert find_last_checkpoint(work_dir) == str(work_dir / 'epoch_1.pth')


@pytest.mark.parametrize('damage', [truncate, os.remove])
def test_all_of_them_damaged_is_no_new_start(work_dir, damage):
    for name in ('rolling.pth', 'epoch_1.pth', 'epoch_2.pth'):
        damage(work_dir / name)
    with pytest.raises(CheckpointError, match='rolling.pth.*start over'):
        find_last_checkpoint(work_dir)


@pytest.mark.parametrize('content', ['', '\0\0\0', '  \n'])
def test_a_pointer_without_content(work_dir, content):
    (work_dir / 'last_checkpoint').write_text(content)
    assert find_last_checkpoint(work_dir) == str(work_dir / 'rolling.pth')


def test_a_pointer_that_was_lost(work_dir):
    os.remove(work_dir / 'last_checkpoint')
    assert find_last_checkpoint(work_dir) == str(work_dir / 'rolling.pth')


def test_a_folder_that_was_moved(work_dir):
    moved = work_dir.with_name('moved')
    work_dir.rename(moved)
    assert find_last_checkpoint(moved) == str(moved / 'rolling.pth')


def test_checkpoints_are_kept_elsewhere(work_dir, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp('run')
    (work_dir / 'last_checkpoint').rename(elsewhere / 'last_checkpoint')
    truncate(work_dir / 'rolling.pth')
    assert find_last_checkpoint(elsewhere) == str(work_dir / 'epoch_2.pth')


def test_what_is_wrong(work_dir):
    path = work_dir / 'epoch_1.pth'
    assert checkpoint_problem(path) is None
    spoil(path)
    assert 'damaged' in checkpoint_problem(path)
    truncate(path)
    assert 'not complete' in checkpoint_problem(path)
    assert 'does not exist' in checkpoint_problem(work_dir / 'epoch_9.pth')


@pytest.mark.parametrize('name', ['rolling.pth', 'epoch_9.pth'])
def test_a_copied_folder_goes_on_from_its_own_files(work_dir, tmp_path_factory, name):
    """The pointer of a copy still names the file of the run that it was copied from."""
    copy = tmp_path_factory.mktemp('copies') / 'copy'
    (work_dir / 'last_checkpoint').write_text(str(work_dir / name))
    shutil.copytree(work_dir, copy)
    torch.save({}, work_dir / name)
    assert find_last_checkpoint(copy) == str(copy / 'rolling.pth')
    # Nor is the other run a way out where those of this one are damaged.
    for path in copy.glob('*.pth'):
        truncate(path)
    with pytest.raises(CheckpointError, match='copy'):
        find_last_checkpoint(copy)
