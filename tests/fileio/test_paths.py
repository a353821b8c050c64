from pathlib import Path

import pytest

from gvhmr_da_mm.core.errors import MissingFilesError
from gvhmr_da_mm.fileio.paths import require_files, resolve_data_root


def test_an_argument_wins_over_the_environment_over_the_default(monkeypatch):
    monkeypatch.delenv('GVHMR_DATA_ROOT', raising=False)
    assert resolve_data_root() == Path('data')
    monkeypatch.setenv('GVHMR_DATA_ROOT', '/from/environment')
    assert resolve_data_root() == Path('/from/environment')
    assert resolve_data_root('/given') == Path('/given')


def test_an_empty_variable_is_none(monkeypatch):
    monkeypatch.setenv('GVHMR_DATA_ROOT', '')
    assert resolve_data_root() == Path('data')


def test_the_home_folder_is_expanded(monkeypatch):
    monkeypatch.setenv('HOME', '/home/someone')
    assert resolve_data_root('~/data') == Path('/home/someone/data')


def test_one_error_lists_all_that_is_missing(tmp_path):
    (tmp_path / 'there').touch()
    files = {tmp_path / name: f'how to get {name}' for name in ('there', 'first', 'second')}
    with pytest.raises(MissingFilesError) as error:
        require_files(files, owner='EMDB')
    message = str(error.value)
    assert 'EMDB needs 2 file(s)' in message
    for name in ('first', 'second'):
        assert str(tmp_path / name) in message and f'how to get {name}' in message
    assert 'how to get there' not in message
    assert '--data-root' in message and 'GVHMR_DATA_ROOT' in message


def test_places_are_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissingFilesError, match=str(tmp_path / 'none')):
        require_files({'none': 'make it'}, owner='this')


def test_nothing_missing_is_silent(tmp_path):
    require_files({tmp_path: 'it is a folder'}, owner='this')
