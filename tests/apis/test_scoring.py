"""Results of methods against labels: scores of what was stored, and a count of the lost."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from gvhmr_da_mm import load_result
from gvhmr_da_mm.apis.scoring import LabelledVideos, score_results
from gvhmr_da_mm.body_models import get_body_model
from gvhmr_da_mm.body_models.skeleton_fit import fit_skeleton
from gvhmr_da_mm.core.camera import transform_smpl
from gvhmr_da_mm.core.errors import ConfigError, DataError, MissingFilesError
from gvhmr_da_mm.datasets.sources import EMDBSource
from gvhmr_da_mm.datasets.sources.write_pack import write_pack
from gvhmr_da_mm.structures import CameraMotion

joblib = pytest.importorskip('joblib', reason='requirements/tests.txt has joblib')

# Errors of a result that is the label, mm: as far as the meshes of two body models differ.
SMALL = 12


@pytest.fixture(scope='module')
def emdb(toy_root):
    """Return the published files of EMDB, of the toy data."""
    return toy_root / 'EMDB/hmr4d_support'


@pytest.fixture(scope='module')
def pack(toy_root, tmp_path_factory):
    """Return the same as a sequence pack."""
    folder = tmp_path_factory.mktemp('packs') / 'emdb'
    write_pack(EMDBSource.below(toy_root), folder)
    return folder


@pytest.fixture(scope='module')
def records(emdb):
    return torch.load(emdb / 'emdb_vit_v4.pt', weights_only=True)


def name_in(records, *prefixes):
    return next(name for name in sorted(records) if name.startswith(prefixes))


@pytest.fixture(scope='module')
def in_both(records):
    """Return a sequence of EMDB-1 and EMDB-2, else one of EMDB-1."""
    return name_in(records, 'P7_57', 'P8_64', 'P6_49', 'P1_14', 'P2_23', 'P3_3', 'P5_4', 'P9_76')


def as_wham(record, root, frames=slice(None), shift=0.0):
    """Return the label as WHAM stores a person: neutral SMPL with the label's joints."""
    params = record['smpl_params']
    neutral = get_body_model('smpl', data_root=root)
    gendered = get_body_model('smpl', record['gender'], data_root=root)
    skeleton = gendered.skeleton(params['betas'])
    fit = fit_skeleton(skeleton[0], params['body_pose'], neutral)
    world = fit.convert(params, skeleton[:, 0])
    orient_c, transl_c = transform_smpl(
        world['global_orient'], world['transl'], record['T_w2c'], fit.root.float()
    )
    pose = torch.nn.functional.pad(world['body_pose'], (0, 6))
    pose[:, :3] += shift
    values = dict(
        pose=torch.cat((orient_c, pose), dim=1),
        trans=transl_c,
        pose_world=torch.cat((world['global_orient'], pose), dim=1),
        trans_world=world['transl'],
        betas=world['betas'],
        frame_ids=torch.arange(len(pose)),
    )
    return {name: value[frames].numpy() for name, value in values.items()}


def write_wham(path, *people):
    joblib.dump(dict(enumerate(people)), path)
    return path


def test_labels_as_a_result(pack, emdb, records, in_both, toy_root, tmp_path):
    person = as_wham(records[in_both], toy_root)
    path = write_wham(tmp_path / f'{in_both}.pkl', person)
    scores = score_results(path, pack, data_root=toy_root)
    assert scores.results['emdb1_e2e/coverage'] > 99
    assert scores.results['emdb1_e2e/matched_mpjpe'] < SMALL
    assert scores.lost_videos == []
    published = score_results(path, emdb, data_root=toy_root)
    assert published.results == scores.results
    # The name of the file need not be that of the sequence.
    other = write_wham(tmp_path / 'wham_output.pkl', person)
    named = score_results(other, pack, sequences=[in_both], data_root=toy_root)
    assert named.results == scores.results
    with pytest.raises(ConfigError, match='it is not clear which video.*wham_output.pkl'):
        score_results(other, pack, data_root=toy_root)
    with pytest.raises(ConfigError, match="the sequence 'P99'"):
        score_results(other, pack, sequences=['P99'], data_root=toy_root)


