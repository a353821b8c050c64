import re
from pathlib import Path

import pytest
from packaging.markers import Marker

from gvhmr_da_mm.compat.requirements import PYTHON_RANGE, REQUIREMENTS, in_range, version_tuple

FOLDER = Path(__file__).resolve().parents[2] / 'requirements'


def pins() -> dict:
    """Return what the requirement files pin, as they apply to this Python."""
    found = {}
    for file in FOLDER.glob('*.txt'):
        for line in file.read_text().splitlines():
            name, _, marker = line.partition(';')
            match = re.match(r'([\w.-]+)==([\w.]+)', name)
            if match and (not marker or Marker(marker).evaluate()):
                found[match.group(1)] = match.group(2)
    return found


@pytest.mark.parametrize(
    'version, version_range, expected',
    [
        ('2.13.0+cpu', '>=2.0', True),
        ('2.0', '>=2.0.0', True),
        ('1.26.4', '>=1.23,<2', True),
        ('2.0.0', '>=1.23,<2', False),
        ('3.10.1', '>=3.5,<3.10', False),
        ('3.9.4', '>=3.5,<3.10', True),
        ('0.9', '==0.9.0', True),
        ('0.10.0rc1', '<0.11', True),
        ('5', '', True),
    ],
)
def test_in_range(version, version_range, expected):
    assert in_range(version, version_range) is expected


def test_version_tuple_of_nonsense():
    assert version_tuple('unknown') == ()


@pytest.mark.parametrize('requirement', REQUIREMENTS, ids=lambda requirement: requirement.module)
def test_pins_are_those_of_the_requirement_files(requirement):
    pinned = pins().get(requirement.name)
    if requirement.role == 'full':
        assert pinned is None
    elif requirement.pin:
        assert pinned == requirement.pin
    if pinned:
        assert requirement.supports(pinned)


def test_what_is_installed_without_dependencies():
    lines = (FOLDER / 'mminstall_nodeps.txt').read_text().splitlines()
    lines = [line.partition(';') for line in lines if '==' in line]
    names = {
        name.split('==')[0] for name, _, marker in lines if not marker or Marker(marker).evaluate()
    }
    without = {item.name for item in REQUIREMENTS if item.no_deps and item.role != 'full'}
    assert names == without - {'mediapipe'}


def test_mediapipe_is_installed_as_its_file_says():
    lines = (FOLDER / 'mediapipe.txt').read_text().splitlines()
    plain = [line for line in lines if line[0] != '#' and not line.startswith('mediapipe')]
    requirement = next(item for item in REQUIREMENTS if item.module == 'mediapipe')
    assert list(requirement.beside) == plain
    assert set(requirement.beside) <= {wanted.strip('"') for wanted in requirement.fix().split()}


def test_what_mim_uses_is_installed_with_its_dependencies():
    lines = [line for line in (FOLDER / 'optional.txt').read_text().splitlines() if line[0] != '#']
    requirement = next(item for item in REQUIREMENTS if item.module == 'modelindex')
    rows = {'model-index==0.1.11', 'tensorboard==2.20.0', 'setuptools<81'}  # with rows of their own
    assert set(lines) == rows | set(requirement.beside)
    assert not requirement.no_deps


@pytest.mark.parametrize(
    'module, version, supported',
    [
        ('numpy', '1.22.4', False),
        ('numpy', '1.26.4', True),
        ('numpy', '2.4.6', True),
        ('numpy', '3.0.0', False),
        ('torch', '1.13.1', False),
        ('torch', '2.2.2', False),  # The fork of MMEngine imports `torch.amp.GradScaler`.
        ('torch', '2.15.0', True),
        ('matplotlib', '3.11.2', True),
        ('xtcocotools', '1.14.3', True),
    ],
)
def test_supported_versions(module, version, supported):
    requirement = next(item for item in REQUIREMENTS if item.module == module)
    assert requirement.supports(version) is supported


def test_ranges_are_those_that_pip_reads():
    ranges = {item.name: item.version_range for item in REQUIREMENTS}
    for line in (FOLDER / 'runtime.txt').read_text().splitlines():
        match = re.match(r'([\w-]+)(>=.*)', line)
        if match and match.group(1) != 'pycocotools':
            assert ranges[match.group(1)] == match.group(2)
    setup = (FOLDER.parent / 'setup.py').read_text()
    assert f"python_requires='{PYTHON_RANGE}'" in setup
