"""Recorded motion in the format of AMASS, as motions of the demo."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional

import numpy as np
import torch

from gvhmr_da_mm.core.conventions import FPS
from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.datasets.mocap import MocapBody, Motion
from gvhmr_da_mm.datasets.mocap.motion_sources import AMASSFolder

from .clip import MotionClip, Take
from .performance import CROSS_FADE, TEMPO
from .subjects import Recording, split_by_subject

MOCAP_VARIABLE, MOCAP_FOLDER = 'GVHMR_MOCAP', '../shared/mocap'
EMBEDDED = 'embedded'
MIN_FRAMES = FPS
"""Shorter recordings, which would be all cross-fade, are left out."""
WALKING_SPEED = (0.6, 2.0)
"""Range of the median speed (m/s) of people who walk."""
SPEED_WINDOW = 2 * FPS
"""Frames over which a speed is measured: swaying on the spot has none."""
WALKING_SHARE = 0.25
"""Share of synthetic clips of people who walk, of whom there are few recordings."""
WALKING_MOTIONS = {'walk', 'run'}
"""Embedded motions in whose place people walk."""
MAX_TAKES = 4
"""Most recordings that a clip is joined of; if they are too short, they are repeated."""


def choose_mocap(motions: Optional[str] = None) -> Optional[Path]:
    """Return the folder of recorded motion for a demo; None for the clips of this package.

    Args:
        motions (str, optional): The folder, or ``embedded``. Defaults to None: ``GVHMR_MOCAP``,
            or ``../shared/mocap`` if it is there.

    Raises:
        ConfigError: If the variable names no folder.
    """
    if motions is not None:
        return None if motions == EMBEDDED else Path(motions)
    named = os.environ.get(MOCAP_VARIABLE)
    folder = Path(named or MOCAP_FOLDER).expanduser()
    if folder.is_dir():
        return folder
    if named:
        raise ConfigError(
            f'environment variable {MOCAP_VARIABLE} should name a folder of motion capture in the '
            f'format of AMASS, got {named!r}, which is not a folder. Correct or unset it'
        )
    return None


def mocap_fingerprint(folder: Path) -> dict[str, Any]:
    """Return the number of the recordings of a folder, and a hash of their names and sizes."""
    source = AMASSFolder(folder)
    names = source.require_names()
    listed = ''.join(f'{name} {source.file(name).stat().st_size}\n' for name in names)
    return dict(recordings=len(names), sha256=hashlib.sha256(listed.encode()).hexdigest())


class RecordedMotions:
    """Motions of recorded people; no person is in two of the splits.

    Note:
        The domains differ by their people; the shift of the motions has no effect.

    Args:
        folder (Path): Files in the format of AMASS, ``SUBJECT/RECORDING.npz``.
        data_root (Path): Folder of the body models.

    Raises:
        DataError: If there are no recordings, too few people, or a recording is damaged.
    """

    def __init__(self, folder: Path, data_root: Path) -> None:
        self._source = AMASSFolder(folder)
        infos = {name: self._source.info(name) for name in self._source.require_names()}
        infos = {name: info for name, info in infos.items() if info['end'] >= MIN_FRAMES}
        self._infos = infos
        self._body = MocapBody(data_root, recorded=self._source.recorded(list(infos.values())))
        self._skeleton = self._body.skeleton(torch.zeros(10))
        self._splits = split_by_subject(
            Recording(name, info['end'], walks(self._read(name))) for name, info in infos.items()
        )
        self._used: dict[str, set[str]] = {name: set() for name in self._splits}

    def synthetic(self, frames: int, rng: np.random.Generator) -> list[Take]:
        """Draw the motion of a person of the synthetic domain."""
        return self._draw('synthetic', rng.random() < WALKING_SHARE, frames, rng)

    def real(
        self, usual: Sequence[str], is_test: bool, frames: int, rng: np.random.Generator
    ) -> list[Take]:
        """Draw the motion of a person of the real domain.

        Args:
            usual (Sequence[str]): Embedded motions that suit the sequence's name; people walk
                where it tells so.
            is_test (bool): Draw of the people of test clips, not of unlabelled ones.
            frames (int): Length of the motion that is needed.
            rng (Generator): Source of all randomness.
        """
        split = 'test' if is_test else 'unlabelled'
        return self._draw(split, bool(WALKING_MOTIONS & set(usual)), frames, rng)

    def report(self) -> dict[str, Any]:
        """Return what a manifest says of the motions: the recordings of each split's clips."""
        return dict(recordings={name: sorted(used) for name, used in self._used.items()})

    def _read(self, name: str) -> Motion:
        info = self._infos[name]
        return self._source.read(info, 0, info['end'], self._body)

    def _draw(self, split: str, walking: bool, frames: int, rng: np.random.Generator) -> list[Take]:
        """Draw a recording, and others of this person until they are long enough."""
        pool = [one for one in self._splits[split] if one.walks or not walking]
        needed = int(frames * TEMPO[1]) + CROSS_FADE
        lengths = np.array([one.frames for one in pool])
        first = pool[int(rng.choice(len(pool), p=lengths / lengths.sum()))]
        others = [one for one in pool if one.subject == first.subject and one is not first]
        takes: list[Take] = []
        for one in [first, *(others[index] for index in rng.permutation(len(others)))]:
            takes.append(self._take(one, needed, rng))
            self._used[split].add(one.name)
            length = sum(len(take.clip) - CROSS_FADE for take in takes)
            if length >= needed or len(takes) == MAX_TAKES:
                break
        return takes

    def _take(self, recording: Recording, frames: int, rng: np.random.Generator) -> Take:
        """Cut a random window of a recording, of the body with zero betas."""
        start = int(rng.integers(max(recording.frames - frames, 0) + 1))
        motion = self._read(recording.name).fit(self._skeleton)
        clip = MotionClip(motion.matrices, motion.pelvis)
        # Recordings are on the floor already, and some people climb.
        return Take(clip[start : start + frames], leaps=True)


def walks(motion: Motion) -> bool:
    """Return whether a person walks most of the time, by the median speed of the pelvis."""
    window = min(SPEED_WINDOW, len(motion) - 1)
    places = motion.pelvis[:, [0, 2]]
    speed = (places[window:] - places[:-window]).norm(dim=-1) * FPS / window
    low, high = WALKING_SPEED
    return low <= float(speed.median()) <= high
