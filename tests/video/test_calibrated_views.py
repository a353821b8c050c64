"""Files with the calibration of cameras."""

import numpy as np
import pytest

from gvhmr_da_mm.core.errors import DataError, MissingFilesError
from gvhmr_da_mm.video.calibrated_views import find_calibration, read_views
from tests.video.calibrated import make_views, write_calibration


def test_cameras_are_read_as_they_were_written(tmp_path):
    views = make_views()
    write_calibration(tmp_path / 'a.qca.txt', views)
    for view, found in zip(views, read_views(find_calibration(tmp_path)), strict=True):
        assert found.name == view.name
        np.testing.assert_allclose(found.K, view.K)
        np.testing.assert_allclose(found.R, view.R, atol=1e-6)
        np.testing.assert_allclose(found.t, view.t, atol=1e-5)


def test_a_file_that_is_no_calibration(tmp_path):
    path = tmp_path / 'a.qca.txt'
    path.write_text('<calibration><cameras/></calibration>')
    with pytest.raises(DataError, match='at least 4 cameras, got 0'):
        read_views(path, min_views=4)
    path.write_text('no')
    with pytest.raises(DataError, match='Qualisys'):
        read_views(path)
    path.write_text('<calibration><camera serial="a"/></calibration>')
    with pytest.raises(DataError, match=r'a.qca.txt.*`transform`'):
        read_views(path)


def test_folders_without_one_calibration(tmp_path):
    with pytest.raises(DataError, match='one calibration.*got 0'):
        find_calibration(tmp_path)
    for name in 'ab':
        (tmp_path / f'{name}.qca.txt').touch()
    with pytest.raises(DataError, match='got 2'):
        find_calibration(tmp_path)
    with pytest.raises(MissingFilesError, match='no folder'):
        find_calibration(tmp_path / 'nothing')
