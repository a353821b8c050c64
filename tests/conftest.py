"""Shared pytest fixtures: where the golden cases and the miniature packs are."""

import os
import sys
from pathlib import Path

import pytest
import torch

from gvhmr_da_mm.demo import generate_demo
from tests.testing import isolated_registry, start_fork_server
from tests.tool_calls import Packs, load_tool

REPO_ROOT = Path(__file__).resolve().parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the files with slow tests first, so that no process is left alone with one at the end."""
    slow = {item.path for item in items if item.get_closest_marker('slow')}
    items.sort(key=lambda item: item.path not in slow)


def _folder(variable: str, default: str) -> Path:
    folder = Path(os.environ.get(variable, REPO_ROOT / '..' / 'shared' / default)).resolve()
    if not folder.is_dir():
        pytest.skip(f'{variable} is not set and {folder} does not exist')
    return folder


@pytest.fixture(scope='session')
def goldens() -> Path:
    """Return the folder of golden cases, or skip."""
    return _folder('GVHMR_GOLDENS', 'goldens')


@pytest.fixture(scope='session')
def fixtures_root() -> Path:
    """Return the folder of miniature packs in the real formats, or skip."""
    return _folder('GVHMR_FIXTURES', 'fixtures')


@pytest.fixture(scope='session')
def mocap_root() -> Path:
    """Return the folder of real motion in AMASS' format, or skip."""
    return _folder('GVHMR_MOCAP', 'mocap')


@pytest.fixture(scope='session')
def media() -> Path:
    """Return the folder of real pictures and videos, or skip."""
    return _folder('GVHMR_MEDIA', 'media')


@pytest.fixture(scope='session')
def toy_root(tmp_path_factory) -> Path:
    """Return a data root with a stand-in body and a few demo clips of every dataset; read only."""
    root = tmp_path_factory.mktemp('toy_root') / 'data'
    return generate_demo(root, size='toy', progress=False, preview=False)


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.fixture
def call(monkeypatch, capsys):
    """Call a tool with arguments and return its exit code, output and error output."""

    def _call(name, *arguments):
        monkeypatch.setattr(sys, 'argv', [name, *map(str, arguments)])
        with isolated_registry():
            try:
                code = load_tool(name).main() or 0
            except SystemExit as end:
                code = end.code
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return _call


@pytest.fixture
def packs(toy_root, tmp_path):
    """Return a copy of the toy data in which single files can be changed."""
    return Packs(toy_root, tmp_path / 'data')


@pytest.fixture
def forked_dask():
    """Let Dask fork its workers from what is imported already, or skip without Dask."""
    pytest.importorskip('distributed', reason='distributed is not installed')
    from dask import config

    method = 'forkserver' if start_fork_server() else 'spawn'
    with config.set({'distributed.worker.multiprocessing-method': method}):
        yield
