"""The evaluation of models that see keypoints alone: one command, one summary."""

import json
import re

import pytest
import torch
from mmengine.config import Config

from gvhmr_da_mm.apis import keypoint_model
from gvhmr_da_mm.core.errors import DataError
from gvhmr_da_mm.registry import MODELS
from gvhmr_da_mm.video import view_observation
from tests.apis.keypoint_model.scenes import Scene
from tests.datasets.mocap.recordings import write
from tests.testing import toy_model_config

TOOL = 'analysis_tools/evaluate_keypoint_model'
MOCAP = {'pa_mpjpe', 'mpjpe', 'w_mpjpe', 'wa_mpjpe', 'rte', 'fs', 'jitter', 'gravity_deg'}
CONFIG = """
from mmengine.config import read_base
from gvhmr_da_mm.models.refiners import KeypointRefiner

with read_base():
    from gvhmr_da_mm.configs.gvhmr_bedlam import *

model.update(test_cfg=dict(refiner=dict(type=KeypointRefiner, steps=2)))
"""


@pytest.fixture(scope='module')
def checkpoint(toy_root, tmp_path_factory):
    """Return the checkpoint of a network that knows its sizes."""
    torch.manual_seed(0)
    config = toy_model_config(toy_root, num_layers=1)
    path = tmp_path_factory.mktemp('checkpoint') / 'model.pth'
    meta = dict(cfg=Config(dict(model=config)).pretty_text)
    torch.save(dict(state_dict=MODELS.build(config).state_dict(), meta=meta), path)
    return path


@pytest.fixture
def config(tmp_path):
    """Return a config with a short fit."""
    path = tmp_path / 'short.py'
    path.write_text(CONFIG)
    return path


@pytest.fixture
def mocap(tmp_path):
    write(tmp_path / 'mocap' / '01' / 'a_stageii.npz')
    return tmp_path / 'mocap'


def test_both_evaluations(call, toy_root, tmp_path, checkpoint, config, mocap, monkeypatch):
    (tmp_path / 'videos').mkdir()
    scene = Scene(tmp_path / 'videos', toy_root)
    monkeypatch.setattr(view_observation, 'build_detector', scene.detector)
    out = tmp_path / 'out'
    code, printed, err = call(
        TOOL, '--model', checkpoint, '--mocap', mocap, '--calibrated', scene.folder, '--out', out,
        '--clips', 2, '--data-root', toy_root, '--config', config,
    )  # fmt: skip
    assert code == 0, err
    summary = json.loads((out / 'summary.json').read_text())
    for stage in ('network', 'fitted'):
        assert set(summary['mocap'][stage]) > MOCAP
    for camera in ('cam0', 'cam1', 'cam2', 'cam3'):
        result = summary['calibrated'][camera]
        for method in ('ours', 'mediapipe'):
            assert {'pa_mpjpe', 'mpjpe'} < set(result[method])
        assert result['gravity_deg'] > 0 and (out / f'{camera}.png').is_file()
        assert f'{camera}, ours' in printed
    mean = summary['calibrated_mean']['ours']
    assert mean['pa_mpjpe'] > 0 and 'mean, ours' in printed and 'PA-MPJPE' in printed


def test_the_stand_in_body_by_default(call, tmp_path, checkpoint, config, mocap, monkeypatch):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    out = tmp_path / 'out'
    code, _, err = call(
        TOOL, '--model', checkpoint, '--mocap', mocap, '--out', out, '--clips', 1,
        '--config', config,
    )  # fmt: skip
    assert code == 0, err
    (body,) = (tmp_path / 'cache' / 'gvhmr_da_mm').iterdir()
    assert body.name.startswith('stand_in_body') and (body / 'body_models').is_dir()
    assert 'calibrated' not in json.loads((out / 'summary.json').read_text())


