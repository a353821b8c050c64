"""Pictures keep their colours, and an unwritable place is named."""

from unittest import mock

import cv2
import numpy as np
import pytest

from gvhmr_da_mm.core.errors import StorageError
from gvhmr_da_mm.visualization.picture_file import write_picture


def test_colours_are_rgb_and_the_folder_is_made(tmp_path):
    picture = np.zeros((4, 6, 3), np.uint8)
    picture[..., 0] = 200
    path = tmp_path / 'new' / 'red.png'
    write_picture(path, picture)
    assert cv2.imread(str(path))[0, 0].tolist() == [0, 0, 200]


def test_a_failure_names_the_file(tmp_path):
    with mock.patch('cv2.imwrite', return_value=False):
        with pytest.raises(StorageError, match=r'a\.png.*permissions'):
            write_picture(tmp_path / 'a.png', np.zeros((4, 6, 3), np.uint8))
