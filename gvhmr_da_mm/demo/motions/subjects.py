"""Split of recorded people into those of the synthetic clips, unlabelled clips and test clips."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from gvhmr_da_mm.core.errors import DataError

SPLITS: Mapping[str, float] = {'synthetic': 0.5, 'unlabelled': 0.375, 'test': 0.125}
"""Shares of the clips of a demo, and of the recorded time, of people whom no other split has."""


@dataclass(frozen=True)
class Recording:
    """Recording of one person.

    Args:
        name (str): Path below the folder, without the suffix: ``CMU/35/35_01_stageii``.
        frames (int): Length at 30 frames per second.
        walks (bool): Whether the person walks most of the time.
    """

    name: str
    frames: int
    walks: bool

    @property
    def subject(self) -> str:
        """Name of the person: that of the folder, which two data sets may share."""
        return PurePosixPath(self.name).parent.name

    @property
    def dataset(self) -> str:
        """Name of the topmost folder."""
        return PurePosixPath(self.name).parts[0]


def split_by_subject(recordings: Iterable[Recording]) -> dict[str, list[Recording]]:
    """Give every person to one split, so that people walk in all of them.

    People who walk, and then those of each data set, are dealt out in the order of their recorded
    time: one to each split, and then to the split that lacks most of its share.

    Args:
        recordings (Iterable[Recording]): All recordings.

    Returns:
        dict[str, list[Recording]]: The recordings of each of ``SPLITS``.

    Raises:
        DataError: If fewer people walk than there are splits.
    """
    people: dict[str, list[Recording]] = defaultdict(list)
    for recording in recordings:
        people[recording.subject].append(recording)
    strata: dict[str, dict[str, int]] = defaultdict(dict)
    walkers = strata['']  # Before the data sets, which have a name.
    for subject, own in people.items():
        walked = sum(one.frames for one in own if one.walks)
        if walked:
            walkers[subject] = walked
        else:
            strata[own[0].dataset][subject] = sum(one.frames for one in own)
    if len(walkers) < len(SPLITS):
        raise DataError(
            f'motion capture should show at least {len(SPLITS)} people who walk, one for each of '
            f'{", ".join(SPLITS)}; got {len(walkers)} among {len(people)} (a person is a folder '
            'with recordings). Give a folder with more people, or use the embedded motions'
        )
    split: dict[str, list[Recording]] = {name: [] for name in SPLITS}
    for _, frames in sorted(strata.items()):
        for subject, name in _deal(frames).items():
            split[name] += people[subject]
    return split


def _deal(frames: Mapping[str, int]) -> dict[str, str]:
    """Return the split of each person of a stratum by their recorded frames."""
    total, given = sum(frames.values()), dict.fromkeys(SPLITS, 0)
    dealt = {}
    for subject, count in sorted(frames.items(), key=lambda item: (-item[1], item[0])):
        free = [name for name in SPLITS if not given[name]] or list(SPLITS)
        chosen = max(free, key=lambda name: SPLITS[name] * total - given[name])
        given[chosen] += count
        dealt[subject] = chosen
    return dealt
