"""Predictions use SMPL-X where it is, and the stand-in body elsewhere, which is said."""

import pytest

from gvhmr_da_mm.apis import body_root, find_body_root
from gvhmr_da_mm.body_models import SMPLXLight
from gvhmr_da_mm.demo.body import stand_in_root


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    return tmp_path / 'cache' / 'gvhmr_da_mm'


@pytest.fixture
def logged(monkeypatch):
    lines = []
    monkeypatch.setattr(body_root, 'print_log', lambda text, *_: lines.append(text))
    return lines


def test_a_given_folder_is_used_as_it_is(tmp_path, logged):
    assert find_body_root(tmp_path / 'mine') == tmp_path / 'mine'
    assert not logged


def test_the_body_of_the_data_root(toy_root, monkeypatch, logged, cache):
    monkeypatch.setenv('GVHMR_DATA_ROOT', str(toy_root))
    assert find_body_root() == toy_root
    assert not logged and not cache.exists()


def test_the_stand_in_body_elsewhere(tmp_path, monkeypatch, logged, cache):
    monkeypatch.setenv('GVHMR_DATA_ROOT', str(tmp_path / 'empty'))
    root = find_body_root()
    assert root.parent == cache and len(SMPLXLight(root).verts_index)
    (line,) = logged
    assert str(tmp_path / 'empty') in line and 'stand-in body' in line and str(root) in line


def test_the_stand_in_body_is_written_once_and_whole(cache, monkeypatch):
    root = stand_in_root()
    before = {path: path.stat().st_mtime_ns for path in root.rglob('*')}
    assert stand_in_root() == root
    assert {path: path.stat().st_mtime_ns for path in root.rglob('*')} == before
    assert list(cache.iterdir()) == [root]
