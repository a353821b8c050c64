"""Build and install; see docs/en/install.md, or run ``make venv``."""

import os
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
PACKAGE = 'gvhmr_da_mm'
# What `mim train|test|run|search` look for in `<package>/.mim`.
MIM_CONTENT = ('configs', 'tools', 'model-index.yml', 'dataset-index.yml')
# What is added to the package, and where: `read_base` looks for `<package>.configs.NAME` there.
ADDED = {**{f'.mim/{name}': name for name in MIM_CONTENT}, 'configs': 'configs'}


def read_version() -> str:
    """Read the version without importing the package, which needs torch."""
    scope: dict = {}
    exec((ROOT / PACKAGE / 'version.py').read_text(encoding='utf-8'), scope)
    return scope['__version__']


def read_requirements(name: str) -> list:
    """Read ``requirements/<name>.txt``, without comments."""
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text(encoding='utf-8').splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith('#')]


def read_readme() -> str:
    """Read the long description, if it is there."""
    readme = ROOT / 'README.md'
    return readme.read_text(encoding='utf-8') if readme.exists() else ''


class BuildWithConfigs(build_py):
    """Give the package ``.mim`` and ``configs``: links when editable, copies in a wheel."""

    def run(self) -> None:
        """Build as usual, then add both folders."""
        super().run()
        editable = getattr(self, 'editable_mode', False)
        base = ROOT if editable else Path(self.build_lib).resolve()
        package = base / PACKAGE
        for name in ('.mim', 'configs'):
            self._remove(package / name)
        (package / '.mim').mkdir(parents=True)
        for target, name in ADDED.items():
            if not (ROOT / name).exists():
                continue
            if not (editable and self._link(ROOT / name, package / target)):
                self._copy(ROOT / name, package / target)

    @staticmethod
    def _remove(folder: Path) -> None:
        """Remove what an earlier build added; a link only, not the folder it points to."""
        if folder.is_symlink():
            folder.unlink()
        elif folder.exists():
            shutil.rmtree(folder)

    @staticmethod
    def _link(source: Path, target: Path) -> bool:
        """Link relatively, so that the checkout can be moved; say whether it could be done."""
        try:
            target.symlink_to(os.path.relpath(source, target.parent), source.is_dir())
        except OSError:  # Windows without the privilege to link
            return False
        return True

    @staticmethod
    def _copy(source: Path, target: Path) -> None:
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns('__pycache__', '*.pyc'))
        else:
            shutil.copy2(source, target)


setup(
    name=PACKAGE,
    version=read_version(),
    description='GVHMR with domain adaptation for MMPose: world-grounded human motion from video',
    long_description=read_readme(),
    long_description_content_type='text/markdown',
    author='GVHMR-DA-MM Contributors',
    license='Apache-2.0',
    license_files=['LICENSE', f'{PACKAGE}/demo/motions/NOTICE'],
    keywords='computer vision, human motion recovery, domain adaptation, MMPose, SMPL',
    classifiers=[
        'Development Status :: 4 - Beta',
        'Intended Audience :: Science/Research',
        'Operating System :: OS Independent',
        'Programming Language :: Python :: 3',
        'Programming Language :: Python :: 3.10',
        'Programming Language :: Python :: 3.11',
        'Programming Language :: Python :: 3.12',
        'Programming Language :: Python :: 3.13',
        'Topic :: Scientific/Engineering :: Artificial Intelligence',
    ],
    packages=find_packages(include=[PACKAGE, f'{PACKAGE}.*']),
    package_data={
        PACKAGE: ['py.typed', 'demo/motions/*', 'visualization/templates/*', 'weights/*'],
    },
    include_package_data=False,
    python_requires='>=3.10,<3.14',
    install_requires=read_requirements('runtime'),
    extras_require={
        'optional': read_requirements('optional'),
        'dask': read_requirements('dask'),
        'tests': read_requirements('tests'),
    },
    cmdclass={'build_py': BuildWithConfigs},
    zip_safe=False,
)
