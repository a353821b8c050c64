import pytest
import torch

from gvhmr_da_mm.core import camera
from gvhmr_da_mm.core.rotation import axis_angle_to_matrix, rot6d_to_matrix

DOUBLE = torch.float64


@pytest.fixture
def K():
    return camera.estimate_intrinsics(1280, 720).to(DOUBLE)


@pytest.fixture
def boxes():
    centre = torch.rand(6, 2, dtype=DOUBLE) * 500 + 100
    return torch.cat((centre, torch.rand(6, 1, dtype=DOUBLE) * 300 + 50), dim=-1)


def test_unknown_cameras_get_the_diagonal(K):
    assert K[0, 0] == K[1, 1] == pytest.approx((1280**2 + 720**2) ** 0.5)
    assert K[:2, 2].tolist() == [640, 360]


def test_a_lens_is_relative_to_a_full_frame_sensor():
    """A lens as long as the sensor's diagonal sees what the estimate assumes."""
    diagonal = (36**2 + 24**2) ** 0.5
    lens = camera.intrinsics_from_sensor(1280, 720, diagonal)
    torch.testing.assert_close(lens, camera.estimate_intrinsics(1280, 720))


def test_projection(K):
    point = torch.tensor([[0.5, -0.25, 2.0]], dtype=DOUBLE)
    pixel = camera.perspective_project(point, K)
    torch.testing.assert_close(pixel[0], K[:2, 2] + K[0, 0] * point[0, :2] / 2)


def test_near_points_move_away():
    points = torch.tensor([[1.0, 2, 0.1], [1, 2, -3], [1, 2, 3]])
    assert camera.clamp_depth(points)[:, 2].tolist() == pytest.approx([0.3, 0.3, 3.0])
    assert torch.equal(camera.clamp_depth(points)[:, :2], points[:, :2])


def test_box_coordinates_run_from_corner_to_corner(boxes):
    corners = camera.box_to_xyxy(boxes).view(-1, 2, 2)
    inside = camera.to_box_coordinates(corners, boxes)
    torch.testing.assert_close(inside[:, 0], torch.zeros(6, 2, dtype=DOUBLE), atol=1e-12, rtol=0)
    torch.testing.assert_close(inside[:, 1], torch.ones(6, 2, dtype=DOUBLE))


def test_keypoints_outside_their_box_are_unseen(boxes):
    box = boxes[:1]
    centre, half = box[0, :2], box[0, 2] / 2
    pixels = torch.stack((centre, centre + half, centre + half * 1.01))
    kp2d = torch.cat((pixels, torch.full((3, 1), 0.9, dtype=DOUBLE)), -1)[None]
    normalized = camera.normalize_keypoints(kp2d, box)[0]
    torch.testing.assert_close(normalized[:2, :2], torch.tensor([[0, 0], [1, 1.0]], dtype=DOUBLE))
    assert normalized[:, 2].tolist() == pytest.approx([0.9, 0.9, 0.0])


def test_an_empty_box_does_not_divide_by_zero():
    kp2d = torch.ones(1, 17, 3)
    normalized = camera.normalize_keypoints(kp2d, torch.zeros(1, 3), min_size=1e-5)
    assert normalized.isfinite().all() and not normalized[..., 2].any()


@pytest.mark.parametrize('width, height', [(30.0, 90.0), (200.0, 90.0), (75.0, 100.0)])
def test_boxes_hold_their_points_at_the_aspect_of_persons(width, height):
    points = torch.tensor([[10.0, 20.0], [10 + width, 20 + height]], dtype=DOUBLE)
    box = camera.box_from_points(points, enlarge=1.0)
    assert box[:2].tolist() == [10 + width / 2, 20 + height / 2]
    assert box[2] == pytest.approx(max(height, width, width / 0.75))
    assert camera.box_from_points(points)[2] == pytest.approx(1.2 * box[2])
    torch.testing.assert_close(camera.box_from_xyxy(points.flatten()[None])[0],
                               camera.box_from_points(points))  # fmt: skip


def test_weak_and_metric_translations_are_inverse(K, boxes):
    transl = torch.randn(6, 3, dtype=DOUBLE)
    transl[:, 2] += 5
    weak = camera.weak_camera_from_translation(transl, boxes, K)
    torch.testing.assert_close(camera.translation_from_weak_camera(weak, boxes, K), transl)


def test_a_weak_camera_puts_the_person_into_the_box(K, boxes):
    """With s = 1 and no shift, 2 m fill the box and the origin is at its centre."""
    weak = torch.tensor([1.0, 0, 0], dtype=DOUBLE).expand(6, 3)
    transl = camera.translation_from_weak_camera(weak, boxes, K)
    ends = torch.tensor([[0.0, -1, 0], [0, 0, 0], [0, 1, 0]], dtype=DOUBLE) + transl[:, None]
    inside = camera.project_to_box(ends, K, boxes)
    torch.testing.assert_close(inside[..., 0], torch.full((6, 3), 0.5, dtype=DOUBLE))
    expected = torch.tensor([0, 0.5, 1], dtype=DOUBLE).expand(6, 3)
    torch.testing.assert_close(inside[..., 1], expected)


def test_cliff_condition_is_in_focal_lengths(K, boxes):
    condition = camera.cliff_condition(boxes, K)
    torch.testing.assert_close(condition[:, 2], boxes[:, 2] / K[0, 0])
    torch.testing.assert_close(condition[:, :2], (boxes[:, :2] - K[:2, 2]) / K[0, 0])


def test_angular_velocity_takes_each_camera_to_the_next():
    R_w2c = axis_angle_to_matrix(torch.randn(2, 7, 3, dtype=DOUBLE))
    steps = rot6d_to_matrix(camera.camera_angular_velocity(R_w2c))
    torch.testing.assert_close(steps[:, :-1] @ R_w2c[:, :-1], R_w2c[:, 1:])
    assert torch.equal(steps[:, -1], steps[:, -2])


def test_a_single_frame_does_not_turn():
    angvel = camera.camera_angular_velocity(axis_angle_to_matrix(torch.randn(1, 3)))
    assert angvel.tolist() == [[1, 0, 0, 0, 1, 0]]


def test_moving_a_body_moves_all_its_points():
    """SMPL turns about its root joint at o: x = R (v - o) + o + t."""
    orient, transl, offset, vertex = torch.randn(4, 3, dtype=DOUBLE)
    transform = torch.eye(4, dtype=DOUBLE)
    transform[:3, :3] = axis_angle_to_matrix(torch.randn(3, dtype=DOUBLE))
    transform[:3, 3] = torch.randn(3, dtype=DOUBLE)

    def pose(orient, transl):
        return axis_angle_to_matrix(orient) @ (vertex - offset) + offset + transl

    moved = pose(*camera.transform_smpl(orient, transl, transform, offset))
    before = pose(orient, transl)
    torch.testing.assert_close(moved, transform[:3, :3] @ before + transform[:3, 3])


def test_extrinsics_are_read_off_a_body():
    orient, transl, offset = torch.randn(3, 5, 3, dtype=DOUBLE)
    transform = torch.eye(4, dtype=DOUBLE).repeat(5, 1, 1)
    transform[:, :3, :3] = axis_angle_to_matrix(torch.randn(5, 3, dtype=DOUBLE))
    transform[:, :3, 3] = torch.randn(5, 3, dtype=DOUBLE)
    orient_c, transl_c = camera.transform_smpl(orient, transl, transform, offset)
    found = camera.smpl_camera_extrinsics(orient, transl, orient_c, transl_c, offset)
    torch.testing.assert_close(found, transform)
