"""Requirements: packages, their supported versions, and the commands that install them.

Standard library only: the environment report has to run where nothing is installed yet.
"""

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Optional

PYTHON_RANGE = '>=3.10,<3.14'
PYTHON = sys.version_info[:2]
# mannequin-x contains only data but declares Python 3.11.
NO_DEPS_OPTIONS = ['--no-deps', *(['--ignore-requires-python'] if PYTHON < (3, 11) else [])]

_OPERATORS = {
    '>=': lambda have, want: have >= want,
    '<': lambda have, want: have < want,
    '==': lambda have, want: have == want,
}


def version_tuple(version: str) -> tuple[int, ...]:
    """Return the leading numbers of a version, e.g. ``(2, 13, 0)`` of ``2.13.0+cpu``."""
    match = re.match(r'\d+(\.\d+)*', version)
    return tuple(int(part) for part in match.group().split('.')) if match else ()


def in_range(version: str, version_range: str) -> bool:
    """Return whether a version is in a range such as ``>=1.23,<2`` (``>=``, ``<`` and ``==``)."""
    have = version_tuple(version)
    for clause in filter(None, version_range.split(',')):
        operator, wanted = re.match(r'(>=|<|==)(.+)', clause.strip()).groups()
        want = version_tuple(wanted)
        width = max(len(have), len(want))
        padded = [numbers + (0,) * (width - len(numbers)) for numbers in (have, want)]
        if not _OPERATORS[operator](*padded):
            return False
    return True


@dataclass(frozen=True)
class Requirement:
    """One package.

    Args:
        module (str): The name to import.
        distributions (tuple[str, ...]): The names it is published under; the pip-only installation
            uses the first one.
        version_range (str): Supported versions, e.g. ``'>=1.23,<2'``; empty for any.
        pin (str, optional): The version that the tests run with. Defaults to None.
        role (str): ``'required'``, ``'optional'`` or ``'full'`` (only in the full MMPose
            environment). Defaults to ``'required'``.
        uses (tuple[str, ...]): Its modules that are used; the check imports them. Defaults to the
            module itself.
        separate (bool): Its distributions write separate folders, so that several can be
            installed. Defaults to False.
        beside (tuple[str, ...]): Those of its own requirements to install with it. Defaults to
            none.
        no_deps (bool): Install with ``--no-deps``, because its own requirements would overwrite
            pinned packages or cannot be built. Defaults to False.
        data_only (bool): Only its files are used; it is never imported. Defaults to False.
        purpose (str): Its use, in a few words. Defaults to ''.
    """

    module: str
    distributions: tuple[str, ...]
    version_range: str = ''
    pin: Optional[str] = None
    role: str = 'required'
    uses: tuple[str, ...] = ()
    separate: bool = False
    beside: tuple[str, ...] = ()
    no_deps: bool = False
    data_only: bool = False
    purpose: str = ''

    @property
    def name(self) -> str:
        """The distribution that the pip-only installation uses."""
        return self.distributions[0]

    def supports(self, version: str) -> bool:
        """Return whether this version of the package is supported."""
        return in_range(version, self.version_range)

    def fix(self, force: bool = False) -> str:
        """Return the command that installs the right version.

        Args:
            force (bool): Reinstall even if the version is right already. Defaults to False.
        """
        options = list(NO_DEPS_OPTIONS) if self.no_deps or force else []
        options += ['--force-reinstall'] if force else []
        return install_command([self], options)


def install_command(requirements: Iterable[Requirement], options: Iterable[str] = ()) -> str:
    """Return the command that installs the tested or supported version of packages."""
    wanted = []
    for item in requirements:
        wanted.append(f'{item.name}=={item.pin}' if item.pin else item.name + item.version_range)
        wanted += item.beside
    return ' '.join([sys.executable, '-m pip install', *options, *(f'"{one}"' for one in wanted)])


def _optional(*args, **kwargs) -> Requirement:
    return Requirement(*args, role='optional', **kwargs)


def _full(*args, **kwargs) -> Requirement:
    return Requirement(*args, role='full', **kwargs)


