import sys
from importlib import metadata

import pytest

from gvhmr_da_mm.compat import Requirement, inspect_package, inspect_packages
from gvhmr_da_mm.compat.requirements import REQUIREMENTS


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Return a function that 'installs' a distribution with one module."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def make(distribution, version, module=None, content=''):
        info = tmp_path / f'{distribution.replace("-", "_")}-{version}.dist-info'
        info.mkdir()
        (info / 'METADATA').write_text(f'Name: {distribution}\nVersion: {version}\n')
        if module:
            (tmp_path / f'{module}.py').write_text(content)
            monkeypatch.delitem(sys.modules, module, raising=False)

    return make


def test_ok(install):
    install('gv-one', '1.2.0', 'gv_one')
    state = inspect_package(Requirement('gv_one', ('gv-one',), '>=1.0,<2'))
    assert (state.status, state.version, state.fix) == ('ok', '1.2.0', '')


def test_missing():
    state = inspect_package(Requirement('gv_none', ('gv-none',), '>=1.0,<2'))
    assert state.status == 'missing'
    assert state.fix == f'{sys.executable} -m pip install "gv-none>=1.0,<2"'


def test_wrong_version(install):
    install('gv-two', '2.0.1', 'gv_two')
    requirement = Requirement('gv_two', ('gv-two',), '>=1.0,<2', pin='1.5', no_deps=True)
    state = inspect_package(requirement)
    assert state.status == 'wrong version'
    assert 'expected >=1.0,<2' in state.detail and '2.0.1' in state.detail
    assert state.fix.endswith('-m pip install --no-deps "gv-two==1.5"')


def test_broken_on_import(install):
    install('gv-broken', '1.0', 'gv_broken', 'raise RuntimeError("operator does not exist")')
    requirement = Requirement('gv_broken', ('gv-broken',))
    state = inspect_package(requirement)
    assert state.status == 'broken'
    assert 'RuntimeError: operator does not exist' in state.detail
    assert '--force-reinstall' in state.fix
    assert inspect_package(requirement, try_import=False).ok


def test_data_packages_are_not_imported(install):
    install('gv-data', '1.0', 'gv_data', 'raise RuntimeError("not to be imported")')
    assert inspect_package(Requirement('gv_data', ('gv-data',), data_only=True)).ok


def test_two_distributions_of_one_module(install):
    install('gv-fork', '1.1', 'gv_clash')
    install('gv-stock', '1.0')
    state = inspect_package(Requirement('gv_clash', ('gv-fork', 'gv-stock'), pin='1.1'))
    assert state.status == 'conflict'
    assert 'uninstall -y gv-fork gv-stock &&' in state.fix
    assert state.fix.endswith('install "gv-fork==1.1"')


def test_this_environment_is_supported():
    required = [requirement for requirement in REQUIREMENTS if requirement.role == 'required']
    assert required and all(state.ok for state in inspect_packages(required, try_import=False))
    assert metadata.version('numpy').startswith('1.')
