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


def test_tables_and_entries_may_be_listed_apart(tmp_path):
    mean, std = np.arange(151.0), np.ones(151)
    source = composed(mean, std)
    tables = source[: source.index(STATISTICS_NAME)]
    entries = ('pose', 'betas', 'orient_c', 'orient_gv', 'velocity')
    lists = f'tables=[FIRST, FIRST, SECOND, SECOND, FIRST], entries={list(entries)}'
    found = read_published_statistics(
        write(tmp_path, f'{tables}{STATISTICS_NAME} = join({lists})\nOTHER = join(nothing)')
    )
    assert np.array_equal(found['mean'], mean) and np.array_equal(found['std'], std)


NUMBERS = [1.0] * 151


@pytest.mark.parametrize(
    'source, expected',
    [
        ('OTHER = 1', "the file does not define it, but.*'OTHER'"),
        (f'{STATISTICS_NAME} = [', 'was never closed'),
        (f'import torch\n{STATISTICS_NAME} = torch.load("x")', 'cannot be read without running'),
        (f'{STATISTICS_NAME} = [1, 2]', 'cannot be read'),
        (f'{STATISTICS_NAME} = {dict(mean=NUMBERS)}', "there is no 'std'"),
        (f'{STATISTICS_NAME} = {dict(mean=NUMBERS[1:], std=NUMBERS)}', r'`mean`.*\[151\].*\[150\]'),
        (f'{STATISTICS_NAME} = {dict(mean=["a"] * 151, std=NUMBERS)}', '`mean`.*151 numbers'),
        (
            f'{STATISTICS_NAME} = {dict(mean=["1e999"] * 151, std=NUMBERS)}'.replace(
                "'1e999'", '1e999'
            ),
            'finite',
        ),
        ('A = {}\nA["mean"] = [1.0]', 'line 2: `Assign` may change'),
        (
            f'{STATISTICS_NAME} = {dict(mean=NUMBERS, std=NUMBERS)}\n{STATISTICS_NAME}.clear()',
            'line 2',
        ),
    ],
)
def test_unusable_files_are_named(tmp_path, source, expected):
    with pytest.raises(DataError, match=expected) as error:
        read_published_statistics(write(tmp_path, source))
    assert '--stats FILE.npz' in str(error.value) and 'stats_compose.py' in str(error.value)


def test_parts_in_another_order_are_refused(tmp_path):
    source = composed(np.arange(151.0), np.ones(151))
    source = source.replace(
        "(FIRST, 'pose'), (FIRST, 'betas')", "(FIRST, 'betas'), (FIRST, 'pose')"
    )
    with pytest.raises(DataError, match=r'should have \[126, 10, 6, 6, 3\] numbers, got \[10, 126'):
        read_published_statistics(write(tmp_path, source))


@pytest.mark.parametrize(
    'attack',
    [
        '__import__("pathlib").Path({path!r}).touch()',
        'open({path!r}, "w")',
        'join([open({path!r}, "w")])',
        'eval("open({path!r}, \'w\')")',
        '[].__class__.__base__.__subclasses__()',
        '(lambda: open({path!r}, "w"))()',
        '[0] * 10**12',
        '-' * 5000 + '1',
    ],
)
def test_nothing_is_run(tmp_path, attack):
    marker = tmp_path / 'marker'
    source = f'{STATISTICS_NAME} = {attack.format(path=str(marker))}'
    with pytest.raises(DataError, match=f'`{STATISTICS_NAME}` cannot be read'):
        read_published_statistics(write(tmp_path, source))
    assert not marker.exists()
