"""A dump of predictions: written by the test tool, scored again, compared, and spoilt."""

import json
import shutil
import sys

import numpy as np
import pytest
import torch

from gvhmr_da_mm.registry import MODELS
from tests.testing import isolated_registry, toy_model_config
from tests.tool_calls import SHRINK, TINY, load_tool


@pytest.fixture(scope='module')
def tested(toy_root, tmp_path_factory):
    """Return the folder of a test run with its results and dump."""
    folder = tmp_path_factory.mktemp('tested')
    model = MODELS.build(toy_model_config(toy_root, num_layers=1))
    model.init_weights()
    torch.save(dict(state_dict=model.state_dict(), meta={}), folder / 'model.pth')
    argv = ['test', TINY, folder / 'model.pth', '--data-root', toy_root, '--work-dir', folder]
    argv += ['--out', folder / 'out', '--dump', folder / 'dump', '--cfg-options', *SHRINK]
    argv += ['log_level=ERROR']
    with pytest.MonkeyPatch.context() as patch, isolated_registry():
        patch.setattr(sys, 'argv', list(map(str, argv)))
        load_tool('test').main()
    return folder


@pytest.fixture
def evaluate(call, toy_root, tmp_path):
    def _evaluate(dump, *options):
        arguments = (TINY, dump, '--data-root', toy_root, '--out', tmp_path / 'out', *options)
        return call('analysis_tools/eval_metric', *arguments)

    return _evaluate


@pytest.fixture
def dump(tested, tmp_path):
    """Return a copy that may be spoilt."""
    return shutil.copytree(tested / 'dump', tmp_path / 'dump')


def test_the_same_numbers_to_the_digit(evaluate, tested, tmp_path):
    code, printed, err = evaluate(tested / 'dump')
    assert code == 0, err
    assert 'Published' in printed
    for name in ('results.json', 'results.csv'):
        assert (tmp_path / 'out' / name).read_text() == (tested / 'out' / name).read_text()


def test_what_a_file_holds(tested):
    index = json.loads((tested / 'dump' / 'index.json').read_text())
    assert index['meta']['transductive'] is False
    assert {entry['dataset'] for entry in index['sequences']} == {'emdb1', 'emdb2', '3dpw'}
    with np.load(tested / 'dump' / index['sequences'][0]['file']) as archive:
        frames = index['sequences'][0]['frames']
        for name in ('body_pose', 'betas', 'global_orient_c', 'transl_c', 'global_orient_w',
                     'transl_w', 'static_logits', 'keypoints'):  # fmt: skip
            assert len(archive[f'pred_instances.{name}']) == frames
        assert len(archive['gt_instances.mask']) == frames
        assert json.loads(str(archive['metainfo']))['gender'] in ('male', 'female')


def test_a_folder_with_a_dump_is_refused(call, tested, toy_root, tmp_path):
    code, _, err = call(
        'test', TINY, tested / 'model.pth', '--data-root', toy_root, '--work-dir', tmp_path,
        '--dump', tested / 'dump',
    )  # fmt: skip
    assert code == 2 and 'choose another folder' in err
    code, _, err = call(
        'test', TINY, tested / 'model.pth', '--data-root', toy_root, '--work-dir', tmp_path,
        '--dump', tested / 'model.pth',
    )  # fmt: skip
    assert code == 2 and 'should be a folder' in err


def spoil(dump, change):
    """Change the arrays of one file."""
    path = sorted(dump.glob('emdb1/*.npz'))[0]
    with np.load(path) as archive:
        arrays = dict(archive)
    change(arrays)
    np.savez(path, **arrays)
    return path.name


def shorten(*owners):
    def change(arrays):
        for key in arrays:
            if key.startswith(owners):
                arrays[key] = arrays[key][:-1]

    return change


@pytest.mark.parametrize('owners', [('pred_instances',), ('pred_instances', 'gt_instances')])
def test_another_length(evaluate, dump, owners):
    name = spoil(dump, shorten(*owners))
    code, _, err = evaluate(dump)
    assert code == 2
    assert name in err and 'frames' in err


def test_missing_field(evaluate, dump):
    spoil(dump, lambda arrays: arrays.pop('pred_instances.betas'))
    code, _, err = evaluate(dump)
    assert code == 2 and 'betas' in err


def test_missing_sequence(evaluate, dump):
    path = sorted(dump.glob('emdb2/*.npz'))[0]
    path.unlink()
    code, _, err = evaluate(dump)
    assert code == 2 and path.name in err and 'missing' in err


def test_unknown_and_swapped_files(evaluate, dump):
    first, second = sorted(dump.glob('emdb1/*.npz'))
    extra = shutil.copy(first, dump / 'extra.npz')
    code, _, err = evaluate(dump)
    assert code == 2 and 'extra.npz' in err
    shutil.move(extra, second)
    code, _, err = evaluate(dump)
    assert code == 2 and second.name in err


def test_no_dump(evaluate, dump, tmp_path):
    code, _, err = evaluate(tmp_path)
    assert code == 2 and 'index.json' in err
    (dump / 'index.json').write_text('{}')
    code, _, err = evaluate(dump)
    assert code == 2 and 'index.json' in err


def test_compare(call, tested, tmp_path, monkeypatch):
    monkeypatch.setenv('COLUMNS', '160')
    path = tested / 'out' / 'results.json'
    better = json.loads(path.read_text())
    for records in better['per_sequence'].values():
        for record in records.values():
            record.update({name: 0.5 * value for name, value in record.items() if name != 'frames'})
    (tmp_path / 'better.json').write_text(json.dumps(better))
    code, printed, err = call('analysis_tools/compare', path, tmp_path / 'better.json')
    assert code == 0, err
    assert 'better' in printed and 'worse │' not in printed
    for sequence in better['per_sequence']['3dpw']:
        assert sequence in printed
    code, printed, err = call('analysis_tools/compare', path, path, '--metric', 'rte')
    assert code == 0, err
    code, _, err = call('analysis_tools/compare', path, tested / 'out' / 'results.csv')
    assert code == 2 and 'results.csv' in err
    code, _, err = call('analysis_tools/compare', path, path, '--level', '95')
    assert code == 2 and '--level' in err
