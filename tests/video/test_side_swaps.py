import numpy as np
import pytest

from gvhmr_da_mm.core.conventions import COCO_FLIP_INDEX
from gvhmr_da_mm.video.side_swaps import find_side_errors, fix_side_errors


def turning(frames=90, turns=1.0, noise=0.5, seed=0):
    """COCO-17 (F, 17, 3) of an upright person 200 px tall who turns about the vertical."""
    generator = np.random.default_rng(seed)
    angle = 2 * np.pi * turns * np.arange(frames) / frames
    keypoints = np.full((frames, 17, 3), 0.9)
    heights = np.array([0, -5, -5, 0, 0, 30, 30, 60, 60, 85, 85, 100, 100, 150, 150, 195, 195])
    widths = np.array([0, 4, -4, 9, -9, 22, -22, 26, -26, 26, -26, 14, -14, 13, -13, 12, -12])
    keypoints[..., 0] = 300 + widths * np.cos(angle)[:, None]
    keypoints[..., 1] = 100 + heights
    keypoints[..., :2] += generator.normal(0, noise, (frames, 17, 2))
    return keypoints


@pytest.mark.parametrize('turns', [0.0, 0.5, 1.0, 2.0])
def test_one_who_turns_round_is_not_swapped(turns):
    report = find_side_errors(turning(turns=turns))
    assert not report.swapped.any() and not report.collapsed.any()


@pytest.mark.parametrize('turns', [0.0, 0.2])
@pytest.mark.parametrize('wrong', [[40], range(20, 55), [10, 12, 13, 17, 80, 81, 89], [0, 1, 2]])
def test_swapped_frames_are_found_and_fixed(turns, wrong):
    true = turning(turns=turns)
    # Where the shoulders are in line with the camera nobody can tell, and nothing is lost.
    wide = np.abs(true[:, 5, 0] - true[:, 6, 0]) > 10
    mask = np.isin(np.arange(len(true)), wrong)
    mixed = np.where(mask[:, None, None], true[:, COCO_FLIP_INDEX], true)
    mended, seen, report = fix_side_errors(mixed, np.ones(len(true), bool))
    np.testing.assert_array_equal(report.swapped[wide], mask[wide])
    np.testing.assert_allclose(mended[wide], true[wide])
    assert seen.all() and not report.collapsed.any()


@pytest.mark.parametrize('frames', [0, 1, 2, 3, 5])
def test_the_shortest_clips(frames):
    assert find_side_errors(turning(frames, turns=0.0)).swapped.tolist() == [False] * frames


def test_most_frames_are_right():
    true = turning(turns=0.0)
    mixed = true.copy()
    mixed[:60] = true[:60, COCO_FLIP_INDEX]
    assert np.flatnonzero(find_side_errors(mixed).swapped).tolist() == list(range(60, 90))


def test_a_frame_in_which_the_sides_fall_together_is_not_seen():
    true = turning(turns=0.0, noise=0)
    wrong = true.copy()
    wrong[40, :, 0] = 300
    wrong[41:50] = true[41:50, COCO_FLIP_INDEX]
    mended, seen, report = fix_side_errors(wrong, np.ones(len(true), bool))
    assert np.flatnonzero(~seen).tolist() == np.flatnonzero(report.collapsed).tolist() == [40]
    np.testing.assert_allclose(mended, true, atol=1e-9)
