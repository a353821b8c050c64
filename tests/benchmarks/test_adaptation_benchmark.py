"""The whole tool on toy packs, and its errors on bad input."""

import csv
import json
import multiprocessing
import os
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks.adaptation import scheduler
from benchmarks.adaptation.result_file import LOG_FILE
from gvhmr_da_mm.datasets.splits import EMDB1_PREFIXES, EMDB2_PREFIXES
from tests.tool_calls import REPO_ROOT

TESTED = EMDB1_PREFIXES + EMDB2_PREFIXES
TOOL = '../benchmarks/adaptation_benchmark'
TINY = '--source-epochs 1 --epochs 1 --batches-per-epoch 2 --batch-size 2 --filter-clips 2'.split()
CAMERA = {'pa_mpjpe', 'mpjpe', 'pve', 'accel'}
WORLD = {'wa_mpjpe', 'w_mpjpe', 'rte', 'jitter', 'fs'}
KEYS = {
    *(
        f'{name}/{metric}'
        for name in ('emdb1', '3dpw', 'val_emdb', 'val_3dpw')
        for metric in CAMERA
    ),
    *(f'{name}/{metric}' for name in ('emdb2', 'val_emdb') for metric in WORLD),
}


class ForkedWorker:
    """A worker process, forked from one that has imported everything already."""

    context = multiprocessing.get_context('forkserver')

    def __init__(self, command, env, **options):
        assert command[1:3] == ['-m', scheduler.WORKER_MODULE]
        self.process = self.context.Process(target=work, args=(command[3], env))
        self.process.start()
        self.terminate = self.process.terminate

    def wait(self):
        self.process.join()
        return self.process.exitcode


def work(folder, environment):
    os.environ.update(environment)
    with (Path(folder) / LOG_FILE).open('w', encoding='utf-8') as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    from benchmarks.adaptation.worker import main

    raise SystemExit(main(Path(folder)))


def test_methods_from_end_to_end(call, toy_root, tmp_path, monkeypatch):
    monkeypatch.setenv('PYTHONPATH', str(REPO_ROOT))
    ForkedWorker.context.set_forkserver_preload([scheduler.WORKER_MODULE])
    forking = SimpleNamespace(**{**vars(subprocess), 'Popen': ForkedWorker})
    monkeypatch.setattr(scheduler, 'subprocess', forking)
    arguments = ['--out', tmp_path, '--data-root', toy_root, '--seeds', 1, '--hold-out', *TINY]
    code, output, _ = call(TOOL, *arguments, '--methods', 'source,full,source_free,oracle')
    assert code == 0 and str(tmp_path) in output.replace('\n', '')
    summary = json.loads((tmp_path / 'summary.json').read_text())
    tested = ['source', 'full', 'source_free', 'oracle', 'source_refined', 'full_network',
              'source_free_network', 'oracle_refined']  # fmt: skip
    assert list(summary['methods']) == tested
    for method in summary['methods'].values():
        assert KEYS == {key for key in method if '/' in key}
        assert all(set(method[key]) >= {'mean', 'std', 'values'} for key in KEYS)
        assert method['emdb1/pa_mpjpe']['mean'] == method['emdb1/pa_mpjpe']['values'][0] > 0
        assert KEYS == set(method['gap_closed']) == set(method['gap_closed_refined'])
    alone, refined = (summary['methods'][name] for name in ('full_network', 'full'))
    assert alone['emdb1/pa_mpjpe']['mean'] != refined['emdb1/pa_mpjpe']['mean']
    assert refined['gap_closed_refined'] == alone['gap_closed_refined']
    source, oracle = (summary['methods'][f'{name}_refined'] for name in ('source', 'oracle'))
    for key, share in refined['gap_closed_refined'].items():
        start, value, end = (one[key]['mean'] for one in (source, refined, oracle))
        if None in (start, value, end) or end >= start:
            assert share is None and key in refined['gap_refined_notes']
        else:
            assert share == pytest.approx((start - value) / (start - end))
    assert any(share is not None for share in refined['gap_closed_refined'].values())
    assert summary['methods']['full']['kept_ratio'] is not None
    assert summary['methods']['oracle']['kept_ratio'] is None
    assert list(summary['filters']) == ['full', 'source_free']
    free = list(tmp_path.glob('runs/source_free/seed_0/*/*.log'))[0].read_text()
    assert 'Source-free: there are no labelled clips' in free
    assert {'auroc', 'spearman', 'kept_error', 'dropped_error', 'sources'} <= set(summary['filter'])
    assert summary['settings']['shift'] is None and summary['settings']['steps'] == 2
    assert summary['versions']['torch'] and summary['seconds'] > 0

    rows = list(csv.DictReader((tmp_path / 'results.csv').open()))
    assert {(row['method'], row['metric']) for row in rows} == {
        (method, key) for method in tested for key in KEYS
    }
    table = (tmp_path / 'table.md').read_text()
    assert '| `full` |' in table and '| `full_network` |' in table
    for name in ('training.png', 'confidence_full.png'):
        assert (tmp_path / name).stat().st_size > 10_000

    # A second call finds everything done; a failure of one method, in a process that is started
    # as it is by the tool, leaves the others.
    monkeypatch.setattr(scheduler, 'subprocess', subprocess)
    times = {path: path.stat().st_mtime_ns for path in tmp_path.glob('runs/*/*/result.json')}
    broken = tmp_path / 'broken.json'
    broken.write_text(json.dumps({'broken': {'model.pseudo_labeler.view_weights': [2.0, 2.0]}}))
    code, _, error = call(TOOL, *arguments, '--methods', 'full', '--variants', broken)
    assert code == 1
    assert 'broken, seed 0: ConfigError' in error and 'view_weights' in error
    assert all(path.stat().st_mtime_ns == time for path, time in times.items())
    summary = json.loads((tmp_path / 'summary.json').read_text())
    assert summary['methods']['full']['emdb1/pa_mpjpe']['values']
    assert list(summary['methods']['broken']['failed']) == ['0']


