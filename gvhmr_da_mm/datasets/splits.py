"""Splits of EMDB and 3DPW, by the names of the sequences."""

from collections.abc import Sequence

import numpy as np

EMDB1_PREFIXES = (
    'P1_14', 'P2_23', 'P3_31', 'P3_32', 'P3_33', 'P5_42', 'P5_44', 'P6_49', 'P6_50', 'P6_51',
    'P7_57', 'P7_59', 'P7_60', 'P8_64', 'P8_68', 'P8_69', 'P9_76',
)  # fmt: skip
"""EMDB (Kaufmann et al., ICCV 2023), part 1: camera-space evaluation."""
EMDB2_PREFIXES = (
    'P0_09', 'P2_19', 'P2_20', 'P2_24', 'P3_27', 'P3_28', 'P3_29', 'P3_30', 'P4_35', 'P4_36',
    'P4_37', 'P5_40', 'P6_48', 'P6_49', 'P7_55', 'P7_56', 'P7_57', 'P7_58', 'P7_61', 'P8_64',
    'P8_65', 'P9_77', 'P9_78', 'P9_79', 'P9_80',
)  # fmt: skip
"""Part 2: world-space evaluation; three sequences are in both parts."""
EMDB_TEST_PREFIXES = {'emdb1': EMDB1_PREFIXES, 'emdb2': EMDB2_PREFIXES}

THREEDPW_GOOD_RANGES = {
    'courtyard_basketball_00_1': ((0, 300), (340, 468)),
    'courtyard_laceShoe_00_0': ((0, 620), (780, 931)),
    'courtyard_rangeOfMotions_00_1': ((0, 370), (410, 601)),
    'courtyard_shakeHands_00_1': ((0, 100), (120, 391)),
}
"""Frames whose refitted SMPL-X labels are good, where the label file's own ranges are wrong."""

SUBSETS = ('all', 'fit', 'val')


def holdout(groups: Sequence[str], subset: str, every: int) -> np.ndarray:
    """Hold out every n-th video of a training split, to choose hyperparameters without test clips.

    Args:
        groups (Sequence[str]): Video of each sequence; persons of one video stay together.
        subset (str): ``all``, ``fit`` (without the held-out videos) or ``val`` (only those).
        every (int): One of this many videos is held out.

    Returns:
        np.ndarray: Whether each sequence is in the subset (N,).
    """
    if subset == 'all':
        return np.ones(len(groups), bool)
    # The second of each n, so that one of two videos is held out.
    held_out = set(sorted(set(groups))[1::every])
    return np.array([(group in held_out) == (subset == 'val') for group in groups], bool)


def emdb_splits(name: str) -> tuple[str, ...]:
    """Return every split a sequence of EMDB is in: ``emdb1``, ``emdb2`` or both, else ``train``."""
    found = tuple(split for split, p in EMDB_TEST_PREFIXES.items() if name.startswith(p))
    return found or ('train',)
