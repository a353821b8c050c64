import numpy as np
import torch

from gvhmr_da_mm import load_result
from gvhmr_da_mm.body_models import get_body_model
from gvhmr_da_mm.demo.body import stand_in_root


def test_a_result_of_the_stand_in_body_is_one_again(tmp_path, monkeypatch):
    monkeypatch.setenv('GVHMR_DATA_ROOT', str(tmp_path / 'empty'))
    file = tmp_path / 'motion.npz'
    poses, betas = np.random.default_rng(0).normal(0, 0.2, (4, 165)), np.zeros(10)
    np.savez(file, poses=poses, trans=np.zeros((4, 3)), betas=betas, mocap_frame_rate=30.0)
    result = load_result(file)
    assert result.data_root == stand_in_root()
    (person,) = result.people.values()
    fields = ('body_pose', 'betas', 'global_orient_w', 'transl_w')
    arrays = [torch.from_numpy(getattr(person, name)) for name in fields]
    joints = get_body_model('smplx', data_root=stand_in_root()).fk(*arrays)
    np.testing.assert_allclose(person.joints_w, joints, atol=1e-5)
    assert result.save(tmp_path / 'again.glb')[0].is_file()