_OPENCV = (
    'opencv-python-headless',
    'opencv-python',
    'opencv-contrib-python',
    'opencv-contrib-python-headless',
)
# Wheels of xtcocotools exist up to Python 3.11 and need NumPy 1.
_NUMPY = '1.26.4' if PYTHON < (3, 12) else '2.4.6'
_SCIPY = '1.15.3' if PYTHON < (3, 11) else '1.17.1'
# Wheels before 1.0 contain the pose models; later ones need a model file.
_MEDIAPIPE = '0.10.21' if PYTHON < (3, 13) else '1.2.3'
_POSES = 'mediapipe.python.solutions.pose' if PYTHON < (3, 13) else 'mediapipe.tasks.python.vision'
REQUIREMENTS = (
    Requirement('torch', ('torch',), '>=2.3', '2.13.0', purpose='tensors'),
    Requirement('numpy', ('numpy',), '>=1.24,<3', _NUMPY, purpose='arrays'),
    Requirement('scipy', ('scipy',), '>=1.9', _SCIPY, purpose='sparse matrices, splines'),
    Requirement('roma', ('roma',), '>=1.5', '1.8.0', purpose='rotations'),
    Requirement('rich', ('rich',), '>=10', purpose='tables and progress'),
    Requirement('matplotlib', ('matplotlib',), '>=3.5', '3.10.9', purpose='drawing'),
    Requirement('PIL', ('pillow',), purpose='images'),
    Requirement('cv2', _OPENCV, '>=4.5', '4.11.0.86', purpose='images, video'),
    Requirement(
        'mmengine',
        ('onedl-mmengine', 'mmengine'),
        '>=0.10.4,<1',
        '0.10.12',
        purpose='Runner, registries, configs',
    ),
    Requirement(
        'mmcv', ('mmcv-lite', 'mmcv'), '>=2.0.1,<2.2', '2.1.0', no_deps=True, purpose='for MMPose'
    ),
    Requirement('mmpose', ('mmpose',), '>=1.3,<2', '1.3.2', no_deps=True, purpose='base classes'),
    # pycocotools replaces it where it is missing; see `provide_xtcocotools`.
    Requirement(
        'xtcocotools',
        ('pycocotools', 'xtcocotools'),
        '>=1.12',
        '2.0.11',
        uses=('xtcocotools.cocoeval', 'xtcocotools.mask'),
        separate=True,
        purpose='for MMPose',
    ),
    Requirement('munkres', ('munkres',), '>=1.1', '1.1.4', purpose='for MMPose'),
    Requirement('six', ('six',), pin='1.17.0', purpose='for MMPose'),
    _optional('smplx', ('smplx',), '>=0.1.28', '0.1.28', no_deps=True, purpose='reference body'),
    _optional(
        'mannequin',
        ('mannequin-x',),
        pin='0.3.0',
        no_deps=True,
        data_only=True,
        purpose='mesh of the demo body',
    ),
    _optional(
        'mediapipe',
        ('mediapipe',),
        '>=0.10',
        _MEDIAPIPE,
        uses=(_POSES,),
        beside=('absl-py>=2.3', 'attrs>=19.1', 'flatbuffers>=25.9', 'protobuf>=6.33,<7'),
        no_deps=True,
        purpose='keypoints of videos',
    ),
    _optional(
        'tensorboard',
        ('tensorboard',),
        pin='2.20.0',
        uses=('torch.utils.tensorboard',),
        purpose='TensorBoard curves',
    ),
    # With their dependencies, unlike mim.
    _optional(
        'modelindex',
        ('model-index',),
        pin='0.1.11',
        uses=('modelindex', 'click', 'colorama', 'pandas', 'requests', 'tabulate'),
        beside=(
            'click>=8,<9',
            'colorama>=0.4.6',
            'pandas>=2,<4',
            'requests>=2.31',
            'tabulate>=0.9',
        ),
        purpose='for mim',
    ),
    _optional(
        'distributed',
        ('distributed',),
        '>=2024.1',
        '2026.8.0',
        purpose='conversion on a cluster',
    ),
    _optional('mim', ('openmim',), '>=0.3.9', '0.3.9', no_deps=True, purpose='mim train/test'),
    _optional('pkg_resources', ('setuptools',), '<81', '80.10.2', purpose='for mim'),
    _full('torchvision', ('torchvision',), purpose='the whole of MMPose'),
    _full('mmdet', ('mmdet',), '>=3.0,<3.4', '3.2.0', no_deps=True, purpose='the whole of MMPose'),
)
