import torch

from benchmarks.adaptation.experiment import data_fingerprint

PACK = 'EMDB/hmr4d_support/emdb_vit_v4.pt'
BODY = 'body_models/smpl/SMPL_NEUTRAL.pkl'


def _write_pack(root, value):
    path = root / PACK
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({'P0_00': dict(kp2d=torch.full((90, 17, 3), value))}, path)
    return path


def test_data_fingerprint_of_equal_packs_is_equal(tmp_path):
    _write_pack(tmp_path / 'a', 0.5)
    _write_pack(tmp_path / 'b', 0.5)
    assert data_fingerprint(tmp_path / 'a') == data_fingerprint(tmp_path / 'b')


def test_data_fingerprint_sees_other_content_of_the_same_size(tmp_path):
    first = _write_pack(tmp_path / 'a', 0.5)
    second = _write_pack(tmp_path / 'b', 0.25)
    assert first.stat().st_size == second.stat().st_size
    assert data_fingerprint(tmp_path / 'a') != data_fingerprint(tmp_path / 'b')


def test_data_fingerprint_sees_other_content_of_a_file_that_is_no_archive(tmp_path):
    path = tmp_path / BODY
    path.parent.mkdir(parents=True)
    path.write_bytes(b'one body')
    before = data_fingerprint(tmp_path)
    path.write_bytes(b'two body')
    assert data_fingerprint(tmp_path) != before


def test_data_fingerprint_sees_a_new_file(tmp_path):
    _write_pack(tmp_path, 0.5)
    before = data_fingerprint(tmp_path)
    (tmp_path / PACK).with_name('emdb_dpvo_traj.pt').write_bytes(b'')
    assert data_fingerprint(tmp_path) != before
