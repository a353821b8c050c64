import errno
import os

import pytest
import torch
from mmengine.hooks import LoggerHook
from mmengine.model import PretrainedInit
from mmengine.runner import Runner
from torch import nn

from gvhmr_da_mm.cli.command_line import check_output_folder, report_errors
from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.registry import HOOKS
from tests.tool_calls import REPO_ROOT


def test_folders_that_can_be_written(tmp_path):
    for folder in (None, tmp_path, tmp_path / 'new' / 'inner'):
        check_output_folder('--out', folder)
    assert list(tmp_path.iterdir()) == []


def test_folders_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / 'file').write_text('')
    for folder in (tmp_path / 'file', tmp_path / 'file' / 'inner'):
        with pytest.raises(ConfigError, match=r'`--out` should be a folder.*file.* is a file'):
            check_output_folder('--out', folder)
    # Root may write everywhere, so the system's answer is changed.
    monkeypatch.setattr(os, 'access', lambda path, mode: False)
    with pytest.raises(ConfigError, match='may not be written to'):
        check_output_folder('--out', tmp_path)


@pytest.mark.parametrize('option', ['--out', '--dump', '--show-dir', '--work-dir'])
def test_a_test_does_not_begin_where_its_result_cannot_be_written(call, tmp_path, option):
    (tmp_path / 'file').write_text('')
    config = REPO_ROOT / 'configs' / 'da_bedlam_emdb_3dpw.py'
    code, _, err = call('test', config, tmp_path / 'none.pth', option, tmp_path / 'file' / 'inner')
    assert code == 2 and f'`{option}` should be a folder' in err


def test_errors_of_the_disk_name_the_place(capsys):
    @report_errors
    def full():
        raise OSError(errno.ENOSPC, 'No space left on device', '/data/out.bvh')

    with pytest.raises(SystemExit) as end:
        full()
    assert end.value.code == 2
    assert "StorageError: '/data/out.bvh'" in capsys.readouterr().err

    @report_errors
    def broken():
        raise OSError('no file is to blame')

    with pytest.raises(OSError, match='no file'):
        broken()


@HOOKS.register_module(name='LoggerOfAUser')
class LoggerOfAUser(LoggerHook):
    """A class outside the package, whose faults need a traceback."""

    def __init__(self):
        super().__init__(interval=0)


@pytest.mark.parametrize(
    'config, message',
    [
        (dict(type='LoggerHook', interval=0), 'interval must be greater than 0'),
        (dict(type='LoggerHook', intervals=1), 'intervals'),
        (dict(type='SafeCheckpointHook', save_best='mpjpe', rule='smaller'), 'smaller'),
    ],
)
def test_what_a_class_of_a_library_refuses_is_told_without_a_traceback(capsys, config, message):
    @report_errors
    def build():
        HOOKS.build(config)

    with pytest.raises(SystemExit) as end:
        build()
    assert end.value.code == 2
    err = capsys.readouterr().err
    assert err.startswith('ConfigError: ') and config['type'] in err and message in err


def test_a_loader_that_pytorch_refuses_is_told(capsys):
    loader = dict(
        dataset=[1, 2], sampler=dict(type='DefaultSampler'), batch_size=1, timeout=-1, num_workers=0
    )

    @report_errors
    def build():
        Runner.build_dataloader(loader)

    with pytest.raises(SystemExit):
        build()
    assert 'timeout' in capsys.readouterr().err


def test_a_prefix_of_no_weights_is_told(capsys, tmp_path):
    path = tmp_path / 'source.pth'
    torch.save(dict(state_dict={'backbone.weight': torch.ones(1)}), path)
    network = nn.Linear(1, 1)

    @report_errors
    def initialise():
        PretrainedInit(str(path), prefix='neck.')(network)

    with pytest.raises(SystemExit):
        initialise()
    err = capsys.readouterr().err
    assert "the prefix 'neck.'" in err and str(path) in err


def test_bugs_keep_their_traceback():
    @report_errors
    def build(config):
        HOOKS.build(config)

    with pytest.raises(ValueError, match='interval'):
        build(dict(type='LoggerOfAUser'))

    @report_errors
    def broken():
        [].remove(1)

    with pytest.raises(ValueError, match='remove'):
        broken()


@pytest.mark.parametrize('backend', ['gloo', 'nccl'])
def test_a_backend_is_no_launcher(call, backend):
    config = REPO_ROOT / 'configs' / 'da_bedlam_emdb_3dpw.py'
    code, _, err = call('train', config, '--launcher', backend)
    assert code == 2 and 'tools/dist_train.sh' in err
    assert f'env_cfg.dist_cfg.backend={backend}' in err


@pytest.mark.parametrize('option', ["custom_hooks=[dict(type='EMAHook', momentum=1)]", 'epochs'])
def test_overrides_that_cannot_be_read(call, option):
    config = REPO_ROOT / 'configs' / 'da_bedlam_emdb_3dpw.py'
    code, _, err = call('train', config, '--cfg-options', option)
    assert code == 2 and 'expected KEY=VALUE' in err and option in err.replace('\\', '')
