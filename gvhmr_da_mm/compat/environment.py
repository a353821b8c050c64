"""Look at the installed packages: absent, of a wrong version, in conflict, or broken on import."""

import importlib
import platform
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata
from importlib.machinery import PathFinder
from typing import Optional

from ..core.errors import InstallationError
from .requirements import (
    NO_DEPS,
    PYTHON_RANGE,
    REQUIREMENTS,
    Requirement,
    in_range,
    install_command,
)

# Several distributions write these modules' folders: the last one installed wins, silently. Those
# of OpenCV do so too, but are alike when their versions are.
_CLASHES = ('mmengine', 'mmcv')
# What generated code of TensorBoard and MediaPipe both work with.
PROTOBUF = Requirement('google.protobuf', ('protobuf',), '>=6.33,<7')


@dataclass(frozen=True)
class PackageState:
    """What was found of one package.

    Args:
        requirement (Requirement): What was looked for.
        status (str): ``'ok'``, ``'missing'``, ``'wrong version'``, ``'conflict'`` or ``'broken'``.
        version (str, optional): The installed version. Defaults to None.
        detail (str): What is wrong, or which distribution provides the module. Defaults to ''.
        fix (str): The command that mends it. Defaults to ''.
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
    """Look at one package.

    Args:
        requirement (Requirement): The package.
        try_import (bool): Import it too, which alone finds broken ones. Defaults to True.

    Returns:
        PackageState: What was found, with the command that mends it.
    """
    installed = {name: _installed_version(name) for name in requirement.distributions}
    installed = {name: version for name, version in installed.items() if version is not None}
    if not installed and not _is_there(requirement.module):
        return PackageState(requirement, 'missing', fix=requirement.fix())
    if not installed:  # as conda and Debian install OpenCV
        return _tried(requirement, None, 'not installed by pip', try_import)

    found = ' and '.join(f'{name} {version}' for name, version in installed.items())
    differ = len(set(installed.values())) > 1
    clash = differ or requirement.module in _CLASHES
    if len(installed) > 1 and clash and not requirement.separate:
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

    return _tried(requirement, version, name, try_import)


def _tried(
    requirement: Requirement, version: Optional[str], detail: str, try_import: bool
) -> PackageState:
    """Return the state of a package whose version is right: whether it can be imported."""
    modules = requirement.uses or (requirement.module,)
    for module in modules if try_import and not requirement.data_only else ():
        error = _import_error(module)
        if error is not None:
            what = f'importing {module} fails: {error}'
            return PackageState(requirement, 'broken', version, what, _fix_of(requirement, error))
    return PackageState(requirement, 'ok', version, detail)


def _fix_of(requirement: Requirement, error: str) -> str:
    """Return the command that mends what cannot be imported."""
    if 'protobuf' in error.lower() or 'runtime_version' in error:
        return install_command([PROTOBUF])
    return requirement.fix(force=True)


def inspect_packages(
    requirements: Iterable[Requirement] = REQUIREMENTS, try_import: bool = True
) -> list[PackageState]:
    """Look at several packages; see :func:`inspect_package`."""
    return [inspect_package(requirement, try_import) for requirement in requirements]


def require_packages(requirements: Iterable[Requirement] = REQUIREMENTS) -> None:
    """Check Python and that what is required is installed in a supported version.

    Nothing is imported.

    Args:
        requirements (Iterable[Requirement]): Only those of role ``'required'`` are checked.

    Raises:
        InstallationError: One error that lists every problem and the commands that mend all.
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
    lines += ['To mend it:', *(f'  {command}' for command in remedies(problems))]
    lines.append('`collect_env.py` looks at everything; docs/en/install.md tells more.')
    raise InstallationError('\n'.join(lines))


def python_problem() -> str:
    """Return why this Python is not supported and what to do, or an empty string."""
    version = platform.python_version()
    if in_range(version, PYTHON_RANGE):
        return ''
    return (
        f'Python {version} is not supported, expected {PYTHON_RANGE}. Make an environment with '
        'another one, e.g. `python3.12 -m venv my_env`, and install into it (docs/en/install.md)'
    )


def remedies(states: Iterable[PackageState]) -> list[str]:
    """Return the commands that mend packages, in their order: what can be is one command.

    Args:
        states (Iterable[PackageState]): What was found; those that are ok are left out.
    """
    states = [state for state in states if state.fix]
    plain = [state for state in states if state.status in ('missing', 'wrong version')]
    commands = [state.fix for state in states if state not in plain]
    # Those with dependencies first: a dependency may bring another version of one without.
    for no_deps in (False, True):
        same = [one.requirement for one in plain if one.requirement.no_deps == no_deps]
        if same:
            commands.append(install_command(same, NO_DEPS if no_deps else []))
    return commands


def _blocks(state: PackageState) -> bool:
    """Say whether nothing works; copies of OpenCV in different versions often do."""
    harmless = state.status == 'conflict' and state.requirement.module not in _CLASHES
    return not state.ok and not harmless


def _is_there(module: str) -> bool:
    """Say whether a module could be imported; a folder that was left behind could not."""
    spec = PathFinder.find_spec(module)
    return spec is not None and spec.origin is not None


def _installed_version(distribution: str) -> Optional[str]:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _import_error(module: str) -> Optional[str]:
    """Return the last line of what importing the module raises, or None."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            importlib.import_module(module)
    except Exception as error:  # a broken extension may raise anything
        return f'{type(error).__name__}: {error}'.splitlines()[0]
    return None