@pytest.mark.parametrize(
    'arguments, message',
    [
        (['--methods', 'full,magic'], "'magic'; known are source"),
        (['--methods', 'full,source_free'], "name 'source' as well"),
        (['--seeds', '0'], '`--seeds` should be at least 1, got 0'),
        (['--jobs', '0'], '`--jobs` should be at least 1'),
        (['--shift', '0.5'], 'leave out `--data-root`'),
        (['--packs', 'mocap'], 'leave out `--data-root`'),
        (['--variants', 'no_file.json'], 'no_file.json'),
    ],
)
def test_bad_options(call, toy_root, tmp_path, arguments, message):
    code, _, error = call(TOOL, '--out', tmp_path, '--data-root', toy_root, *arguments)
    assert code == 2 and message in error
    assert not (tmp_path / 'runs').exists()


def test_bad_shift(call, tmp_path):
    code, _, error = call(TOOL, '--out', tmp_path, '--shift', 'much')
    assert code == 2 and '`--shift`' in error
    code, _, error = call(TOOL, '--out', tmp_path, '--shift', '2', '--size', 'toy')
    assert code == 2 and 'between 0 and 1' in error


def test_recorded_motion(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv('GVHMR_MOCAP', raising=False)
    out = ['--out', tmp_path / 'out']
    code, _, error = call(TOOL, *out, '--packs', 'mocap')
    assert code == 2 and '`--mocap DIR`' in error
    code, _, error = call(TOOL, *out, '--mocap', tmp_path)
    assert code == 2 and '`--packs mocap` only' in error
    code, _, error = call(TOOL, *out, '--packs', 'mocap', '--mocap', tmp_path)
    assert code == 2 and 'SUBJECT/RECORDING.npz' in error
    code, _, error = call(TOOL, *out, '--size', '7')
    assert code == 2 and 'from 16 to 500' in error
    assert not list(tmp_path.rglob('runs'))


def test_empty_data_root(call, tmp_path):
    (tmp_path / 'empty').mkdir()
    code, _, error = call(TOOL, '--out', tmp_path / 'out', '--data-root', tmp_path / 'empty')
    assert code == 2 and 'MissingFilesError' in error and 'smplpose_v2.pth' in error
    code, _, error = call(TOOL, '--out', tmp_path / 'out', '--data-root', tmp_path / 'none')
    assert code == 2 and 'is not a folder' in error


def test_packs_without_training_sequences(call, packs, tmp_path):
    packs.keep('EMDB/hmr4d_support/emdb_vit_v4.pt', lambda name: name.startswith(TESTED))
    code, _, error = call(TOOL, '--out', tmp_path / 'out', '--data-root', packs.root)
    assert code == 2 and 'training split of EMDB is empty' in error
