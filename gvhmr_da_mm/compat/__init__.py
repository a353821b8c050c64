"""Compatibility with installed packages: version checks, MMPose without compiled operations."""

from .environment import (
    PackageState,
    inspect_package,
    inspect_packages,
    python_problem,
    remedies,
    require_packages,
)
from .mmpose_import import import_mmpose, mmpose_stand_ins
from .requirements import REQUIREMENTS, Requirement
from .xtcocotools_import import provide_xtcocotools

__all__ = [
    'REQUIREMENTS',
    'PackageState',
    'Requirement',
    'import_mmpose',
    'inspect_package',
    'inspect_packages',
    'mmpose_stand_ins',
    'provide_xtcocotools',
    'python_problem',
    'remedies',
    'require_packages',
]
