"""Contact sheets of clips: boxes, keypoints and labels at their places."""

import numpy as np
import torch

from gvhmr_da_mm.visualization.clip_sheet import draw_clip_sheet, stack_sheets
from gvhmr_da_mm.visualization.contact_sheet import GAP, HEADER_HEIGHT
from gvhmr_da_mm.visualization.palette import DETECTION

SIZE = (120, 160)


def inputs(detected=True):
    keypoints = torch.full((5, 17, 3), 90.0)
    keypoints[..., 2] = 0.9
    return dict(
        bbx_xys=torch.tensor([[80.0, 60, 100]]).repeat(5, 1),
        kp2d=keypoints,
        has_kp2d=torch.tensor(detected),
        valid=torch.tensor([True] * 4 + [False]),
    )


def tile(sheet, index):
    top = HEADER_HEIGHT + 4
    left = index * (SIZE[1] + GAP)
    return sheet[top:, left : left + SIZE[1]]


def test_keypoints_are_where_they_were_detected():
    sheet = draw_clip_sheet('a', inputs(), SIZE, num_frames=2, tile_height=SIZE[0])
    for index in range(2):
        assert np.abs(tile(sheet, index)[90, 90].astype(int) - DETECTION).max() < 30
    without = draw_clip_sheet('a', inputs(False), SIZE, num_frames=2, tile_height=SIZE[0])
    assert np.abs(tile(without, 0)[90, 90].astype(int) - DETECTION).max() > 60


def test_padding_is_not_drawn_and_pictures_are():
    asked = []

    def frames(frame):
        asked.append(frame)
        return np.full((60, 80, 3), 200, np.uint8) if frame else None

    sheet = draw_clip_sheet('a', inputs(), SIZE, frames=frames, tile_height=SIZE[0])
    assert asked == [0, 1, 2, 3]
    assert tile(sheet, 1)[110, 150].tolist() == [200] * 3
    assert tile(sheet, 0)[110, 150].max() < 60


def test_following_shows_the_box_alone():
    sheet = draw_clip_sheet('a', inputs(), SIZE, num_frames=1, tile_height=130, follow=True)
    # The box has 100 px and the tile 1.3 times as much: one to one.
    assert np.abs(sheet[HEADER_HEIGHT + 4 + 95, 75].astype(int) - DETECTION).max() < 30


def test_sheets_of_different_width_are_stacked():
    sheets = [
        draw_clip_sheet('a', inputs(), SIZE, num_frames=count, tile_height=SIZE[0])
        for count in (1, 3)
    ]
    stacked = stack_sheets(sheets)
    assert stacked.shape[1] == sheets[1].shape[1]
    assert np.array_equal(stacked[: sheets[0].shape[0], : sheets[0].shape[1]], sheets[0])
