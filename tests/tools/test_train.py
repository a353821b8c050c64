"""The training tool: one command from data to checkpoint, and what it says when it cannot."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from tests.testing import last_checkpoint, read_log
from tests.tool_calls import REPO_ROOT, SHORT, SHRINK, TINY

BEDLAM = 'BEDLAM/hmr4d_support'
EMDB = 'EMDB/hmr4d_support/emdb_vit_v4.pt'
RANGES = [f'{BEDLAM}/mid_to_valid_range_{part}.pt' for part in ('all60', 'maxspan60')]
# Clips of half a second.
SHORT_CLIPS = [
    f'train_dataloader.dataset.datasets.{name}.{option}'
    for name in ('bedlam', 'emdb', 'threedpw')
    for option in ('min_len=10', 'max_len=20')
]


def arguments(root, work_dir, *options, more=()):
    return [TINY, '--data-root', root, '--work-dir', work_dir, *more, '--cfg-options', *SHORT,
            *options]  # fmt: skip


# Runs


@pytest.mark.slow
def test_train_validate_and_resume(call, toy_root, tmp_path):
    validated = [
        f'val_dataloader.dataset.datasets.{name}.indices=1'
        for name in ('emdb1', 'emdb2', 'threedpw')
    ]
    code, _, err = call('train', *arguments(toy_root, tmp_path, *SHORT_CLIPS, *validated))
    assert code == 0, err
    entries = read_log(tmp_path)
    assert entries[-1]['emdb2/wa_mpjpe'] > 0 and entries[-1]['3dpw/pa_mpjpe'] > 0
    assert last_checkpoint(tmp_path).name == 'epoch_2.pth'

    more = ('--resume', '--no-validate')
    code, _, err = call(
        'train',
        *arguments(toy_root, tmp_path, *SHORT_CLIPS, 'train_cfg.max_epochs=3', more=more),
    )
    assert code == 0, err
    assert last_checkpoint(tmp_path).name == 'epoch_3.pth'
    resumed = read_log(tmp_path)
    assert resumed[0]['step'] == 6  # Logged every other step: 5 and 6.
    assert resumed[-1]['confidence_threshold'] == pytest.approx(0.5)
    assert not any('emdb1/mpjpe' in entry for entry in resumed)


def test_debug_is_short_and_logs_everything(call, toy_root, tmp_path):
    options = [option for option in SHRINK if 'log_level' not in option]
    code, _, err = call(
        'train', TINY, '--data-root', toy_root, '--work-dir', tmp_path, '--debug',
        '--cfg-options', 'log_level=ERROR', 'train_dataloader.batch_size=1', *SHORT_CLIPS, *options,
    )  # fmt: skip
    assert code == 0, err
    entries = [entry for entry in read_log(tmp_path) if 'synthetic_loss' in entry]
    assert len(entries) == 8


def test_resume_without_a_checkpoint_starts(call, toy_root, tmp_path):
    more = ('--resume', '--no-validate')
    code, _, err = call(
        'train',
        *arguments(toy_root, tmp_path, *SHORT_CLIPS, 'train_cfg.max_epochs=1', more=more),
    )
    assert code == 0, err
    assert last_checkpoint(tmp_path).name == 'epoch_1.pth'


def test_a_short_clip_is_used_whole_or_left_out(call, packs, tmp_path):
    lengths = iter((10, 40))

    def shorten(mid, value):
        start, end = (int(frame) for frame in value)
        return type(value)((start, start + next(lengths, end - start)))

    packs.change(RANGES[0], shorten)
    code, _, err = call('train', *arguments(packs.root, tmp_path / 'run', more=['--no-validate']))
    assert code == 0, err


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_was(call, toy_root, tmp_path):
    """Killed without warning in the middle of an epoch; another process finishes the job."""
    options = [
        *SHRINK,
        *SHORT_CLIPS,
        'model.pseudo_labeler.refiner.steps=1',
        'train_dataloader.batch_size=1',
        'train_dataloader.batch_sampler.batches_per_epoch=8',
        'default_hooks.logger.interval=1',
    ]

    def command(epochs, *more):
        return [TINY, '--data-root', toy_root, '--work-dir', tmp_path, '--no-validate', *more,
                '--cfg-options', *options, f'train_cfg.max_epochs={epochs}']  # fmt: skip

    process = subprocess.Popen(
        [sys.executable, REPO_ROOT / 'tools' / 'train.py', *command(1000)],
        env=dict(os.environ, PYTHONPATH=str(REPO_ROOT)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
    )
    try:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and process.poll() is None:
            # Between two checkpoints, so that work is lost.
            if _steps(tmp_path) >= 18:
                break
            time.sleep(0.02)
        assert process.poll() is None, process.stderr.read().decode()[-2000:]
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stderr.close()
    saved = last_checkpoint(tmp_path)
    reached = torch.load(saved, weights_only=False)['meta']['epoch']
    assert 2 <= reached <= 20

    time.sleep(1.1)  # MMEngine names the folder of a run by the second it started.
    final = reached + 1
    code, _, err = call('train', *command(final, '--resume'))
    assert code == 0, err
    entries = read_log(tmp_path)
    assert [entry['step'] for entry in entries] == [8 * reached + i for i in range(1, 9)]
    threshold = min(0.4 + 0.05 * reached, 0.5)
    assert entries[-1]['confidence_threshold'] == pytest.approx(threshold)
    checkpoint = torch.load(last_checkpoint(tmp_path), weights_only=False)
    assert checkpoint['meta']['epoch'] == final and checkpoint['meta']['iter'] == 8 * final
    for state in checkpoint['optimizer']['model']['state'].values():
        assert float(state['step']) == 8 * final


def _steps(work_dir):
    files = list(work_dir.glob('*/vis_data/scalars.json'))
    return len(files[0].read_text().splitlines()) if files else 0


# What goes wrong


def without_key(key):
    def change(name, record):
        del record[key]

    return change


def with_value(key, function):
    def change(name, record):
        record[key] = function(record[key].clone())

    return change


def nan_at_frame_3(tensor):
    tensor[3] = torch.nan
    return tensor


def too_short(mid, value):
    start = int(value[0])
    return type(value)((start, start + 10))


BAD_DATA = {
    'no body model': (lambda p: p.remove('body_models'), ['SMPLX_NEUTRAL.npz', 'SMPL_MALE.pkl']),
    'no pack': (lambda p: p.remove(f'{BEDLAM}/smplpose_v2.pth'), ['smplpose_v2.pth', 'BEDLAM']),
    'no features': (lambda p: p.remove(f'{BEDLAM}/imgfeats/bedlam_all60'), ['bedlam_all60']),
    'no support': (lambda p: p.remove('support'), ['smplx_verts437.pt', 'smplx2smpl_sparse.pt']),
    'missing key': (
        lambda p: p.change(EMDB, without_key('kp2d')),
        ['emdb_vit_v4.pt', '`kp2d`', 'got none'],
    ),
    'wrong shape': (
        lambda p: p.change(f'{BEDLAM}/smplpose_v2.pth', with_value('pose', lambda x: x[:, :63])),
        ['smplpose_v2.pth', '`pose`', 'F 66', '63'],
    ),
    'NaN': (
        lambda p: p.change(f'{BEDLAM}/smplpose_v2.pth', with_value('trans', nan_at_frame_3)),
        ['smplpose_v2.pth', '`trans`', 'NaN or infinity first at frame 3'],
    ),
    'short clips': (
        lambda p: [p.change(name, too_short) for name in RANGES],
        ['bedlam', 'no usable clip', 'min_frames=30'],
    ),
    'only test sequences': (
        lambda p: p.keep(EMDB, lambda name: name.startswith(('P1_14', 'P0_09', 'P6_49'))),
        ['emdb_train', 'convert the raw EMDB', 'transductive=True'],
    ),
}


def assert_one_paragraph(code, err, *parts):
    assert code == 2, err
    assert 'Traceback' not in err and '\n\n' not in err.strip()
    assert len(err.strip().splitlines()) < 25
    for part in parts:
        assert part in err, (part, err)


@pytest.mark.parametrize('case', BAD_DATA)
def test_bad_data_ends_with_a_reason(call, packs, tmp_path, case):
    spoil, parts = BAD_DATA[case]
    spoil(packs)
    code, _, err = call('train', *arguments(packs.root, tmp_path / 'run'))
    assert_one_paragraph(code, err, *parts)


def test_missing_files_are_listed_all_at_once(call, packs, tmp_path):
    removed = ['body_models/smplx', f'{BEDLAM}/smplpose_v2.pth', EMDB, 'support/smplx_verts437.pt']
    for name in removed:
        packs.remove(name)
    code, _, err = call('train', *arguments(packs.root, tmp_path / 'run'))
    assert_one_paragraph(code, err, *(name.rpartition('/')[2] for name in removed), '--data-root')


def test_an_error_in_a_worker_reads_the_same(call, packs, tmp_path):
    spoil, parts = BAD_DATA['NaN']
    spoil(packs)
    # The statistics are read in the main process: let a file give them.
    statistics = tmp_path / 'statistics.npz'
    np.savez(statistics, mean=np.zeros(151), std=np.ones(151))
    options = [
        'train_dataloader.num_workers=1',
        f'model.estimator.motion_codec.statistics={statistics}',
    ]
    code, _, err = call('train', *arguments(packs.root, tmp_path / 'run', *options))
    assert_one_paragraph(code, err, *parts)


def test_a_checkpoint_brings_its_sizes_and_options_cannot_change_them(call, toy_root, tmp_path):
    more, short = ['--no-validate'], [*SHORT_CLIPS, 'train_cfg.max_epochs=1']
    code, _, err = call('train', *arguments(toy_root, tmp_path / 'a', *short, more=more))
    assert code == 0, err
    checkpoint = last_checkpoint(tmp_path / 'a')
    wide = ['model.estimator.backbone.latent_dim=48', 'model.estimator.head.latent_dim=48']
    code, _, err = call(
        'train', *arguments(toy_root, tmp_path / 'b', *wide, f'load_from={checkpoint}', more=more)
    )
    assert_one_paragraph(code, err, 'CheckpointError', '48', '32', 'latent_dim', 'backbone.')
    command = arguments(toy_root, tmp_path / 'c', *short, f'load_from={checkpoint}', more=more)
    code, _, err = call('train', *(part for part in command if part not in SHRINK))
    assert code == 0, err
    shapes = [
        {
            name: tensor.shape
            for name, tensor in torch.load(path, weights_only=False)['state_dict'].items()
        }
        for path in (checkpoint, last_checkpoint(tmp_path / 'c'))
    ]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize('content', [b'', b'not a checkpoint', None], ids=['empty', 'text', 'dir'])
@pytest.mark.parametrize('how', ['load_from', 'resume'])
def test_a_file_that_is_no_checkpoint(call, toy_root, tmp_path, content, how):
    path = tmp_path / 'some.pth'
    path.mkdir() if content is None else path.write_bytes(content)
    more = ['--no-validate'] + (['--resume', path] if how == 'resume' else [])
    options = [f'load_from={path}'] if how == 'load_from' else []
    code, _, err = call('train', *arguments(toy_root, tmp_path / 'run', *options, more=more))
    assert_one_paragraph(code, err, str(path))


@pytest.mark.parametrize(
    'option, parts',
    [
        ('train_cfg.max_epoch=3', ['max_epochs']),
        ('model.predict_on=momentum', ["('student', 'teacher')", 'momentum']),
        ('model.pseudo_labeler.num_augmentations=9', ['between 1 and', 'got 9']),
        ('optim_wrapper.model.precision=fp16', ['needs a GPU', 'bf16']),
        ('optim_wrapper.model.precision=fp8', ['fp8', 'fp32']),
        ('default_hooks.confidence_threshold.end=0.2', ['`end`', '0.2']),
        ('train_dataloader.batch_sampler.alternating_ratio=-1', ['alternating_ratio', '-1']),
        ('load_from=nowhere.pth', ['nowhere.pth']),
    ],
)
def test_a_bad_option_ends_with_a_reason(call, toy_root, tmp_path, monkeypatch, option, parts):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    code, _, err = call('train', *arguments(toy_root, tmp_path, option, more=['--no-validate']))
    assert_one_paragraph(code, err, *parts)


@pytest.mark.parametrize(
    'arguments, parts',
    [
        (['configs/none.py'], ["'configs/none.py'", 'mim search']),
        ([TINY, '--data-root', 'nowhere'], ["'nowhere'", 'not a folder']),
        ([TINY, '--resume', 'none.pth'], ["'none.pth'"]),
    ],
)
def test_paths_that_do_not_exist(call, arguments, parts):
    code, _, err = call('train', *arguments)
    assert_one_paragraph(code, err, *parts)
