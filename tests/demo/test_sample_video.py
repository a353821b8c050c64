"""The real video of the demo: downloaded once, and told of where it cannot be."""

import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from gvhmr_da_mm.core.errors import MissingFilesError
from gvhmr_da_mm.demo import sample_video as find
from gvhmr_da_mm.demo.sample_video import MEMBER, REQUIREMENT


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    return tmp_path / 'cache'


def test_it_is_downloaded_once(cache, monkeypatch):
    commands = []

    def pip(command, **options):
        commands.append(command)
        folder = next(word for word in command if word.startswith('--dest=')).split('=', 1)[1]
        with zipfile.ZipFile(Path(folder) / 'a.whl', 'w') as wheel:
            wheel.writestr(MEMBER, b'frames')
        return SimpleNamespace(returncode=0, stderr='')

    monkeypatch.setattr('subprocess.run', pip)
    video = find()
    assert video.read_bytes() == b'frames' and cache in video.parents
    assert find() == video
    (command,) = commands
    assert command[-1] == REQUIREMENT and '--no-deps' in command


def test_without_network(cache, monkeypatch):
    monkeypatch.setenv('PIP_INDEX_URL', 'http://127.0.0.1:9/simple')
    with pytest.raises(
        MissingFilesError, match='connect to the network, or put a video at'
    ) as told:
        find()
    assert REQUIREMENT in str(told.value) and '\n' not in str(told.value)
    assert not cache.exists()
