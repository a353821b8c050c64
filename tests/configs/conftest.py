"""Data of the mixed recipe."""

import pytest

from tests.datasets.mixed_packs import write_amass, write_h36m


@pytest.fixture(scope='session')
def mixed_root(toy_root, tmp_path_factory):
    """Return the toy data root with H36M and AMASS beside it; read only."""
    root = tmp_path_factory.mktemp('mixed') / 'data'
    root.mkdir()
    for entry in toy_root.iterdir():
        (root / entry.name).symlink_to(entry)
    write_h36m(root)
    write_amass(root)
    return root
