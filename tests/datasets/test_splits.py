import pytest

from gvhmr_da_mm.datasets.splits import (
    EMDB1_PREFIXES,
    EMDB2_PREFIXES,
    emdb_splits,
    holdout,
)


def test_emdb_parts_have_the_published_sizes_and_share_three():
    assert (len(EMDB1_PREFIXES), len(EMDB2_PREFIXES)) == (17, 25)
    assert len(set(EMDB1_PREFIXES) & set(EMDB2_PREFIXES)) == 3


def test_emdb_training_sequences_are_in_neither_part():
    names = ['P1_14_x', 'P0_00_a', 'P6_49_y', 'P0_09_z']
    expected = [('emdb1',), ('train',), ('emdb1', 'emdb2'), ('emdb2',)]
    assert list(map(emdb_splits, names)) == expected


def chosen(names, groups, subset, every):
    return [n for n, is_chosen in zip(names, holdout(groups, subset, every)) if is_chosen]


@pytest.mark.parametrize('videos', [2, 3, 7, 20])
def test_holdout_parts_are_disjoint_complete_and_keep_videos_together(videos):
    names = [f'v{video:02d}_{person}' for video in range(videos) for person in range(2)]
    groups = [name[:3] for name in names]
    fit, val = (chosen(names, groups, subset, 4) for subset in ('fit', 'val'))
    assert fit and val
    assert sorted(fit + val) == names == chosen(names, groups, 'all', 4)
    assert not {name[:3] for name in fit} & {name[:3] for name in val}


def test_holdout_does_not_depend_on_the_order_of_names():
    names = ['b', 'a', 'd', 'c']
    reverse = names[::-1]
    assert set(chosen(names, names, 'val', 2)) == set(chosen(reverse, reverse, 'val', 2))
