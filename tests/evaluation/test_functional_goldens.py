"""The numeric cases of the reference evaluation."""

import numpy as np
import pytest
import torch

from gvhmr_da_mm.core.conventions import FOOT_VERTEX_IDS
from gvhmr_da_mm.evaluation.functional import (
    acceleration_error,
    contact_sliding,
    jitter,
    mpjpe,
    pa_mpjpe,
    pve,
    relative_to_pelvis,
    root_trajectory_error,
    w_mpjpe,
    wa_mpjpe,
)

HIPS = (1, 2)


def camera_metrics(prefix, data, pelvis, fps, mask=None):
    frames = slice(None) if mask is None else mask
    pred, target, pred_verts, target_verts = (
        data[f'in_{name}'][frames]
        for name in ('pred_j3d', 'target_j3d', 'pred_verts', 'target_verts')
    )
    yield f'{prefix}_pa_mpjpe', pa_mpjpe(pred, target)
    yield f'{prefix}_mpjpe', mpjpe(pred, target, pelvis)
    yield f'{prefix}_pve', pve(pred_verts, target_verts, pred, target, pelvis)
    pred, target = (relative_to_pelvis(joints, joints, pelvis) for joints in (pred, target))
    yield f'{prefix}_accel', acceleration_error(pred, target, fps)


def world_metrics(prefix, data, mask=None):
    frames = slice(None) if mask is None else mask
    pred, target = (data[f'in_glob_{who}_j3d'] for who in ('pred', 'target'))
    feet = (data[f'in_glob_{who}_foot_verts'] for who in ('pred', 'target'))
    assert tuple(data['param_foot_vertex_ids'].tolist()) == FOOT_VERTEX_IDS
    yield f'{prefix}_wa2_mpjpe', w_mpjpe(pred[frames], target[frames])
    yield f'{prefix}_waa_mpjpe', wa_mpjpe(pred[frames], target[frames])
    yield f'{prefix}_rte', root_trajectory_error(pred[frames, 0], target[frames, 0], 'published')
    yield f'{prefix}_jitter', jitter(pred, mask=mask)
    yield f'{prefix}_fs', contact_sliding(*feet, mask)


def all_metrics(data):
    yield from camera_metrics('cam', data, HIPS, 30)
    yield from camera_metrics('cam_masked', data, HIPS, 30, data['in_mask'])
    yield from camera_metrics('cam_pelvis0_fps25', data, (0,), 25)
    pred, target = data['in_pred_j3d'], data['in_target_j3d']
    yield 'cam_perjoint_mpjpe', mpjpe(pred, target, HIPS, per_joint=True)
    valid = data['in_accel_valid_mask']
    yield 'accel_valid_masked', acceleration_error(pred, target, mask=valid, strict=True)
    yield 'accel_nofps', acceleration_error(pred, target, fps=1)
    yield from world_metrics('glob', data)
    yield from world_metrics('glob_masked', data, data['in_glob_mask'])
    pred, target = (data[f'in_glob_{who}_j3d'] for who in ('pred', 'target'))
    yield 'rte_root', root_trajectory_error(pred[:, 0], target[:, 0], 'published') / 100
    for fps in (30, 25):
        yield f'jitter_pred_fps{fps}', jitter(pred, fps)
    feet = (data[f'in_glob_{who}_foot_verts'] for who in ('pred', 'target'))
    yield 'foot_sliding_m', contact_sliding(*feet) / 1000


def load(file, dtype):
    data = {key: torch.from_numpy(np.asarray(value)) for key, value in np.load(file).items()}
    return {k: v.to(dtype) if v.is_floating_point() else v for k, v in data.items()}


@pytest.mark.goldens
@pytest.mark.parametrize('dtype, tolerance', [(torch.float64, 1e-8), (torch.float32, 1e-4)])
def test_goldens(goldens, dtype, tolerance):
    files = sorted(goldens.glob('09_metrics*.npz'))
    assert files, f'no 09_metrics*.npz in {goldens}'
    for file in files:
        expected = load(file, torch.float64)
        data = load(file, dtype)
        assert tuple(expected['param_foot_vertex_ids'].tolist()) == FOOT_VERTEX_IDS
        checked = set()
        for name, got in all_metrics(data):
            want = expected[f'out_{name}']
            torch.testing.assert_close(
                got.double(),
                want,
                rtol=tolerance,
                atol=tolerance,
                equal_nan=True,
                msg=lambda text, name=name, file=file: f'{file.name} {name}: {text}',
            )
            checked.add(f'out_{name}')
        alignment = ('out_align', 'out_procrustes', 'out_first_align', 'out_global_align')
        unchecked = {k for k in expected if k.startswith('out_') and not k.startswith(alignment)}
        assert unchecked <= checked, f'{file.name}: not compared {sorted(unchecked - checked)}'
