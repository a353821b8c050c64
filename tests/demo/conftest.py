"""One toy demo and one set of bodies for all tests of this folder."""

from importlib.util import find_spec

import pytest

from gvhmr_da_mm.demo import DomainShift, generate_demo
from gvhmr_da_mm.demo.body import StandInBody
from gvhmr_da_mm.demo.studio import Studio


@pytest.fixture(scope='session', autouse=True)
def _mannequin():
    if find_spec('mannequin') is None:
        pytest.skip('the package mannequin-x (mesh of the demo bodies) is not installed')


@pytest.fixture(scope='session')
def demo_root(_mannequin, tmp_path_factory):
    root = tmp_path_factory.mktemp('demo') / 'toy'
    return generate_demo(root, seed=3, size='toy', progress=False)


@pytest.fixture(scope='session')
def body(_mannequin):
    return StandInBody()


@pytest.fixture(scope='session')
def studio(body):
    return Studio(seed=3, shift=DomainShift.of(1.0), body=body)
