"""Number and length of the clips of a demo."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Union

from gvhmr_da_mm.core.errors import ConfigError

from .motions.subjects import SPLITS

MIN_CLIPS, MAX_CLIPS = 16, 500
MAX_EMDB1, MAX_EMDB_TEST = 17, 39
"""Names of EMDB-1, and of both of its test splits."""


@dataclass(frozen=True)
class DemoSize:
    """Size of a demo.

    Args:
        bedlam (int): Synthetic clips.
        emdb1 (int): EMDB-1 sequences, at most 17; one of them is in EMDB-2 too.
        emdb2 (int): EMDB-2 sequences, at most 25.
        emdb_training (int): EMDB sequences in neither.
        threedpw_train (int): 3DPW training clips.
        threedpw_test (int): 3DPW test clips.
        min_frames (int): Shortest real clip; synthetic ones start at 60.
        max_frames (int): Longest clip.
    """

    bedlam: int
    emdb1: int
    emdb2: int
    emdb_training: int
    threedpw_train: int
    threedpw_test: int
    min_frames: int = 100
    max_frames: int = 180

    @classmethod
    def of_clips(cls, clips: int) -> 'DemoSize':
        """Return the size of a demo with a number of clips: half of them synthetic, an eighth test.

        Args:
            clips (int): From 16 to 500.

        Raises:
            ConfigError: If it is outside this range.
        """
        if not MIN_CLIPS <= clips <= MAX_CLIPS:
            raise ConfigError(
                f'`size` should be from {MIN_CLIPS} to {MAX_CLIPS} clips, got {clips}'
            )
        test = int(clips * SPLITS['test'])
        unlabelled = int(clips * SPLITS['unlabelled'])
        threedpw_test = max(test // 3, test - MAX_EMDB_TEST, 1)
        # EMDB-1 and EMDB-2 share one sequence.
        emdb_test = test - threedpw_test + 1
        emdb1 = min(emdb_test // 2, MAX_EMDB1)
        return cls(
            clips - test - unlabelled,
            *(emdb1, emdb_test - emdb1, unlabelled // 2, unlabelled - unlabelled // 2),
            threedpw_test,
        )


SIZES: Mapping[str, DemoSize] = {
    'toy': DemoSize(6, 2, 2, 2, 2, 2, min_frames=64, max_frames=90),
    'small': DemoSize(32, 6, 6, 8, 8, 4),
    'full': DemoSize(96, 17, 25, 8, 12, 8, min_frames=120, max_frames=240),
}


def resolve_size(size: Union[str, int, DemoSize]) -> DemoSize:
    """Return a size by its name, or by its number of clips.

    Raises:
        ConfigError: If the name is unknown, or the number out of range.
    """
    if isinstance(size, DemoSize):
        return size
    if str(size).isdecimal():
        return DemoSize.of_clips(int(size))
    if size not in SIZES:
        raise ConfigError(
            f'`size` should be one of {sorted(SIZES)}, a number of clips from {MIN_CLIPS} to '
            f'{MAX_CLIPS}, or a DemoSize, got {size!r}'
        )
    return SIZES[size]
