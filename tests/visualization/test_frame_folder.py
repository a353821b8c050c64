"""Images of sequences found by a path pattern."""

import cv2
import numpy as np
import pytest

from gvhmr_da_mm.core.errors import ConfigError, DataError, MissingFilesError
from gvhmr_da_mm.visualization.frame_folder import FrameFolder


def test_pictures_are_found_and_missing_ones_noted(tmp_path):
    path = tmp_path / 'street_00' / 'image_00008.png'
    path.parent.mkdir()
    cv2.imwrite(str(path), np.full((4, 6, 3), (10, 20, 30), np.uint8))
    folder = FrameFolder(tmp_path, '{video}/image_{frame:05d}.png', first=1)
    picture = folder.read('street_00_1', 7)
    assert picture.shape == (4, 6, 3) and picture[0, 0].tolist() == [30, 20, 10]
    assert folder.read('street_00_1', 8) is None
    assert [missing.name for missing in folder.missing] == ['image_00009.png']


def test_bad_input_is_named(tmp_path):
    with pytest.raises(MissingFilesError, match='none'):
        FrameFolder(tmp_path / 'none')
    for pattern in ('{sequence}.jpg', '{frame}{other}.jpg', '{frame:x_}.jpg', '{frame.jpg'):
        with pytest.raises(ConfigError, match='pattern of frames should have'):
            FrameFolder(tmp_path, pattern)
    (tmp_path / '0.jpg').write_bytes(b'no picture')
    with pytest.raises(DataError, match='0.jpg cannot be decoded'):
        FrameFolder(tmp_path, '{frame}.jpg').read('a', 0)
