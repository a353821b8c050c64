import numpy as np
import pytest

from gvhmr_da_mm.visualization.rasterizer import draw_mesh, rasterize
from gvhmr_da_mm.visualization.view_camera import ViewCamera

CAMERA = ViewCamera(np.array([[100.0, 0, 40], [0, 100, 30], [0, 0, 1]]), 80, 60)


def tetrahedron(centre, size):
    corners = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]], dtype=float)
    faces = np.array([[0, 1, 2], [0, 3, 1], [0, 2, 3], [1, 3, 2]])
    return corners * size + centre, faces


def cross(a, b):
    return a[0] * b[1] - a[1] * b[0]  # NumPy 2.5 has it for three dimensions alone.


def brute_force(pixels, depth, faces, height, width):
    """Return the id of the nearest triangle per pixel, -1 for none, one pixel at a time."""
    nearest = np.full((height, width), -1)
    best = np.zeros((height, width))
    for number, (a, b, c) in enumerate(pixels[faces]):
        area = cross(b - a, c - a)
        for y in range(height):
            for x in range(width):
                p = np.array([x + 0.5, y + 0.5])
                weights = np.array([cross(c - b, p - b), cross(a - c, p - c), 0]) / area
                weights[2] = 1 - weights[0] - weights[1]
                near = (weights / depth[faces[number]]).sum()
                if (weights >= 0).all() and near > best[y, x]:
                    best[y, x], nearest[y, x] = near, number
    return nearest


def test_agrees_with_a_loop_over_pixels():
    generator = np.random.default_rng(0)
    pixels = generator.uniform(-6, 30, (24, 2))
    depth = generator.uniform(1, 5, 24)
    faces = generator.permutation(24).reshape(8, 3)
    found = rasterize(pixels, depth, faces, (20, 26))
    drawn = np.full(20 * 26, -1)
    drawn[found.pixel] = found.triangle
    expected = brute_force(pixels, depth, faces, 20, 26)
    # A pixel centre on an edge may fall to either side.
    assert (drawn.reshape(20, 26) != expected).sum() <= 2
    assert len(np.unique(found.pixel)) == len(found.pixel)
    np.testing.assert_allclose(found.weights.sum(axis=1), 1, rtol=1e-5)


def test_no_gap_between_neighbours():
    x, y = np.meshgrid(np.linspace(0, 40, 14), np.linspace(0, 30, 11))
    pixels = np.stack((x, y), axis=-1).reshape(-1, 2)
    first = (np.arange(10)[:, None] * 14 + np.arange(13)).ravel()
    upper = np.stack((first, first + 1, first + 14), axis=1)
    lower = np.stack((first + 1, first + 15, first + 14), axis=1)
    faces = np.concatenate((upper, lower))
    found = rasterize(pixels, np.ones(len(pixels)), faces, (30, 40))
    assert len(found.pixel) == 30 * 40


def test_triangle_behind_the_viewer_is_left_out():
    pixels = np.array([[0.0, 0], [20, 0], [0, 20]])
    faces = np.array([[0, 1, 2]])
    assert len(rasterize(pixels, np.array([1.0, 1, 1]), faces, (20, 20)).pixel) > 150
    assert len(rasterize(pixels, np.array([1.0, 1, -1]), faces, (20, 20)).pixel) == 0


def test_mesh_is_where_it_projects_and_nowhere_else():
    image = np.zeros((60, 80, 3), np.uint8)
    vertices, faces = tetrahedron([0, 0, 5], 0.5)
    draw_mesh(image, vertices, faces, CAMERA, (200, 100, 50))
    assert image[30, 40].any()
    rows, columns = np.nonzero(image.any(axis=-1))
    pixels, _ = CAMERA.project(vertices)
    assert rows.min() >= pixels[:, 1].min() - 1 and rows.max() <= pixels[:, 1].max() + 1
    assert columns.min() >= pixels[:, 0].min() - 1 and columns.max() <= pixels[:, 0].max() + 1
    shade = image[30, 40].astype(float)
    np.testing.assert_allclose(shade / shade[0], [1, 0.5, 0.25], atol=0.03)


def test_orientation_of_the_faces_does_not_matter():
    vertices, faces = tetrahedron([0.1, 0, 4], 0.6)
    images = []
    for order in (faces, faces[:, ::-1]):
        image = np.zeros((60, 80, 3), np.uint8)
        draw_mesh(image, vertices, order, CAMERA, (200, 200, 200))
        images.append(image.astype(int))
    assert images[0].any()
    assert np.abs(images[0] - images[1]).max() <= 1


def test_light_comes_from_above():
    # Two roofs seen from the front: the slope that looks up is brighter.
    vertices = np.array([[-1, 0, 4], [1, 0, 4], [0, -1, 5], [0, 1, 5], [0, 0, 6.0]])
    faces = np.array([[0, 1, 2], [1, 0, 3], [0, 2, 4], [2, 1, 4], [1, 3, 4], [3, 0, 4]])
    # Vertices of their own per face, for flat shading.
    image = np.zeros((60, 80, 3), np.uint8)
    draw_mesh(
        image, vertices[faces].reshape(-1, 3), np.arange(18).reshape(6, 3), CAMERA, (200,) * 3
    )
    assert image[24, 40, 0] > image[36, 40, 0] + 20


@pytest.mark.parametrize('centre', [[0, 0, -3], [50, 0, 3], [np.nan, 0, 3]])
def test_invisible_mesh_changes_nothing(centre):
    image = np.full((60, 80, 3), 7, np.uint8)
    draw_mesh(image, *tetrahedron(centre, 0.3), CAMERA, (255, 255, 255))
    assert (image == 7).all()


def test_opacity_mixes_with_what_is_behind():
    opaque, clear = (np.full((60, 80, 3), 100, np.uint8) for _ in range(2))
    mesh = tetrahedron([0, 0, 4], 0.5)
    draw_mesh(opaque, *mesh, CAMERA, (255, 0, 0))
    draw_mesh(clear, *mesh, CAMERA, (255, 0, 0), opacity=0.5)
    expected = (opaque[30, 40].astype(float) + 100) / 2
    np.testing.assert_allclose(clear[30, 40], expected, atol=2)
