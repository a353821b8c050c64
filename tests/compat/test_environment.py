import sys

import pytest

from gvhmr_da_mm.compat import (
    Requirement,
    inspect_package,
    inspect_packages,
    remedies,
    require_packages,
)
from gvhmr_da_mm.compat.requirements import NO_DEPS_OPTIONS
from gvhmr_da_mm.core.errors import InstallationError


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
    assert state.fix.endswith(f'-m pip install {" ".join(NO_DEPS_OPTIONS)} "gv-two==1.5"')


def test_broken_on_import(install):
    install('gv-broken', '1.0', 'gv_broken', 'raise RuntimeError("operator does not exist")')
    requirement = Requirement('gv_broken', ('gv-broken',))
    state = inspect_package(requirement)
    assert state.status == 'broken'
    assert 'RuntimeError: operator does not exist' in state.detail
    assert '--force-reinstall' in state.fix
    assert inspect_package(requirement, try_import=False).ok


@pytest.mark.parametrize(
    'lacks, fix',
    [
        ('nothing_of_the_kind', '-m pip install "gv-broken==1.0"'),  # one of its own requirements
        (
            'gv_broken.part',
            f'-m pip install {" ".join(NO_DEPS_OPTIONS)} --force-reinstall "gv-broken==1.0"',
        ),
        ('mmdet.structures', None),  # has a row and a fix of its own
    ],
)
def test_broken_by_what_it_lacks(install, lacks, fix):
    error = f'raise ModuleNotFoundError("No module named {lacks}", name={lacks!r})'
    install('gv-broken', '1.0', 'gv_broken', error)
    state = inspect_package(Requirement('gv_broken', ('gv-broken',), pin='1.0'))
    assert state.status == 'broken' and f'No module named {lacks}' in state.detail
    assert state.fix == (f'{sys.executable} {fix}' if fix else '')
    assert bool(remedies([state])) is bool(fix)


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


def test_require_packages_lists_every_problem(install):
    install('gv-old', '0.1', 'gv_old')
    requirements = (
        Requirement('gv_old', ('gv-old',), '>=1.0'),
        Requirement('gv_gone', ('gv-gone',)),
        Requirement('gv_extra', ('gv-extra',), role='optional'),
    )
    with pytest.raises(InstallationError) as error:
        require_packages(requirements)
    message = str(error.value)
    assert '2 required package(s)' in message
    assert 'gv-old' in message and 'gv-gone' in message and 'gv-extra' not in message


def test_message_names_commands_that_fix_all(install):
    install('gv-old', '0.1', 'gv_old')
    install('gv-fork', '1.1', 'mmengine')
    install('gv-stock', '1.0')
    requirements = (
        Requirement('gv_one', ('gv-one',), pin='2.0', no_deps=True),
        Requirement('gv_old', ('gv-old',), '>=1.0'),
        Requirement('gv_two', ('gv-two',), beside=('gv-three>=3',)),
        Requirement('mmengine', ('gv-fork', 'gv-stock'), pin='1.1'),
    )
    with pytest.raises(InstallationError) as error:
        require_packages(requirements)
    pip = f'  {sys.executable} -m pip'
    commands = [line for line in str(error.value).splitlines() if line.startswith(pip)]
    assert commands == [
        f'{pip} uninstall -y gv-fork gv-stock && {pip[2:]} install "gv-fork==1.1"',
        f'{pip} install "gv-old>=1.0" "gv-two" "gv-three>=3"',
        f'{pip} install {" ".join(NO_DEPS_OPTIONS)} "gv-one==2.0"',
    ]


def test_copies_of_opencv_do_not_stop_anything(install):
    install('gv-headless', '4.1', 'gv_cv')
    install('gv-windows', '4.2')
    requirement = Requirement('gv_cv', ('gv-headless', 'gv-windows'))
    assert inspect_package(requirement).status == 'conflict'
    require_packages([requirement])


def test_packages_with_folders_of_their_own_may_both_be_there(install):
    install('gv-one', '1.1', 'gv_one')
    install('gv-two', '2.0')
    assert inspect_package(Requirement('gv_one', ('gv-one', 'gv-two'), separate=True)).ok


def test_package_of_another_installer(install, tmp_path):
    (tmp_path / 'gv_conda.py').touch()
    (tmp_path / 'gv_leftover').mkdir()
    state = inspect_package(Requirement('gv_conda', ('gv-conda',), '>=1.0'))
    assert state.ok and state.version is None
    assert inspect_package(Requirement('gv_leftover', ('gv-leftover',))).status == 'missing'


def test_what_is_used_is_tried(install):
    install('gv-board', '1.0', 'gv_board')
    install(
        'protobuf-user', '1.0', 'gv_writer', 'raise TypeError("downgrade the protobuf package")'
    )
    requirement = Requirement('gv_board', ('gv-board',), uses=('gv_board', 'gv_writer'))
    state = inspect_package(requirement)
    assert state.status == 'broken' and 'importing gv_writer fails' in state.detail
    assert state.fix.endswith('-m pip install "protobuf>=6.33,<7"')


@pytest.mark.parametrize('version', ['3.9.18', '3.14.0'])
def test_python_that_is_not_supported(version, monkeypatch):
    monkeypatch.setattr('platform.python_version', lambda: version)
    with pytest.raises(InstallationError, match=f'Python {version} is not supported.*-m venv'):
        require_packages()


def test_this_environment_is_supported():
    require_packages()
    assert [state.detail for state in inspect_packages() if state.status == 'broken'] == []
