"""`tools/train.py --dry-run`: everything once, and nothing written."""

import pytest
import torch
from mmengine.config import Config

from gvhmr_da_mm.apis import dry_run as try_out
from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.engine.loops.dry_run_loop import DryRunLoop
from gvhmr_da_mm.models import DomainAdaptiveGVHMR
from gvhmr_da_mm.registry import LOOPS
from tests.tool_calls import REPO_ROOT, SHRINK, TINY

SMALL = [*SHRINK, 'train_dataloader.batch_size=2']


def tree(*folders):
    """Return all files below some folders with size and time."""
    return {
        path: (path.stat().st_size, path.stat().st_mtime_ns)
        for folder in folders
        for path in folder.rglob('*')
    }


@pytest.fixture
def dry_run(call, toy_root, tmp_path, monkeypatch):
    """Call the tool in an empty folder and check that nothing is there afterwards."""
    empty = tmp_path / 'empty'
    empty.mkdir()
    monkeypatch.chdir(empty)
    monkeypatch.setenv('COLUMNS', '120')

    def _dry_run(*options, more=(), config=TINY, root=toy_root):
        before = tree(empty, toy_root)
        result = call(
            'train', config, '--data-root', root, '--dry-run', *more,
            '--cfg-options', *SMALL, *options,
        )  # fmt: skip
        assert tree(empty, toy_root) == before
        return result

    return _dry_run


def test_everything_is_tried_once(dry_run, tmp_path):
    code, out, err = dry_run(more=['--work-dir', tmp_path / 'never'])
    assert code == 0, err
    assert not (tmp_path / 'never').exists()
    for text in ('bedlam', 'emdb_train', '3dpw_train', 'emdb1', 'emdb2', '3dpw', 'val/test'):
        assert text in out
    for text in ('(120, 17, 3)', 'critic', 'student', 'MiB', 'Nothing was written'):
        assert text in out
    trained = [line for line in out.splitlines() if 'train ' in line and '│ synthetic' in line]
    assert len(trained) == 1 and trained[0].count('-') == 0


def test_weights_are_loaded_and_options_taken(dry_run, tmp_path):
    code, _, err = dry_run(f'load_from={tmp_path / "none.pth"}')
    assert code == 2 and 'none.pth' in err
    other = tmp_path / 'other.pth'
    torch.save(dict(state_dict={'student.backbone.weight': torch.zeros(1)}), other)
    code, _, err = dry_run(f'load_from={other}')
    assert code == 2 and 'CheckpointError' in err and 'does not fit' in err
    code, _, err = dry_run('model.predict_on=nobody')
    assert code == 2 and 'ConfigError' in err and 'nobody' in err


def test_a_loss_that_is_not_finite_is_told(dry_run):
    code, _, err = dry_run('model.synthetic_weight=1e38')
    assert code == 2
    assert 'DivergenceError' in err and '`synthetic_loss` = inf' in err and 'bedlam' in err


def test_an_error_without_a_name_gets_one(dry_run, monkeypatch):
    def broken(self, *args, **kwargs):
        raise ZeroDivisionError('something odd')

    monkeypatch.setattr(DomainAdaptiveGVHMR, 'train_step', broken)
    code, _, err = dry_run()
    assert code == 2
    assert 'DryRunError: training on a synthetic batch of' in err
    assert 'ZeroDivisionError: something odd' in err and 'test_dry_run.py' in err
    assert 'Traceback' not in err


def test_missing_test_data_is_named_unless_it_is_left_out(dry_run, packs):
    packs.remove('3DPW/hmr4d_support/test_3dpw_gt_labels.pt')
    code, _, err = dry_run(root=packs.root)
    assert code == 2 and 'test_3dpw_gt_labels.pt' in err
    code, out, err = dry_run(root=packs.root, more=['--no-validate'])
    assert code == 0, err
    assert 'emdb1' not in out and 'emdb_train' in out


def test_supervised_training(dry_run, call, toy_root):
    options = [option.replace('model.estimator', 'model') for option in SHRINK]
    code, out, err = call(
        'train', REPO_ROOT / 'configs' / 'gvhmr_demo.py', '--data-root', toy_root, '--dry-run',
        '--no-validate', '--cfg-options', *options, 'train_dataloader.batch_size=2',
    )  # fmt: skip
    assert code == 0, err
    assert 'bedlam' in out and 'backbone' in out


def test_launchers_are_refused():
    with pytest.raises(ConfigError, match='one process'):
        try_out(Config(dict(launcher='pytorch')))


def test_the_loop_is_registered():
    assert LOOPS.get('DryRunLoop') is DryRunLoop
