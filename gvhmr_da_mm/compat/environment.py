"""Inspection of installed packages: missing, wrong version, in conflict, or broken on import."""

import importlib
import platform
import sys
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Optional

from ..core.errors import InstallationError
from .requirements import (
    NO_DEPS_OPTIONS,
    PYTHON_RANGE,
    REQUIREMENTS,
    Requirement,
    in_range,
    install_command,
)

# Several distributions write the folder of these modules, so the last one installed replaces the
# others silently. So do those of OpenCV, but there equal versions are interchangeable.
_CONFLICTING_MODULES = ('mmengine', 'mmcv')
# The range that the generated code of both TensorBoard and MediaPipe supports.
PROTOBUF = Requirement('google.protobuf', ('protobuf',), '>=6.33,<7')


@dataclass(frozen=True)
class PackageState:
    """State of one installed package.

    Args:
        requirement (Requirement): The package.
        status (str): ``'ok'``, ``'missing'``, ``'wrong version'``, ``'conflict'`` or ``'broken'``.
        version (str, optional): The installed version. Defaults to None.
        detail (str): What is wrong, or which distribution provides the module. Defaults to ''.
        fix (str): The command that fixes it. Defaults to ''.
    """

    requirement: Requirement
    status: str
    version: Optional[str] = None
    detail: str = ''
    fix: str = ''

    @property
    def ok(self) -> bool:
        """Whether the package can be used."""
        return self.status == 'ok'


def inspect_package(requirement: Requirement, try_import: bool = True) -> PackageState:
    """Return the state of one package.

    Args:
        requirement (Requirement): The package.
        try_import (bool): Also import it; broken packages are found only this way. Defaults to
            True.
    """
    installed = {name: _installed_version(name) for name in requirement.distributions}
    installed = {name: version for name, version in installed.items() if version is not None}
    if not installed and not _is_there(requirement.module):
        return PackageState(requirement, 'missing', fix=requirement.fix())
    if not installed:  # as conda and Debian install OpenCV
        return _import_state(requirement, None, 'not installed by pip', try_import)

    found = ' and '.join(f'{name} {version}' for name, version in installed.items())
    differ = len(set(installed.values())) > 1
    conflict = differ or requirement.module in _CONFLICTING_MODULES
    if len(installed) > 1 and conflict and not requirement.separate:
        remove = f'{requirement.fix().split(" install ")[0]} uninstall -y {" ".join(installed)}'
        return PackageState(
            requirement,
            'conflict',
            detail=f'{found} both provide `{requirement.module}`',
            fix=f'{remove} && {requirement.fix()}',
        )

    name, version = next(iter(installed.items()))
    if not requirement.supports(version):
        expected = f'expected {requirement.version_range}, found {found}'
        return PackageState(requirement, 'wrong version', version, expected, requirement.fix())

    return _import_state(requirement, version, name, try_import)


def _import_state(
    requirement: Requirement, version: Optional[str], detail: str, try_import: bool
) -> PackageState:
    """Return the state of a package of a supported version: ``'ok'`` or ``'broken'``."""
    modules = requirement.uses or (requirement.module,)
    for module in modules if try_import and not requirement.data_only else ():
        error = _import_error(module)
        if error is not None:
            what = f'importing {module} fails: {type(error).__name__}: {error}'.splitlines()[0]
            return PackageState(requirement, 'broken', version, what, _fix_of(requirement, error))
    return PackageState(requirement, 'ok', version, detail)


def _fix_of(requirement: Requirement, error: Exception) -> str:
    """Return the command that fixes a package that cannot be imported.

    Empty if it lacks another of the packages, which has a fix of its own.
    """
    if 'protobuf' in str(error).lower() or 'runtime_version' in str(error):
        return install_command([PROTOBUF])
    lacks = isinstance(error, ModuleNotFoundError) and (error.name or '').partition('.')[0]
    if not lacks or lacks == requirement.module.partition('.')[0]:
        return requirement.fix(force=True)
    others = [item for item in REQUIREMENTS if item.module != requirement.module]
    if any(lacks in (item.module, *item.uses) for item in others):
        return ''
    return requirement.fix(force=requirement.no_deps)


def inspect_packages(
    requirements: Iterable[Requirement] = REQUIREMENTS, try_import: bool = True
) -> list[PackageState]:
    """Return the states of several packages; see :func:`inspect_package`."""
    return [inspect_package(requirement, try_import) for requirement in requirements]


def require_packages(requirements: Iterable[Requirement] = REQUIREMENTS) -> None:
    """Check the versions of Python and of the required packages, without importing any.

    Args:
        requirements (Iterable[Requirement]): Only those of role ``'required'`` are checked.

    Raises:
        InstallationError: Lists every problem and the commands that fix them.
    """
    problem = python_problem()
    if problem:
        raise InstallationError(problem)
    required = [requirement for requirement in requirements if requirement.role == 'required']
    problems = [state for state in inspect_packages(required, try_import=False) if _blocks(state)]
    if not problems:
        return
    lines = [f'{len(problems)} required package(s) cannot be used:']
    for state in problems:
        what = f'{state.status}: {state.detail}' if state.detail else state.status
        lines.append(f'  - {state.requirement.name}: {what}')
    lines += ['To fix it:', *(f'  {command}' for command in remedies(problems))]
    lines.append(f'`{sys.executable} {_report_script()}` checks all packages.')
    raise InstallationError('\n'.join(lines))


def python_problem() -> str:
    """Return why this Python is not supported and the remedy, or an empty string."""
    version = platform.python_version()
    if in_range(version, PYTHON_RANGE):
        return ''
    return (
        f'Python {version} is not supported, expected {PYTHON_RANGE}. Create an environment with '
        'another one, e.g. `python3.12 -m venv my_env`, and install into it (docs/en/install.md)'
    )


def remedies(states: Iterable[PackageState]) -> list[str]:
    """Return the commands that fix packages, in the order to run them; as few as possible.

    Args:
        states (Iterable[PackageState]): States of packages; those that are ok are ignored.
    """
    states = [state for state in states if state.fix]
    plain = [state for state in states if state.status in ('missing', 'wrong version')]
    commands = [state.fix for state in states if state not in plain]
    # `--no-deps` packages last: dependencies of the others may install another version of them.
    for no_deps in (False, True):
        same = [one.requirement for one in plain if one.requirement.no_deps == no_deps]
        if same:
            commands.append(install_command(same, NO_DEPS_OPTIONS if no_deps else []))
    return commands


def _blocks(state: PackageState) -> bool:
    """Return whether the package cannot work; OpenCV in several versions usually does."""
    conflict = state.status == 'conflict'
    harmless = conflict and state.requirement.module not in _CONFLICTING_MODULES
    return not state.ok and not harmless


def _report_script() -> Path:
    """Return the script that reports on the environment, of a checkout or of a wheel."""
    package = Path(__file__).resolve().parents[1]
    script = Path('tools', 'misc', 'collect_env.py')
    checkout = package.parent / script
    return checkout if checkout.exists() else package / '.mim' / script


def _is_there(module: str) -> bool:
    """Return whether a module can be found; the empty folder of a removed one does not count."""
    spec = PathFinder.find_spec(module)
    return spec is not None and spec.origin is not None


def _installed_version(distribution: str) -> Optional[str]:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _import_error(module: str) -> Optional[Exception]:
    """Return the error that importing the module raises, or None."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            importlib.import_module(module)
    except Exception as error:  # a broken extension may raise anything
        return error
    return None
