import re
import sys
from pathlib import Path

import pytest

from gvhmr_da_mm.compat.requirements import REQUIREMENTS, in_range, version_tuple

FOLDER = Path(__file__).resolve().parents[2] / 'requirements'


def pins() -> dict:
    """Return what the requirement files pin, as they apply to this Python."""
    found = {}
    for file in FOLDER.glob('*.txt'):
        for line in file.read_text().splitlines():
            match = re.match(r'([\w.-]+)==([\w.]+)', line)
            if match and not (sys.version_info >= (3, 11) and 'python_version <' in line):
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
    names = {line.split('==')[0] for line in lines if '==' in line}
    assert names == {item.name for item in REQUIREMENTS if item.no_deps and item.role != 'full'}
