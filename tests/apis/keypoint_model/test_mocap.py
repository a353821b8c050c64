"""Evaluation on filmed motion capture."""

import csv
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from gvhmr_da_mm.apis.keypoint_model import KeypointModel, evaluate_mocap, open_mocap
from gvhmr_da_mm.apis.keypoint_model.mocap import METRICS, film
from gvhmr_da_mm.core.errors import ConfigError, DataError
from gvhmr_da_mm.registry import MODELS
from tests.datasets.mocap.recordings import walk, write
from tests.testing import toy_model_config


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp('mocap')
    write(root / 'CMU' / '01' / 'a_stageii.npz')
    write(root / 'CMU' / '02' / 'b_stageii.npz')
    poses, trans = walk()
    still = np.tile(trans[:1], (len(trans), 1))
    full = np.zeros((len(poses), 165), np.float32)
    full[:, :66] = poses
    write(root / 'UIPRMD' / 's1' / 'c_stageii.npz', poses=full, trans=still)
    return root


@pytest.fixture(scope='module')
def network(toy_root):
    torch.manual_seed(0)
    noise = dict(keypoint_noise=dict(type='DetectorNoise'))
    return MODELS.build(toy_model_config(toy_root, num_layers=1, train_cfg=noise))


class Truth(KeypointModel):
    """Predicts the labels; the network alone goes twice as far, without turning."""

    def predict(self, clip, stage):
        names = ('body_pose', 'betas', 'global_orient_c', 'transl_c', 'global_orient_w', 'transl_w')
        pred = {name: clip.labels[name].clone() for name in names}
        if stage == 'network':
            pred['global_orient_w'] = torch.zeros(len(clip), 3)
            pred['transl_w'] *= 2
        return SimpleNamespace(pred_instances=pred)


def test_the_truth_has_no_error(folder, network, toy_root, tmp_path):
    result = evaluate_mocap(Truth(network), open_mocap(folder, toy_root), tmp_path, clips=3)
    fitted = result['fitted']
    for name in ('pa_mpjpe', 'mpjpe', 'w_mpjpe', 'wa_mpjpe', 'rte'):
        assert fitted[name] == pytest.approx(0, abs=0.02), name
    assert fitted['gravity_deg'] == pytest.approx(0, abs=0.05)
    assert 0 < fitted['jitter'] < 100 and fitted['fs'] < 10
    wrong = result['network']
    assert wrong['pa_mpjpe'] == pytest.approx(0, abs=0.02) and wrong['mpjpe'] < 0.02
    assert wrong['rte'] > 5 and wrong['w_mpjpe'] > 50 and wrong['gravity_deg'] > 5
    assert result['clips'] == 3 and result['subjects'] == 3
    with open(tmp_path / 'mocap.csv') as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6 and set(METRICS) < set(rows[0])
    # Per cent of the trajectory of someone who stays in place means nothing.
    assert {row['sequence'] for row in rows if row['rte'] == 'nan'} == {'UIPRMD/s1/c_stageii'}


def test_a_network_and_its_fit(folder, network, toy_root, tmp_path):
    steps = dict(flip_test=True, postprocess=True, refiner=dict(type='KeypointRefiner', steps=2))
    dataset = open_mocap(folder, toy_root)
    result = evaluate_mocap(KeypointModel(network, steps), dataset, tmp_path, clips=2)
    for stage in ('network', 'fitted'):
        assert np.isfinite([result[stage][name] for name in METRICS]).all()
        assert result[stage]['frames_per_second'] > 0
    assert result['network']['mpjpe'] != result['fitted']['mpjpe']


def test_clips_depend_on_the_seed_alone(folder, network, toy_root):
    dataset = open_mocap(folder, toy_root)
    other = MODELS.build(toy_model_config(toy_root, num_layers=2, train_cfg=dict(
        keypoint_noise=dict(type='DetectorNoise'))))  # fmt: skip
    clips, again, others = (list(film(dataset, 4, seed)) for seed in (0, 0, 1))
    assert len({clip.sequence for clip in clips}) == 3  # Then from the beginning.
    for number, (clip, same) in enumerate(zip(clips, again)):
        torch.testing.assert_close(clip.bbx_xys, same.bbx_xys)
        seen = KeypointModel(network).detect(clip, number)
        torch.rand(3)
        torch.testing.assert_close(KeypointModel(other).detect(same, number), seen)
        assert seen.shape == (len(clip), 17, 3) and 0 < seen[..., 2].mean() < 1
    shape = 'betas'
    assert not torch.equal(clips[0].labels[shape][0], others[0].labels[shape][0])


def test_subjects(folder, toy_root):
    for patterns, count in ((['01'], 1), (['CMU/*'], 2), (['CMU'], 2), (['CMU/02', 's1'], 2)):
        assert len(open_mocap(folder, toy_root, patterns)) == count
    with pytest.raises(ConfigError, match='subjects.*CMU/01, CMU/02.*99'):
        open_mocap(folder, toy_root, ['99'])


def test_folders_without_motion(tmp_path, toy_root):
    for folder in (tmp_path, tmp_path / 'nothing'):
        with pytest.raises(DataError, match='AMASS.*RECORDING.npz'):
            open_mocap(folder, toy_root)
