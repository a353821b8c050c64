"""Look at the installed packages: absent, of a wrong version, in conflict, or broken on import."""

import importlib
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata
from typing import Optional

from .requirements import REQUIREMENTS, Requirement

# Several distributions write these modules' folders: the last one installed wins, silently. Those
# of OpenCV do so too, but are alike when their versions are.
_CLASHES = ('mmengine', 'mmcv')


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
    if not installed:
        return PackageState(requirement, 'missing', fix=requirement.fix())

    found = ' and '.join(f'{name} {version}' for name, version in installed.items())
    differ = len(set(installed.values())) > 1
    if len(installed) > 1 and (differ or requirement.module in _CLASHES):
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

    try_import = try_import and not requirement.data_only
    error = _import_error(requirement.module) if try_import else None
    if error is not None:
        fix = requirement.fix(force=True)
        return PackageState(requirement, 'broken', version, f'import fails: {error}', fix)
    return PackageState(requirement, 'ok', version, name)


def inspect_packages(
    requirements: Iterable[Requirement] = REQUIREMENTS, try_import: bool = True
) -> list[PackageState]:
    """Look at several packages; see :func:`inspect_package`."""
    return [inspect_package(requirement, try_import) for requirement in requirements]


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
