"""The test tool: a table, files, and reasons."""

import csv
import json

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from mmengine.config import Config

from gvhmr_da_mm import visualization
from gvhmr_da_mm.apis import load_config
from gvhmr_da_mm.datasets.packs import PackWriter
from gvhmr_da_mm.engine.hooks import motion_visualization_hook
from gvhmr_da_mm.evaluation import read_index
from gvhmr_da_mm.registry import MODELS
from tests.testing import toy_model_config
from tests.tool_calls import SHRINK, TINY

METRICS = {
    *(f'{name}/{metric}' for name in ('emdb1', '3dpw')
      for metric in ('pa_mpjpe', 'mpjpe', 'pve', 'accel')),
    *(f'emdb2/{metric}' for metric in ('wa_mpjpe', 'w_mpjpe', 'rte', 'jitter', 'fs')),
}  # fmt: skip
# One sequence of each protocol, predicted once.
FEW = [
    'model.estimator.test_cfg.flip_test=False',
    *(f'test_dataloader.dataset.datasets.{name}.indices=1'
      for name in ('emdb1', 'emdb2', 'threedpw')),
]  # fmt: skip
LABELS = ['PA-MPJPE', 'MPJPE', 'PVE', 'Accel', 'WA-MPJPE', 'W-MPJPE', 'RTE', 'Jitter', 'sliding']


@pytest.fixture(scope='module')
def checkpoint(toy_root, tmp_path_factory):
    """Return a checkpoint of a plain network; the adaptive config takes it as it is."""
    model = MODELS.build(toy_model_config(toy_root, num_layers=1))
    model.init_weights()
    path = tmp_path_factory.mktemp('checkpoint') / 'model.pth'
    torch.save(dict(state_dict=model.state_dict(), meta={}), path)
    return path


def arguments(root, work_dir, checkpoint, *options):
    return [TINY, checkpoint, '--data-root', root, '--work-dir', work_dir, '--cfg-options',
            *SHRINK, 'log_level=ERROR', *options]  # fmt: skip


def test_all_thirteen_numbers_beside_the_published_ones(call, toy_root, tmp_path, checkpoint):
    out = tmp_path / 'results'
    code, printed, err = call(
        'test', *arguments(toy_root, tmp_path, checkpoint)[:-len(SHRINK) - 2], '--out', out,
        '--cfg-options', *SHRINK, 'log_level=ERROR',
    )  # fmt: skip
    assert code == 0, err
    assert len(METRICS) == 13
    for text in (*LABELS, 'emdb1', 'emdb2', '3dpw', 'Published', '274.9', str(out)):
        assert text in printed, text
    results = json.loads((out / 'results.json').read_text())
    assert set(results['protocols']) == {'emdb1', 'emdb2', '3dpw'}
    for name, facts in results['protocols'].items():
        assert f'{name}: {facts["space"]} space; joints {facts["regressor"]}' in printed
    assert METRICS - set(results['results']) == set()
    assert all(results['results'][name] > 0 for name in METRICS - {'emdb2/fs'})
    assert {row['protocol'] for row in results['comparison']} == {'emdb1', 'emdb2', '3dpw'}
    assert len(results['per_sequence']['emdb1']) == 2
    with open(out / 'results.csv') as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 13


def test_results_lie_in_the_run_s_folder_by_default(call, toy_root, tmp_path, checkpoint):
    code, printed, err = call('test', *arguments(toy_root, tmp_path, checkpoint, *FEW))
    assert code == 0, err
    (path,) = tmp_path.glob('*/results.json')
    assert METRICS - set(json.loads(path.read_text())['results']) == set()


def test_pictures_in_files_and_windows(call, toy_root, tmp_path, checkpoint, monkeypatch):
    tool = arguments(toy_root, tmp_path, checkpoint, *FEW)
    monkeypatch.setattr(plt, 'get_backend', lambda: 'agg')
    code, _, err = call('test', *tool[:2], '--show')
    assert code == 2 and 'there is no display' in err and '--show-dir FOLDER' in err

    shown = []
    monkeypatch.setattr(visualization, 'require_display', lambda: None)
    monkeypatch.setattr(motion_visualization_hook, 'require_display', lambda: None)
    monkeypatch.setattr(
        visualization.MotionLocalVisualizer,
        'show',
        lambda self, image, win_name, wait_time: shown.append((win_name, wait_time)),
    )
    options = ('--show', '--wait-time', '0.2', '--show-dir', tmp_path / 'pictures')
    code, _, err = call('test', *tool[:2], *options, *tool[2:])
    assert code == 0, err
    files = sorted(path.stem for path in (tmp_path / 'pictures/test_iter_0').iterdir())
    assert files and sorted(shown) == [(name, 0.2) for name in files]


