import numpy as np

from gvhmr_da_mm.core.boxes import box_overlap


def test_overlap():
    a = np.array([[0.0, 0, 10, 10], [20, 20, 30, 30]])
    b = np.array([[0.0, 0, 10, 10], [5, 0, 15, 10]])
    np.testing.assert_allclose(box_overlap(a, b), [[1, 1 / 3], [0, 0]])
