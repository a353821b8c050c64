import numpy as np

from gvhmr_da_mm.video.appearance import SceneCuts, torso_colours


def person(left=40.0, width=20.0):
    keypoints = np.full((17, 3), 0.9)
    keypoints[:, :2] = left + width / 2, 50
    for pair, top in (((5, 6), 30), ((11, 12), 60)):
        keypoints[list(pair), 0] = left + width, left
        keypoints[list(pair), 1] = top
    return keypoints


def test_colours_of_torsos():
    image = np.full((100, 200, 3), 128, np.uint8)
    image[28:64, 38:62] = (255, 255, 255)
    image[28:64, 118:142] = (0, 0, 0)
    hidden = person()
    hidden[5, 2] = 0
    colours = torso_colours(image, np.stack((person(), person(120), person(129, 1), hidden)))
    np.testing.assert_allclose(colours[:, 0], [255, 0, 0, np.nan])
    np.testing.assert_allclose(colours[:3, 1:], 128, atol=1)
    assert torso_colours(image, np.zeros((0, 17, 3))).shape == (0, 3)
    assert np.isnan(torso_colours(image, person(900)[None])).all()


def test_cuts():
    generator = np.random.default_rng(0)
    forest, wall = (
        np.clip(generator.normal(level, 30, (60, 80, 3)), 0, 255).astype(np.uint8)
        for level in (50, 190)
    )
    cuts = SceneCuts()
    assert [cuts(image).sure for image in (forest, forest, wall, None, wall, forest)] == [
        False, False, True, False, False, True,
    ]  # fmt: skip


def test_a_pan_is_no_cut():
    background = np.random.default_rng(1).integers(0, 255, (6, 60, 3)).astype(np.uint8)
    background = background.repeat(20, axis=0).repeat(20, axis=1)
    cuts = SceneCuts()
    assert not any(cuts(background[:, x : x + 200]).sure for x in range(0, 1000, 12))


def test_similar_scenes_are_a_possible_cut():
    dark = np.full((60, 80, 3), 90, np.uint8)
    dark[:, :40] = 120
    bright = dark + np.uint8(16)
    cuts = SceneCuts()
    found = [cuts(image) for image in (dark, dark, bright, bright)]
    assert [change.possible for change in found] == [False, False, True, False]
    assert not any(change.sure for change in found)