def test_what_was_not_found_lowers_the_coverage_alone(pack, records, in_both, toy_root, tmp_path):
    frames = len(records[in_both]['T_w2c'])
    half = as_wham(records[in_both], toy_root, slice(0, frames // 2))
    path = write_wham(tmp_path / f'{in_both}.pkl', half)
    scores = score_results(path, pack, data_root=toy_root)
    mask = records[in_both]['mask']
    expected = 100 * mask[: frames // 2].sum() / mask.sum()
    assert scores.results['emdb1_e2e/coverage'] == pytest.approx(float(expected), abs=2)
    assert scores.results['emdb1_e2e/matched_mpjpe'] < SMALL
    with pytest.raises(DataError, match='emdb1 scores every labelled frame.*emdb1_e2e'):
        score_results(path, pack, ['emdb1'], data_root=toy_root)


def test_a_wrong_motion_scores_worse(pack, records, in_both, toy_root, tmp_path):
    path = write_wham(tmp_path / f'{in_both}.pkl', as_wham(records[in_both], toy_root, shift=0.4))
    scores = score_results(path, pack, ['emdb1'], data_root=toy_root)
    assert set(scores.results) == {f'emdb1/{n}' for n in ('pa_mpjpe', 'mpjpe', 'pve', 'accel')}
    assert scores.results['emdb1/mpjpe'] > 3 * SMALL


def test_other_people_are_ignored(pack, records, in_both, toy_root, tmp_path):
    person = as_wham(records[in_both], toy_root)
    stranger = {name: value.copy() for name, value in person.items()}
    stranger['trans'] = stranger['trans'] + np.array([3, 0, 0], np.float32)
    alone = score_results(write_wham(tmp_path / f'{in_both}.pkl', person), pack, data_root=toy_root)
    both = score_results(
        write_wham(tmp_path / f'{in_both}.pkl', stranger, person), pack, data_root=toy_root
    )
    assert both.results == alone.results


def test_own_files_end_to_end(pack, records, in_both, toy_root, tmp_path):
    """Two tracks of one person with a gap, as a video gives them."""
    path = write_wham(tmp_path / f'{in_both}.pkl', as_wham(records[in_both], toy_root))
    whole = load_result(path, toy_root)
    frames, K = len(whole), records[in_both]['K_fullimg'].numpy()
    third = frames // 3
    person = whole.people[0]
    tracks = {0: person[:third], 1: replace(person[2 * third :], id=1)}
    camera = CameraMotion(K, np.tile(np.eye(4), (frames, 1, 1)), static=False)
    folder = tmp_path / 'motions' / in_both
    files = replace(whole, people=tracks, camera=camera).save(folder / 'motion.pt')
    assert len(files) == 2
    (folder / 'summary.json').write_text('{}')
    scores = score_results(folder, pack, ['emdb1_e2e'], data_root=toy_root)
    mask = records[in_both]['mask'].clone()
    labelled = mask.sum()
    mask[third : 2 * third] = False
    expected = float(100 * mask.sum() / labelled)
    assert scores.results['emdb1_e2e/coverage'] == pytest.approx(expected, abs=1)
    assert scores.results['emdb1_e2e/matched_mpjpe'] < SMALL
    # The folder of several videos, as the tool writes it.
    several = score_results(
        tmp_path / 'motions', pack, ['emdb1_e2e'], sequences=[in_both], data_root=toy_root
    )
    assert several.results == scores.results


def test_videos_without_a_result_count_as_lost(pack, records, in_both, toy_root, tmp_path):
    write_wham(tmp_path / f'{in_both}.pkl', as_wham(records[in_both], toy_root))
    scores = score_results(tmp_path, pack, ['emdb1_e2e'], data_root=toy_root)
    videos = LabelledVideos(pack, toy_root).videos
    assert sorted(scores.lost_videos) == sorted(set(videos) - {in_both})
    tested = [infos[0] for infos in videos.values() if 'emdb1' in infos[0].splits]
    if len(tested) > 1:
        assert scores.results['emdb1_e2e/coverage'] < 99
    per_sequence = scores.metrics[0].per_sequence
    assert set(per_sequence) == {info.name for info in tested}
    assert all(r['frames'] == 0 for name, r in per_sequence.items() if name != in_both)


def test_errors(pack, records, in_both, toy_root, tmp_path):
    with pytest.raises(MissingFilesError, match='absent.pkl'):
        score_results(tmp_path / 'absent.pkl', pack, data_root=toy_root)
    path = write_wham(tmp_path / f'{in_both}.pkl', as_wham(records[in_both], toy_root))
    with pytest.raises(DataError, match='30 frames per second, as the labels, got 25'):
        score_results(path, pack, data_root=toy_root, fps=25)
    with pytest.raises(ConfigError, match='`protocol` should be of'):
        score_results(path, pack, ['emdb3'], data_root=toy_root)
    with pytest.raises(MissingFilesError):
        score_results(path, tmp_path / 'nothing', data_root=toy_root)


def test_the_tool(call, pack, records, in_both, toy_root, tmp_path):
    path = write_wham(tmp_path / f'{in_both}.pkl', as_wham(records[in_both], toy_root))
    code, out, err = call(
        'score', path, '--against', pack, '--data-root', toy_root, '--out', tmp_path / 'out'
    )
    assert code == 0, err
    assert 'Coverage' in out and 'emdb1_e2e' in out
    results = json.loads((tmp_path / 'out' / 'results.json').read_text())
    assert results['results']['emdb1_e2e/matched_mpjpe'] < SMALL
    assert results['protocols']['emdb1_e2e']['end_to_end'] is True
    page = tmp_path / 'page.html'
    code, out, err = call('score', path, '--against', pack, '--data-root', toy_root, '--page', page)
    assert code == 0 and str(page) in out, err
    assert in_both in page.read_text()
    code, _, err = call('score', path, '--against', pack, '--page', 'page.mp4')
    assert code == 2 and '--page' in err
    code, _, err = call('score', path, '--against', pack, '--min-overlap', '0')
    assert code == 2 and '--min-overlap' in err