def test_the_sizes_of_the_network_need_no_options(call, toy_root, tmp_path, checkpoint):
    trained_with = Config(dict(model=toy_model_config(toy_root, num_layers=1)))
    content = torch.load(checkpoint, weights_only=True)
    content['meta'] = dict(cfg=trained_with.pretty_text)
    path = tmp_path / 'epoch_1.pth'
    torch.save(content, path)
    results = []
    for name, file, options in (('options', checkpoint, SHRINK), ('none', path, [])):
        out = tmp_path / name
        code, printed, err = call(
            'test', TINY, file, '--data-root', toy_root, '--work-dir', tmp_path, '--out', out,
            '--cfg-options', *options, *FEW, 'log_level=WARNING',
        )  # fmt: skip
        assert code == 0, err
        said = 'model.estimator.backbone.num_heads=2 (config: ' in printed + err
        assert said == (name == 'none')
        results.append(json.loads((out / 'results.json').read_text())['results'])
    assert results[0] == results[1]


def test_it_needs_no_training_data(call, packs, tmp_path, checkpoint):
    packs.remove('BEDLAM')
    packs.remove('3DPW/hmr4d_support/train_refit_smplx.pt')
    code, _, err = call('test', *arguments(packs.root, tmp_path / 'run', checkpoint, *FEW))
    assert code == 0, err


@pytest.fixture
def unlabelled_config(toy_root, tmp_path):
    """Return the config with videos that have no labels as the test set of EMDB-1's metric."""
    frames = 40
    arrays = dict(
        bbx_xys=np.full((frames, 3), 50.0),
        kp2d=np.full((frames, 17, 3), 0.9),
        K_fullimg=np.diag([100.0, 100.0, 1.0]),
        R_w2c=np.tile(np.eye(3), (frames, 1, 1)),
    )
    with PackWriter(tmp_path / 'pack', 'emdb1') as writer:
        writer.add('a', arrays, dict(img_wh=(100, 100)))
    config = load_config(TINY, data_root=toy_root)
    video = dict(type='PackDataset', data_root=str(toy_root), pack=str(tmp_path / 'pack'))
    video.update(dataset='emdb1', test_mode=True)
    config.test_dataloader.dataset.datasets = dict(video=video)
    config.model.estimator.test_cfg.flip_test = False
    config.dump(tmp_path / 'unlabelled.py')
    return tmp_path / 'unlabelled.py'


@pytest.mark.parametrize('options', [[], ['test_evaluator=None']])
def test_without_labels_there_are_predictions_and_no_scores(
    call, unlabelled_config, toy_root, tmp_path, checkpoint, options
):
    _, *rest = arguments(toy_root, tmp_path / 'run', checkpoint, *options)
    code, printed, err = call('test', unlabelled_config, *rest[:1], '--dump', tmp_path / 'dump',
                              *rest[1:])  # fmt: skip
    assert code == 0, err
    assert printed.count('No scores') == 1 and 'Published' not in printed
    (entry,) = read_index(tmp_path / 'dump')[0]
    assert (entry.dataset, entry.frames) == ('emdb1', 40)
    assert (tmp_path / 'dump' / entry.file).exists()
    assert not list((tmp_path / 'run').rglob('results.json'))
    scored = call('analysis_tools/eval_metric', TINY, tmp_path / 'dump', '--data-root', toy_root)
    failed(*scored[::2], 'DataError', 'should hold labelled sequences')


def failed(code, err, *parts):
    assert code == 2, err
    assert 'Traceback' not in err
    for part in parts:
        assert part in err, (part, err)


def test_a_missing_checkpoint(call, toy_root, tmp_path):
    failed(*call('test', *arguments(toy_root, tmp_path, 'none.pth'))[::2], "'none.pth'")


def test_a_file_that_is_no_checkpoint(call, toy_root, tmp_path):
    path = tmp_path / 'text.pth'
    path.write_text('hello')
    failed(*call('test', *arguments(toy_root, tmp_path, path))[::2], 'text.pth')


def test_another_architecture(call, toy_root, tmp_path, checkpoint):
    deeper = arguments(toy_root, tmp_path, checkpoint, 'model.estimator.backbone.num_layers=2')
    failed(
        *call('test', *deeper)[::2],
        'CheckpointError', 'backbone.blocks.1', '`model.estimator.backbone` as there',
    )  # fmt: skip


def test_a_missing_body_model(call, packs, tmp_path, checkpoint):
    packs.remove('body_models/smpl/SMPL_MALE.pkl')
    missing = call('test', *arguments(packs.root, tmp_path / 'run', checkpoint))
    failed(*missing[::2], 'SMPL_MALE.pkl')
