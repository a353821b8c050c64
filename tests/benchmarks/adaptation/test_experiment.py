from pathlib import Path

import torch

from benchmarks.adaptation.budget import FULL
from benchmarks.adaptation.experiment import Experiment, data_fingerprint
from benchmarks.adaptation.methods import select_methods
from benchmarks.adaptation.run_config import final_checkpoint

CONFIGS = Path(__file__).resolve().parents[3] / 'configs'

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


def test_a_method_starts_from_the_weights_of_the_same_seed(toy_root, tmp_path):
    methods = select_methods(['source_free', 'source', 'full'])
    runs = Experiment(methods, 2, tmp_path, toy_root, CONFIGS, FULL).runs
    starts = {(run.name, run.seed): run.source and (run.source.name, run.seed) for run in runs}
    assert starts == {
        (name, seed): start and (start, seed)
        for seed in (0, 1)
        for name, start in dict(
            source_model=None, source='source_model', full='source_model', source_free='source'
        ).items()
    }
    assert list(starts)[2:5] == [('source_free', 0), ('source', 0), ('full', 0)]
    for run in runs:
        if run.source is not None:
            assert run.source.seed == run.seed
            assert run.config.load_from == str(final_checkpoint(run.source.config))
    assert {run.name for run in runs if run.is_start} == {'source_model', 'source'}


def test_what_a_method_starts_from_is_part_of_its_fingerprint(toy_root, tmp_path):
    def fingerprint(*names):
        runs = Experiment(select_methods(names), 1, tmp_path, toy_root, CONFIGS, FULL).runs
        return {run.name: run.fingerprint for run in runs}

    alone, both = fingerprint('source'), fingerprint('source', 'source_free')
    assert both['source'] == alone['source']
    assert len(set(both.values())) == 3
