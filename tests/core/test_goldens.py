"""The numeric core against the golden cases of the published method."""

import re

import pytest
import torch

from gvhmr_da_mm.core import camera, filtering, rotation, trajectory
from gvhmr_da_mm.core.gravity_view import gravity_view_rotation
from tests.golden_cases import cases

pytestmark = [
    pytest.mark.goldens,
    pytest.mark.parametrize('dtype', [torch.float64, torch.float32], ids=['f64', 'f32']),
]

GRAVITY_Z = (0.0, 0.0, -1.0)


def test_rotations(goldens, dtype):
    for case in cases(goldens, '02_endecoder*.npz', dtype):
        matrix = rotation.axis_angle_to_matrix(case.input('rot_aa'))
        case.check('rot_matrix', matrix)
        case.check('rot_6d', rotation.matrix_to_rot6d(matrix))
        case.check_quaternion('rot_quat', rotation.matrix_to_quaternion(matrix))
        exact = torch.from_numpy(case.raw('out_rot_matrix')).to(dtype)
        case.check_axis_angle('rot_aa_back', rotation.matrix_to_axis_angle(exact))
        case.check('rot_6d_random_matrix', rotation.rot6d_to_matrix(case.input('rot_6d_random')))


def test_cameras_in_motion(goldens, dtype):
    for case in cases(goldens, '02_endecoder*.npz', dtype):
        R_w2c = case.input('R_w2c')
        case.check('R_c2gv_default_axis_minus_z', gravity_view_rotation(R_w2c, GRAVITY_Z))
        case.check('R_c2gv_gravity_y', gravity_view_rotation(R_w2c, case.input('gravity_y')))
        case.check('cam_angvel', camera.camera_angular_velocity(R_w2c))

        orient_w, transl_w = case.input('wc_global_orient_w'), case.input('wc_transl_w')
        orient_c, transl_c = case.input('wc_global_orient_c'), case.input('wc_transl_c')
        offset = case.input('wc_offset')
        T_w2c = camera.smpl_camera_extrinsics(orient_w, transl_w, orient_c, transl_c, offset)
        case.check('wc_T_w2c', T_w2c)
        T_w2c = torch.from_numpy(case.raw('out_wc_T_w2c')).to(dtype)
        for name, transform in (('seqT', T_w2c), ('T2', T_w2c[2])):
            moved, transl = camera.transform_smpl(orient_w, transl_w, transform, offset)
            case.check_axis_angle(f'wc_c_global_orient_{name}', moved)
            case.check(f'wc_c_transl_{name}', transl)


def test_turned_worlds(goldens, dtype):
    turns = dict(
        any_to_ay=('z', torch.pi), az_to_ay=('x', -torch.pi / 2), ay_to_any=('z', torch.pi)
    )
    for case in cases(goldens, '02_endecoder*.npz', dtype):
        orient = rotation.axis_angle_to_matrix(case.input('wc_global_orient_w'))
        for name, (axis, angle) in turns.items():
            turn = rotation.rotation_about_axis(axis, torch.tensor(angle, dtype=dtype))
            case.check(f'tgt_{name}_R', turn)
            case.check(f'tgt_{name}_global_orient_matrix', turn @ orient)
            turned = rotation.matrix_to_axis_angle(turn @ orient)
            case.check_axis_angle(f'tgt_{name}_global_orient', turned)
            case.check(f'tgt_{name}_transl', case.input('wc_transl_w') @ turn.T)


def test_velocity_and_rollout(goldens, dtype):
    for case in cases(goldens, '02_endecoder*.npz', dtype):
        R_w = rotation.axis_angle_to_matrix(case.input('global_orient_w'))
        velocity = trajectory.local_velocity(R_w, case.input('transl_w'))
        case.check('local_transl_vel', velocity)
        velocity = torch.from_numpy(case.raw('out_local_transl_vel')).to(dtype)
        case.check('rollout_from_zero', trajectory.integrate_velocity(R_w, velocity))
        case.check(
            'rollout_from_transl0',
            trajectory.integrate_velocity(R_w, velocity, case.input('transl_0')),
        )


