"""Importing the package and predicting need no module that only POSIX systems have."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

REPO_ROOT = Path(__file__).resolve().parents[2]
# Other packages know which system they are on, so they are imported before anything is taken away.
CODE = """
    import importlib, os, pkgutil, platform, runpy, signal, sys
    import gvhmr_da_mm  # MMPose needs its stand-in for xtcocotools.
    import cv2, matplotlib.pyplot, mmengine.runner, mmpose.datasets, mmpose.evaluation, platformdirs
    import scipy, torch, yapf
    import torch.utils.tensorboard, torch.multiprocessing, torch._dynamo
    from mmengine.config import Config
    from mmengine.runner import Runner

    for module in ('fcntl', 'grp', 'posix', 'pwd', 'resource', 'syslog', 'termios'):
        sys.modules[module] = None
    for name in ('fork', 'getuid', 'geteuid', 'killpg', 'getpgid', 'sched_getaffinity', 'statvfs'):
        delattr(os, name)
    for name in ('SIGKILL', 'SIGHUP', 'SIGUSR1', 'pthread_sigmask', 'sigwaitinfo', 'SIGALRM'):
        delattr(signal, name)
    platform.system = lambda: 'Windows'  # MMEngine asks before it imports `resource`.
    real_open = os.open

    def open_as_windows(path, flags, *args, **kwargs):
        if os.path.isdir(path):
            raise PermissionError(13, 'Permission denied', path)
        return real_open(path, flags, *args, **kwargs)

    os.open = open_as_windows

    for name in [name for name in sys.modules if name.partition('.')[0] == 'gvhmr_da_mm']:
        del sys.modules[name]
    import gvhmr_da_mm
    count = 0
    for module in pkgutil.walk_packages(gvhmr_da_mm.__path__, 'gvhmr_da_mm.'):
        importlib.import_module(module.name)
        count += 1
    assert count > 100, count

    from gvhmr_da_mm.engine.loops.dry_run_loop import peak_memory
    from gvhmr_da_mm.fileio.atomic_file import write_atomically
    from tests.testing import isolated_registry, tiny_config

    assert peak_memory() is None
    root, work_dir, path, tool = sys.argv[1:]
    write_atomically(work_dir + '/file', b'content')
    assert open(work_dir + '/file', 'rb').read() == b'content'
    options = {
        'model.estimator.backbone.latent_dim': 8,
        'model.estimator.backbone.num_layers': 1,
        'model.estimator.backbone.num_heads': 1,
        'model.estimator.head.latent_dim': 8,
        'model.estimator.motion_codec.statistics': 'identity',
        'val_dataloader.dataset.datasets.emdb1.indices': 1,
        'val_dataloader.dataset.datasets.emdb2.indices': 1,
        'val_dataloader.dataset.datasets.threedpw.indices': 1,
    }
    config = tiny_config(path, root, work_dir, validate=True, options=options)
    with isolated_registry():
        runner = Runner.from_cfg(config)
        values = runner.val()
    assert values['3dpw/pa_mpjpe'] > 0
    runner.save_checkpoint(work_dir, 'some.pth', save_optimizer=False, save_param_scheduler=False)

    tested = [f'{key}={value}'.replace('val_', 'test_') for key, value in options.items()]
    sys.argv = [tool, path, work_dir + '/some.pth', '--data-root', root, '--work-dir', work_dir]
    sys.argv += ['--out', work_dir, '--dump', work_dir + '/dump', '--cfg-options', *tested]
    with isolated_registry():
        runpy.run_path(tool, run_name='__main__')
    print(sum('.npz' in name for _, _, names in os.walk(work_dir) for name in names), 'predicted')
"""


def test_without_what_posix_alone_has(toy_root, tmp_path):
    config = REPO_ROOT / 'configs' / 'da_tiny_bedlam_emdb_3dpw.py'
    tool = REPO_ROOT / 'tools' / 'test.py'
    done = subprocess.run(
        [sys.executable, '-c', textwrap.dedent(CODE), toy_root, tmp_path, config, tool],
        cwd=REPO_ROOT,
        env=dict(os.environ, PYTHONPATH=str(REPO_ROOT)),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert done.stdout.split()[-2:] == ['3', 'predicted'], done.stdout
    assert (tmp_path / 'results.json').is_file()
