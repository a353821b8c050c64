import pytest

from gvhmr_da_mm.core.errors import DataError
from gvhmr_da_mm.demo.motions.subjects import SPLITS, Recording, split_by_subject


def recording(name, frames=100, walks=False):
    return Recording(name, frames, walks)


def people(dataset, count, frames=100, walks=False):
    return [
        recording(f'{dataset}/{person:02d}/{clip}', frames, walks)
        for person in range(count)
        for clip in 'ab'
    ]


def test_no_person_is_in_two_splits():
    recordings = [
        *people('CMU', 6, walks=True),
        *people('CMU', 12)[12:],
        *people('CMU_short', 3),  # The same people as the first of CMU.
        *people('SFU', 5),
    ]
    split = split_by_subject(recordings)
    assert list(split) == list(SPLITS)
    assert sorted(one.name for own in split.values() for one in own) == sorted(
        one.name for one in recordings
    )
    subjects = [{one.subject for one in own} for own in split.values()]
    assert sum(map(len, subjects)) == len(set.union(*subjects)) == 12


def test_people_walk_in_every_split():
    recordings = [*people('CMU', 9, frames=1000), *people('KIT', 3, frames=60, walks=True)]
    for index, one in enumerate(recordings):
        if one.dataset == 'KIT':
            person = int(one.subject) + 20
            recordings[index] = recording(f'KIT/{person}/{index}', 60, walks=True)
    split = split_by_subject(recordings)
    assert all(any(one.walks for one in own) for own in split.values())


def test_splits_have_their_shares():
    recordings = [
        recording(f'CMU/{person}/a', 50 + person, walks=person < 30) for person in range(80)
    ]
    total = sum(one.frames for one in recordings)
    for name, own in split_by_subject(recordings).items():
        assert sum(one.frames for one in own) / total == pytest.approx(SPLITS[name], abs=0.03)


def test_too_few_people_walk():
    recordings = [*people('CMU', 9), *people('CMU', 2, walks=True)]
    with pytest.raises(DataError, match='at least 3 people who walk.*got 2 among 9'):
        split_by_subject(recordings)