def test_camera_functions(goldens, dtype):
    for case in cases(goldens, '03_camera*.npz', dtype):
        K, boxes, points = case.input('K'), case.input('bbx_xys'), case.input('points')
        case.check('bbox_info_bedlam', camera.cliff_condition(boxes, K))
        case.check('bbox_info_bedlam_sharedK', camera.cliff_condition(boxes[0], K[0, 0]))
        with_zero = case.input('bbx_xys_withzero')
        case.check(
            'transl_full_cam',
            camera.translation_from_weak_camera(case.input('pred_cam'), with_zero, K),
        )
        # Boxes of size zero have no finite weak camera, so the result shows which were given.
        finite = torch.from_numpy(case.raw('out_a_pred_cam')).isfinite().all()
        weak = camera.weak_camera_from_translation(
            case.input('transl'), boxes if finite else with_zero, K
        )
        case.check('a_pred_cam', weak)
        case.check('perspective_projection', camera.perspective_project(points, K))
        case.check('project_to_bi01', camera.project_to_box(points, K, boxes))
        for name in case.names('out_safely_render_thr'):
            near = camera.clamp_depth(points, float(name))
            case.check(f'safely_render_thr{name}', camera.perspective_project(near, K))
        pixels = camera.perspective_project(camera.clamp_depth(points), K)
        case.check('bbx_xys_from_points', camera.box_from_points(pixels))
        square = camera.box_from_points(pixels, 1.0, 1.35)
        case.check('bbx_xys_from_points_ratio1_enlarge1.35', square)
        case.check('lurb', camera.box_to_xyxy(boxes))
        corners = torch.from_numpy(case.raw('out_lurb')).to(dtype)
        case.check('xys_from_lurb', camera.box_from_xyxy(corners, ratio=1.0, enlarge=1.0))
        kp2d = case.input('kp2d')
        case.check('normalize_kp2d', camera.normalize_keypoints(kp2d, boxes))
        case.check(
            'normalize_kp2d_clamp',
            camera.normalize_keypoints(kp2d, case.input('bbx_xys_size0'), min_size=1e-5),
        )
        case.check('bbx_xys_from_kp2d', camera.box_from_points(kp2d[..., :2]))
        xyxy = case.input('bbx_xyxy')
        case.check('bbx_xys_from_xyxy', camera.box_from_xyxy(xyxy))
        case.check('bbx_xys_from_xyxy_enlarge1', camera.box_from_xyxy(xyxy, enlarge=1.0))


def test_intrinsics(goldens, dtype):
    for case in cases(goldens, '03_camera*.npz', dtype):
        for name in case.names('out_estimate_K_'):
            width, height = map(int, name.split('x'))
            K = camera.estimate_intrinsics(width, height, dtype)
            case.check(f'estimate_K_{name}', K)
            case.check(f'K4_{name}', K[[0, 1, 0, 1], [0, 1, 2, 2]])
        for name in case.names('out_create_camera_sensor_K_'):
            width, height, lens = re.fullmatch(r'(\d+)x(\d+)_f([\d.]+)', name).groups()
            K = camera.intrinsics_from_sensor(int(width), int(height), float(lens), dtype)
            case.check(f'create_camera_sensor_K_{name}', K)


def test_world_rollout(goldens, dtype):
    for case in cases(goldens, '06_global_rollout*.npz', dtype):
        R_w, transl_w = trajectory.rollout_world(
            rotation.axis_angle_to_matrix(case.input('global_orient_gv')),
            rotation.axis_angle_to_matrix(case.input('global_orient_c')),
            case.input('cam_angvel'),
            case.input('local_transl_vel'),
            compat='published',
        )
        case.check('global_orient_matrix', R_w)
        case.check_axis_angle('global_orient', rotation.matrix_to_axis_angle(R_w))
        case.check('transl', transl_w)


def test_filters(goldens, dtype):
    for case in cases(goldens, '06_global_rollout*.npz', dtype):
        for name in case.names('out_smooth_s'):
            match = re.fullmatch(r'(\d+)_dim(-?\d+)', name)
            if match:
                sigma, dim = map(int, match.groups())
                smooth = filtering.gaussian_smooth(case.input('smooth_x'), sigma, dim)
                case.check(f'smooth_s{name}', smooth)
        short = filtering.gaussian_smooth(case.input('smooth_short'), 3, -1)
        case.check('smooth_short_s3', short)
        joints = case.input('w_j3d')
        case.check('joint_speed', filtering.joint_speed(joints))
        for name in case.names('out_static_mask_thr'):
            threshold, _, kind = name.partition('_')
            mask = filtering.static_mask(
                joints,
                float(threshold),
                repeat_last=kind == 'repeat',
                smooth_sigma=3.0 if kind == 'smooth' else 0.0,
            )
            case.check(f'static_mask_thr{name}', mask)
        lengths = case.input('lengths')
        for name in case.names('out_length_to_mask'):
            case.check(f'length_to_mask{name}', filtering.length_to_mask(lengths, int(name)))
