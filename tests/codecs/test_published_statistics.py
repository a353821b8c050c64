"""Statistics from a checkout of GVHMR that has the layout of the published file."""

import numpy as np
import pytest

from gvhmr_da_mm.codecs import MotionCodec
from gvhmr_da_mm.codecs.published_statistics import (
    STATISTICS_FILE,
    STATISTICS_NAME,
    read_published_statistics,
)
from gvhmr_da_mm.core.errors import DataError, MissingFilesError


def write(root, source):
    path = root / STATISTICS_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)
    return root


def composed(mean, std):
    """Tables of two sources, and a helper that joins parts of them."""
    sizes = dict(pose=126, betas=10, orient_c=6, orient_gv=6, velocity=3)
    tables, at = {}, 0
    for name, size in sizes.items():
        part = slice(at, at + size)
        tables[name] = dict(mean=mean[part].tolist(), std=std[part].tolist())
        at += size
    return f"""
import torch
FIRST = {tables!r}
SECOND = {dict(tables, pose=dict(mean=[7.0], std=[7.0]))!r}

def join(parts):
    out = {{'mean': [], 'std': []}}
    for table, name in parts:
        out['mean'] += table[name]['mean']
        out['std'] += table[name]['std']
    return out

{STATISTICS_NAME} = join([
    (FIRST, 'pose'), (FIRST, 'betas'), (SECOND, 'orient_c'), (SECOND, 'orient_gv'),
    (FIRST, 'velocity'),
])
"""


def test_composed_tables_are_read_exactly(tmp_path):
    rng = np.random.default_rng(0)
    mean, std = rng.normal(size=151), rng.uniform(0.1, 1, 151)
    found = read_published_statistics(write(tmp_path, composed(mean, std)))
    assert np.array_equal(found['mean'], mean) and np.array_equal(found['std'], std)
    assert MotionCodec(found).fitted


def test_no_checkout(tmp_path):
    with pytest.raises(MissingFilesError, match='stats_compose.py.*checkout.*--stats'):
        read_published_statistics(tmp_path)


@pytest.mark.parametrize(
    'source, expected',
    [
        ('OTHER = 1', f'should define `{STATISTICS_NAME}`'),
        (f'import torch\n{STATISTICS_NAME} = torch.load("x")', 'cannot be read without running'),
        (f'{STATISTICS_NAME} = [1, 2]', 'a dict with `mean` and `std`, got list'),
        (f'{STATISTICS_NAME} = dict(mean=[1.0] * 151)', r"got \['mean'\]"),
        (f'{STATISTICS_NAME} = dict(mean=[1.0] * 150, std=[1.0] * 151)', r'`mean`.*\(150,\)'),
        (f'{STATISTICS_NAME} = dict(mean=["a"] * 151, std=[1.0] * 151)', '`mean`.*151 numbers'),
    ],
)
def test_unusable_files_are_named(tmp_path, source, expected):
    with pytest.raises(DataError, match=expected) as error:
        read_published_statistics(write(tmp_path, source))
    assert '--stats FILE.npz' in str(error.value) and 'stats_compose.py' in str(error.value)
