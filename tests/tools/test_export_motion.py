"""The export tool on a dump file."""

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData

from gvhmr_da_mm.structures import write_motion_dump

FRAMES = 3


@pytest.fixture
def dumped(tmp_path):
    instances = InstanceData(
        body_pose=torch.rand(FRAMES, 63),
        betas=torch.zeros(FRAMES, 10),
        keypoints=np.random.default_rng(0).uniform(0, 1, (FRAMES, 22, 3)).astype(np.float32),
        **{f'{n}_{s}': torch.rand(FRAMES, 3) for n in ('global_orient', 'transl') for s in 'cw'},
    )
    path = tmp_path / 'walk.npz'
    write_motion_dump(path, dict(dataset='toy', sequence='walk', pred_instances=instances), {})
    return path


@pytest.mark.parametrize('kind, name', [('bvh', 'walk.bvh'), ('npz', 'walk_smplx.npz'),
                                        ('glb', 'walk.glb')])  # fmt: skip
def test_files_by_default_in_the_current_folder(
    call, dumped, toy_root, tmp_path, monkeypatch, kind, name
):
    folder = tmp_path / 'here'
    folder.mkdir()
    monkeypatch.chdir(folder)
    code, printed, err = call(
        'analysis_tools/export_motion', dumped, '--format', kind, '--data-root', toy_root
    )
    assert code == 0, err
    assert printed.strip() == name
    assert (folder / name).stat().st_size > 500


def test_errors(call, dumped, tmp_path):
    code, _, err = call('analysis_tools/export_motion', tmp_path / 'absent.npz')
    assert code == 2 and 'absent.npz' in err
    code, _, err = call('analysis_tools/export_motion', dumped, '--format', 'npz', '--out', dumped)
    assert code == 2 and 'the dump itself' in err
    code, _, err = call(
        'analysis_tools/export_motion', dumped, '--format', 'glb', '--data-root', tmp_path
    )
    assert code == 2 and 'SMPLX_NEUTRAL' in err
