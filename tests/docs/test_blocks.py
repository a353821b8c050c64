"""Python blocks of the pages that no other test runs, as they stand."""

import os
import shutil
from functools import partial

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample

import gvhmr_da_mm
from benchmarks.adaptation.methods import read_variants
from gvhmr_da_mm.apis import load_config
from gvhmr_da_mm.compat import import_mmpose
from gvhmr_da_mm.datasets.packs import PackWriter
from gvhmr_da_mm.datasets.validation import CHECKS
from gvhmr_da_mm.models import model_zoo
from gvhmr_da_mm.registry import DATASETS, MODELS, TASK_UTILS
from gvhmr_da_mm.structures import write_motion_dump
from gvhmr_da_mm.video.camera_file import read_camera_poses
from tests.apis.inferencers.conftest import FRAMES, checkpoint, keypoints  # noqa: F401
from tests.apis.video_adaptation.conftest import SHORT, somebody, source  # noqa: F401
from tests.models.publishing import publish, save_checkpoint
from tests.testing import toy_model_config
from tests.video.videos import write_video

from .markdown import CONFIGS, ENGLISH, REPO_ROOT, blocks

MAIN = CONFIGS / 'da_bedlam_emdb_3dpw.py'
HERE = {
    'architecture.md': 1, 'data.md': 3, 'experiments.md': 1, 'install.md': 1,
    'models.md': 1, 'packs.md': 3, 'training.md': 1, 'videos.md': 3, 'visualization.md': 2,
}  # fmt: skip
"""Numbers of the blocks that are run here; that of a pack's writer is run with the converters."""
ELSEWHERE = {'evaluation.md', 'extending.md', 'recipes.md'}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return a function that runs the block of a page with a word, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def _run(page, word, **scope):
        scope['__name__'] = 'my_project'
        exec(compile(block(page, word), page, 'exec'), scope)
        return scope

    return _run


@pytest.fixture
def own_config(tmp_path):
    """Return a function that loads a config with the block of a page at its end."""

    def _load(page, word):
        shutil.copytree(REPO_ROOT / 'configs', tmp_path / 'configs')
        path = tmp_path / 'configs' / 'mine.py'
        inherit = (
            'from mmengine.config import read_base\n\nwith read_base():\n    from .{} import *\n'
        )
        path.write_text(inherit.format(MAIN.stem) + '\n' + block(page, word))
        return load_config(path)

    return _load


def block(page, word):
    (code,) = [code for code in blocks(ENGLISH / page) if word in code]
    return code


def test_no_block_is_left_out():
    counts = {page.name: len(blocks(page)) for page in ENGLISH.glob('*.md')}
    assert {n: c for n, c in counts.items() if c and n not in ELSEWHERE} == HERE


def test_mmpose_is_imported(run):
    assert run('architecture.md', 'import_mmpose')['models'] is import_mmpose('models')
    visualizers = run('install.md', 'import_mmpose')['visualizers']
    assert visualizers is import_mmpose('visualization')