@pytest.mark.parametrize(
    'options, message',
    [
        (['--model', 'model.pth'], '`--mocap DIR`, `--calibrated DIR` or both'),
        (['--model', 'nothing', '--mocap', '.'], "no checkpoint 'nothing'"),
        (['--model', 'damaged', '--mocap', '.'], 'damaged cannot be read'),
        (['--model', 'model.pth', '--mocap', 'empty'], 'empty should hold motion capture'),
        (['--model', 'model.pth', '--calibrated', 'empty'], 'one calibration of its cameras'),
        (['--model', 'model.pth', '--mocap', '.', '--clips', '0'], '`--clips`.*at least 1'),
        (['--model', 'model.pth', '--mocap', '.', '--config', 'other.py'], 'should be a GVHMR'),
    ],
)
def test_wrong_input(call, toy_root, tmp_path, checkpoint, mocap, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'model.pth').symlink_to(checkpoint)
    (tmp_path / 'damaged').write_bytes(b'PK\x03\x04')
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'other.py').write_text(
        "model = dict(type='SMPLXLight', data_root=None)\ndefault_scope = 'gvhmr_da_mm'\n"
    )
    code, _, err = call(TOOL, *options, '--out', 'out', '--data-root', toy_root)
    assert code == 2
    assert re.search(message, err), err
    assert 'Traceback' not in err


@pytest.fixture
def earlier(tmp_path):
    """Return the files of the result of an earlier run, written to ``out``."""
    files = {'mocap.csv': 'of another model', 'cam0.png': 'its picture', 'of_mine.png': 'a picture'}
    files['summary.json'] = json.dumps(dict(model='other', calibrated=dict(cam0={})))
    (tmp_path / 'out').mkdir()
    for name, content in files.items():
        (tmp_path / 'out' / name).write_text(content)
    return files


def files_of(folder):
    return {file.name: file.read_text() for file in folder.iterdir() if file.is_file()}


@pytest.mark.parametrize(
    'wrong',
    [['--subjects', 'nobody'], ['--calibrated', 'empty'], ['--model', 'nothing'], ['--clips', '0']],
)
def test_wrong_input_leaves_an_earlier_result(
    call, toy_root, tmp_path, checkpoint, mocap, monkeypatch, earlier, wrong
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'empty').mkdir()
    options = ['--model', checkpoint, '--mocap', mocap, '--out', 'out', '--data-root', toy_root]
    code, _, _ = call(TOOL, *options, *wrong)
    assert code == 2
    assert files_of(tmp_path / 'out') == earlier
    assert not (tmp_path / 'out' / '.stages').exists()


def test_a_failure_sets_an_earlier_result_aside(
    call, toy_root, tmp_path, checkpoint, mocap, monkeypatch, earlier
):
    """Beside the failure it would pass for the result of the present run."""

    def no_luck(*args, **kwargs):
        raise DataError('no luck')

    monkeypatch.setattr(keypoint_model, 'evaluate_mocap', no_luck)
    out = tmp_path / 'out'
    code, printed, err = call(
        TOOL, '--model', checkpoint, '--mocap', mocap, '--out', out, '--data-root', toy_root
    )
    assert code == 2 and 'no luck' in err
    mine = {'of_mine.png': earlier.pop('of_mine.png')}
    assert files_of(out) == mine
    assert files_of(out / '.stages' / 'earlier') == earlier
    assert 'what an earlier run left is now in' in printed


def test_one_evaluation_has_no_files_of_the_other(
    call, toy_root, tmp_path, checkpoint, mocap, monkeypatch, earlier
):
    (tmp_path / 'videos').mkdir()
    folder = Scene(tmp_path / 'videos', toy_root).folder
    monkeypatch.setattr(keypoint_model, 'evaluate_calibrated', lambda *_, **__: {})
    out = tmp_path / 'out'
    code, _, err = call(
        TOOL, '--model', checkpoint, '--calibrated', folder, '--out', out, '--data-root', toy_root
    )
    assert code == 0, err
    assert set(files_of(out)) == {'of_mine.png', 'summary.json'}
    assert 'other' not in (out / 'summary.json').read_text()
