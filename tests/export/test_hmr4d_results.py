"""The published layout, read as tools for retargeting do."""

import numpy as np
import pytest
import torch

from gvhmr_da_mm.core.errors import DataError
from gvhmr_da_mm.export import write_hmr4d_results

K = np.array([[100.0, 0, 40], [0, 100, 30], [0, 0, 1]])


def test_layout_and_joints(person, body, joints, tmp_path):
    path = write_hmr4d_results(tmp_path / 'new' / 'hmr4d_results.pt', person, K, 30, dict(a=1))
    content = torch.load(path, weights_only=True)
    frames = len(person)
    for group, space in dict(smpl_params_global='world', smpl_params_incam='camera').items():
        params = content[group]
        shapes = {name: tuple(value.shape) for name, value in params.items()}
        assert shapes == dict(
            body_pose=(frames, 63),
            betas=(frames, 10),
            global_orient=(frames, 3),
            transl=(frames, 3),
        )
        assert all(value.dtype == torch.float32 for value in params.values())
        found = body.fk(**params)
        assert (found - joints(space)).norm(dim=-1).max() < 1e-5
    assert content['K_fullimg'].shape == (frames, 3, 3)
    np.testing.assert_array_equal(content['K_fullimg'][0], K)
    own = content['gvhmr_da_mm']
    assert own['fps'] == 30 and own['facts'] == dict(a=1) and own['seen'].all()


def test_the_camera_is_needed(person, tmp_path):
    with pytest.raises(DataError, match='needs the camera'):
        write_hmr4d_results(tmp_path / 'a.pt', person, None)
    person.transl_c = None
    with pytest.raises(DataError, match='in the camera is unknown'):
        write_hmr4d_results(tmp_path / 'a.pt', person, K)
    assert not list(tmp_path.iterdir())
