import json
import sys
from pathlib import Path

import pytest
from mmengine.config import Config

from benchmarks.adaptation import scheduler
from benchmarks.adaptation.experiment import Run
from benchmarks.adaptation.result_file import RESULT_FILE, RUN_FILE, read_result, write_result
from benchmarks.adaptation.scheduler import run_all

WORKER = """
import json, sys
from pathlib import Path
folder = Path(sys.argv[1])
run = json.loads((folder / 'run.json').read_text())
with open(folder.parents[1] / 'order.txt', 'a') as file:
    file.write(run['name'] + str(run['seed']) + chr(10))
if run.get('crash'):
    sys.exit(3)
(folder / 'epoch_1.pth').touch()
(folder / 'result.json').write_text(json.dumps(dict(run, status='finished')))
"""


@pytest.fixture(autouse=True)
def quick_worker(monkeypatch, tmp_path):
    """A worker that takes no time."""
    (tmp_path / 'quick_worker.py').write_text(WORKER)
    monkeypatch.setattr(scheduler, 'WORKER_MODULE', 'quick_worker')
    monkeypatch.setenv('PYTHONPATH', str(tmp_path))


@pytest.fixture
def make(tmp_path):
    def _make(name, seed=0, source=None, fingerprint='a', **settings):
        folder = tmp_path / name / f'seed_{seed}'
        config = Config(dict(work_dir=str(folder), train_cfg=dict(max_epochs=1)))
        settings = dict(name=name, seed=seed, fingerprint=fingerprint, **settings)
        is_start = name in ('source_model', 'source')
        return Run(name, seed, folder, config, fingerprint, settings, source, is_start)

    return _make


@pytest.fixture
def order(tmp_path):
    path = tmp_path / 'order.txt'
    return lambda: path.read_text().split() if path.exists() else []


def test_sources_come_first_and_finished_runs_are_not_repeated(make, order):
    source = make('source_model')
    method = make('full', source=source)
    states = []
    run_all([method, source], 2, lambda run, state: states.append((run.name, state)))
    assert order() == ['source_model0', 'full0']
    assert states == [
        ('source_model', 'started'), ('source_model', 'finished'),
        ('full', 'started'), ('full', 'finished'),
    ]  # fmt: skip
    states.clear()
    run_all([method, source], 2, lambda run, state: states.append((run.name, state)))
    assert order() == ['source_model0', 'full0']
    assert states == [('source_model', 'finished'), ('full', 'finished')]


def test_a_method_waits_for_the_one_it_starts_from(make, order):
    model = make('source_model')
    source = make('source', source=model)
    run_all([make('source_free', source=source), source, model], 2)
    assert order() == ['source_model0', 'source0', 'source_free0']


def test_a_changed_config_is_run_again(make, order):
    run_all([make('source_model')], 1)
    run_all([make('source_model', fingerprint='b')], 1)
    assert order() == ['source_model0', 'source_model0']


def test_a_checkpoint_from_which_nothing_starts_may_be_lost(make, order):
    model = make('source_model')
    run = make('full', source=model)
    run_all([model, run], 1)
    (run.folder / 'epoch_1.pth').unlink()
    run_all([model, run], 1)
    assert order() == ['source_model0', 'full0']


@pytest.mark.parametrize('name', ['source_model', 'source'])
def test_a_lost_checkpoint_or_result_is_made_again(make, order, name):
    run = make(name)
    run_all([run], 1)
    (run.folder / 'epoch_1.pth').unlink()
    run_all([run], 1)
    (run.folder / RESULT_FILE).write_text('{"fingerprint": "a", "sta')
    run_all([run], 1)
    assert len(order()) == 3


def test_a_failure_is_recorded_and_the_others_go_on(make, order):
    good, bad = make('source_model', 0), make('source_model', 1, crash=True)
    runs = [good, bad, make('full', 0, good), make('full', 1, bad)]
    states = {}
    run_all(runs, 2, lambda run, state: states.update({(run.name, run.seed): state}))
    assert states == {
        ('source_model', 0): 'finished', ('source_model', 1): 'failed',
        ('full', 0): 'finished', ('full', 1): 'failed',
    }  # fmt: skip
    assert 'status 3' in bad.result()['error']
    assert 'was not trained' in runs[3].result()['error']
    assert sorted(order()) == ['full0', 'source_model0', 'source_model1']
    # What failed is tried again.
    bad.settings.pop('crash')
    run_all(runs, 1)
    assert all(run.finished() for run in runs)


def test_result_files_hold_plain_json(tmp_path):
    write_result(tmp_path / RUN_FILE, dict(a=float('nan'), b=[float('inf'), 1.5], c=(1, None)))
    assert json.loads((tmp_path / RUN_FILE).read_text()) == dict(a=None, b=[None, 1.5], c=[1, None])
    assert read_result(tmp_path / 'none.json') is None


def test_the_worker_finds_this_package():
    path = scheduler._environment()['PYTHONPATH'].split(':')
    assert (Path(path[0]) / 'gvhmr_da_mm').is_dir()
    assert sys.executable
