"""Living with what is installed: MMPose without compiled operations, and checks of the packages."""

from .environment import PackageState, inspect_package, inspect_packages
from .mmpose_import import import_mmpose, mmpose_stand_ins
from .requirements import PYTHON_RANGE, REQUIREMENTS, Requirement

__all__ = [
    'PYTHON_RANGE',
    'REQUIREMENTS',
    'PackageState',
    'Requirement',
    'import_mmpose',
    'inspect_package',
    'inspect_packages',
    'mmpose_stand_ins',
]