def test_shipped_models_are_listed(run, toy_root, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(model_zoo, 'FOLDER', tmp_path / 'weights')
    monkeypatch.setenv('GVHMR_DATA_ROOT', str(toy_root))
    model = toy_model_config(toy_root, num_layers=1)
    publish(model_zoo.FOLDER, save_checkpoint(tmp_path / 'a.pth', model))
    scope = run('models.md', 'list_models')
    assert capsys.readouterr().out == 'toy-model A toy.\n'
    assert len(MODELS.build(scope['config'].model).backbone.blocks) == 1


def test_variants_of_the_benchmark(tmp_path):
    path = tmp_path / 'variants.py'
    path.write_text(block('experiments.md', 'variants'))
    variants = read_variants(path)
    assert list(variants) == ['two_views', 'adversarial', 'feet']
    for options in variants.values():
        load_config(MAIN, dict(options))


def test_a_cluster_of_slurm(tmp_path, monkeypatch):
    """The scheduler starts here; a stub of `sbatch` takes the jobs."""
    pytest.importorskip('dask_jobqueue')
    code = block('packs.md', 'SLURMCluster')
    code = code.replace('/shared/scheduler.json', str(tmp_path / 'scheduler.json'))
    code = code.replace('threading.Event().wait()', 'script = cluster.job_script()\n    close()')
    (tmp_path / 'sbatch').write_text('#!/bin/sh\necho Submitted batch job 7\n')
    (tmp_path / 'sbatch').chmod(0o755)
    monkeypatch.setenv('PATH', str(tmp_path), prepend=os.pathsep)
    scope = dict(__name__='__main__')
    scope['close'] = lambda: scope['cluster'].close()
    exec(compile(code, 'packs.md', 'exec'), scope)
    script = scope['script']
    for part in (
        '-p cpu',
        '--cpus-per-task=8',
        '--mem=30G',
        '-t 04:00:00',
        '--nthreads 1',
        '--nworkers 8',
        '--lifetime 3h50m',
        '/shared/gvhmr_da_mm/.venv/bin/python',
    ):
        assert part in script, script
    assert 'tcp://' in (tmp_path / 'scheduler.json').read_text()


def test_recordings_and_their_cameras(run, tmp_path):
    scope = {}
    code = block('data.md', 'AMASSDataset').replace('\nAMASSDataset(', '\ndataset = AMASSDataset(')
    exec(compile(code, 'data.md', 'exec'), scope)
    dataset = scope['dataset']
    assert dataset.exclude == ('*/treadmill*',)
    assert dataset.camera.kinds == ('static', 'pan', 'handheld')


def test_simulated_detector_noise(own_config):
    noise = own_config('data.md', 'DetectorNoise').model.estimator.train_cfg.keypoint_noise
    assert TASK_UTILS.get(noise.type) is not None


def test_a_check_of_ones_own(run):
    try:
        run('data.md', "sequence_check('long')")
        assert 'long' in CHECKS
    finally:
        CHECKS.pop('long', None)


def test_a_dataset_of_a_pack(run, tmp_path):
    with PackWriter(tmp_path / 'packs' / 'my_videos', 'my_videos') as writer:
        frames = 90
        arrays = dict(
            bbx_xys=torch.tensor([[320.0, 240.0, 200.0]]).repeat(frames, 1),
            K_fullimg=torch.tensor([[800.0, 0, 320], [0, 800, 240], [0, 0, 1]]),
            R_w2c=torch.eye(3).repeat(frames, 1, 1),
        )
        writer.add('clip_0', arrays, dict(img_wh=(640, 480)))
    videos = run('packs.md', 'PackDataset')['videos']
    dataset = DATASETS.build(dict(videos, data_root=str(tmp_path)))
    assert dataset.dataset == 'my_videos' and len(dataset) == 1


def test_a_runner_of_ones_own_loads_safely(run):
    loaded = []

    class Runner:
        def load_checkpoint(self, path):
            loaded.append(path)

    run('training.md', 'safe_checkpoint_loading', runner=Runner())
    assert loaded == ['epoch_10.pth']


def test_cameras_of_a_video(run, tmp_path):
    run('videos.md', 'T_w2c')
    poses = read_camera_poses(tmp_path / 'NAME.npz')
    assert poses.K[0, 0] == 1680 and poses.up == '+z'


def test_motions_of_videos(run, checkpoint, toy_root, tmp_path, monkeypatch, capsys):  # noqa: F811
    (tmp_path / 'my_videos').mkdir()
    write_video(tmp_path / 'my_videos' / 'walk.mp4', FRAMES)
    options = dict(weights=checkpoint, data_root=toy_root, device='cpu')
    options['keypoints'] = str(keypoints(tmp_path / 'people.npz', [(0, FRAMES)]))
    inferencer = partial(gvhmr_da_mm.MotionInferencer, **options)
    monkeypatch.setattr(gvhmr_da_mm, 'MotionInferencer', inferencer)
    run('videos.md', 'MotionInferencer')
    assert f'0 1.0 ({FRAMES}, 22, 3)' in capsys.readouterr().out
    assert (tmp_path / 'walk.bvh').is_file() and (tmp_path / 'motions/walk/overlay.mp4').is_file()
    run('../../README.md', 'MotionInferencer')
    assert f'0 1.0 ({FRAMES}, 22, 3)' in capsys.readouterr().out
    assert (tmp_path / 'walk.glb').is_file()


def test_adaptation_to_videos(run, source, toy_root, tmp_path, monkeypatch, capsys):  # noqa: F811
    (tmp_path / 'my_videos').mkdir()
    write_video(tmp_path / 'my_videos' / 'walk.mp4', 64)
    somebody(tmp_path / 'people.npz')
    options = dict(
        data_root=toy_root,
        device='cpu',
        keypoints=str(tmp_path / 'people.npz'),
        options=SHORT,
        camera='static',
    )

    def adapt(model, videos, out_dir):
        assert model is None
        return adapt_videos(model, videos, source, out_dir, **options)

    adapt_videos = gvhmr_da_mm.adapt
    monkeypatch.setattr(gvhmr_da_mm, 'adapt', adapt)
    run('videos.md', 'import adapt')
    kept, scores = capsys.readouterr().out.split('{', 1)
    assert kept.split()[-1] in ('source', 'adapted') and 'reprojection_px' in scores
    assert (tmp_path / 'adapted' / 'adapted.pth').is_file()


def test_pictures_on_videos(own_config):
    hook = own_config('visualization.md', 'video_path').default_hooks.visualization
    assert hook.enable and hook.video_path == 'videos/{dataset}/{sequence}.mp4'
    assert hook.type.__name__ == 'MotionVisualizationHook'


def test_mmpose_draws_a_prediction(run, tmp_path):
    frames = 30
    sample = PoseDataSample(
        metainfo=dict(dataset='emdb2', sequence='SEQUENCE', start=0, end=frames)
    )
    sample.pred_instances = InstanceData(
        keypoints=np.random.default_rng(0).normal(size=(frames, 22, 3)) + [0, 0, 4],
        keypoint_scores=np.ones((frames, 22)),
    )
    write_motion_dump(tmp_path / 'predictions/emdb2/SEQUENCE.npz', sample.to_dict(), {})
    run('visualization.md', 'Pose3dLocalVisualizer')
    assert (tmp_path / 'pose.png').stat().st_size > 1000
