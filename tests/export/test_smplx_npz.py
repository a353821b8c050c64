import numpy as np
import pytest
import torch

from gvhmr_da_mm.core.errors import ConfigError, DataError
from gvhmr_da_mm.export import write_smplx_npz


def test_names_of_amass(dump, tmp_path):
    p = dump.sample.pred_instances
    for space in ('world', 'camera'):
        with np.load(write_smplx_npz(tmp_path / 'new' / 'a.npz', dump, space)) as file:
            assert str(file['surface_model_type']) == 'smplx' and str(file['gender']) == 'neutral'
            assert float(file['mocap_frame_rate']) == 30
            assert file['betas'].shape == (10,)
            assert file['poses'].shape == (len(dump), 165)
            np.testing.assert_array_equal(file['pose_body'], p.body_pose)
            np.testing.assert_array_equal(file['trans'], p[f'transl_{space[0]}'])
            np.testing.assert_array_equal(file['poses'][:, :3], p[f'global_orient_{space[0]}'])
            np.testing.assert_array_equal(file['poses'][:, 3:66], p.body_pose)
            assert not file['poses'][:, 66:].any()


def test_axes_of_the_given_camera(given_dump, body, joints, tmp_path):
    with np.load(write_smplx_npz(tmp_path / 'a.npz', given_dump, 'given')) as file:
        pose, betas, orient, transl = (
            torch.from_numpy(file[name]).float()
            for name in ('pose_body', 'betas', 'root_orient', 'trans')
        )
    turned = body.fk(pose, betas.expand(len(pose), 10), orient, transl)
    x, y, z = joints('world').unbind(-1)
    torch.testing.assert_close(turned, torch.stack((x, -z, y), dim=-1), atol=1e-5, rtol=0)


def test_errors(dump, tmp_path):
    with pytest.raises(ConfigError, match='space'):
        write_smplx_npz(tmp_path / 'a.npz', dump, 'gv')
    with pytest.raises(ConfigError, match='turn.npz is not in the world of a given camera'):
        write_smplx_npz(tmp_path / 'a.npz', dump, 'given')
    del dump.sample.pred_instances.betas
    with pytest.raises(DataError, match='betas'):
        write_smplx_npz(tmp_path / 'a.npz', dump)
    assert not list(tmp_path.iterdir())
