"""One call: what it writes, what a second one uses again, and which model is kept."""

import json
import shutil

import numpy as np
import pytest
import torch

import gvhmr_da_mm
from gvhmr_da_mm.apis import load_stored_config
from gvhmr_da_mm.apis.video_adaptation import stages, training
from gvhmr_da_mm.core.errors import CheckpointError, ConfigError, DataError, StorageError
from gvhmr_da_mm.models import DomainAdaptiveGVHMR
from gvhmr_da_mm.visualization.training_log import read_training_log
from tests.apis.inferencers.conftest import checkpoint  # noqa: F401
from tests.models.publishing import publish
from tests.video.videos import square, write_video

from .conftest import FRAMES, save_source, somebody


def student(path):
    state = torch.load(path, weights_only=False)['state_dict']
    return {name: value for name, value in state.items() if name.startswith('student.')}


def same(one, other):
    return all(torch.equal(value, other[name]) for name, value in one.items())


def test_files_and_a_second_run(run, source, tmp_path, monkeypatch):
    result = run(drawn=True)
    out = tmp_path / 'out'
    names = {file.name for file in out.iterdir()} - {'.stages'}
    assert names == {'adapted.pth', 'report.json', 'report.html', 'walk.mp4'}
    report = json.loads((out / 'report.json').read_text())
    for when in ('before', 'after'):
        for stage in ('heldout', 'heldout_fitted'):
            scores = report[when][stage]
            assert set(scores) == {'reprojection_px', 'contact', 'jitter', 'confidence'}
            assert scores['reprojection_px'] > 0 and scores['jitter'] > 0
    assert report['kept'] == result.kept and report['seconds'] > 0
    assert bool(report['reasons']) == (report['kept'] == 'source')
    assert report['videos']['walk']['trained_s'] == report['videos']['walk']['heldout_s'] == 1.1
    page = (out / 'report.html').read_text()
    assert 'walk.mp4' in page and 'data:image/jpeg' in page
    load_stored_config(out / 'adapted.pth')  # For `--weights` of other tools.
    (trained,) = out.rglob('epoch_*.pth')
    assert set(torch.load(trained, weights_only=True)) == {'state_dict', 'meta'}

    monkeypatch.setattr(training.Runner, 'from_cfg', None)
    monkeypatch.setattr(gvhmr_da_mm.apis.keypoint_model.KeypointModel, 'predict', None)
    again = run(drawn=True)
    assert (again.kept, again.before, again.after) == (result.kept, result.before, result.after)


def test_labels_of_the_fit_teach_the_world(run, tmp_path):
    # An untrained network is sure of nothing.
    threshold = 'default_hooks.confidence_threshold'
    run(**{f'{threshold}.start': 0.0, f'{threshold}.end': 0.0})
    log = read_training_log(list((tmp_path / 'out').rglob('scalars.json'))).train
    for term in ('real_cr_j3d_loss', 'real_transl_w_loss', 'real_static_conf_loss'):
        assert log[term][1][-1] > 0, term


def test_a_network_without_image_features_and_vertices(run, toy_root, tmp_path):
    body = dict(type='SMPLXLight', data_root=str(toy_root), vertices=False)
    loss = dict(type='RobustGVHMRLoss')
    weights = save_source(tmp_path / 'k.pth', toy_root, body_model=body, loss=loss)
    assert run(weights=weights).after['heldout']['reprojection_px'] > 0


def test_a_published_model(run, source, tmp_path):
    weights = publish(tmp_path / 'published', source, true_motions=2)
    assert run(weights=weights).after['heldout']['reprojection_px'] > 0
    state = torch.load(tmp_path / 'out' / 'adapted.pth', weights_only=False)['state_dict']
    assert len(state['critic.queue.body_pose']) == 2


def test_an_interrupted_training_goes_on(run):
    options = {'train_cfg.max_epochs': 2, 'train_dataloader.batch_sampler.batches_per_epoch': 2}
    done = []

    def progress(stage, number, total):
        if stage == 'adapt':
            done.append((number, total))
            if len(done) == 3:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(progress, **options)
    assert run(progress, **options).after
    assert done == [(1, 4), (2, 4), (3, 4), (3, 4), (4, 4)]


def test_an_adaptation_that_makes_it_worse_leaves_the_source(run, source, tmp_path):
    result = run(**{'optim_wrapper.model.optimizer.lr': 1e3})
    assert result.kept == 'source' and result.reasons
    assert same(student(tmp_path / 'out' / 'adapted.pth'), student(source))
    assert 'The source model was kept' in (tmp_path / 'out' / 'report.html').read_text()


def test_an_adaptation_that_diverges_is_stopped(run, source, tmp_path, monkeypatch):
    def broken(self, *args, **kwargs):
        value = next(self.student.parameters()).sum() * torch.nan
        return dict(reprojection_loss=value), {}

    monkeypatch.setattr(DomainAdaptiveGVHMR, 'real_losses', broken)
    result = run(**{'default_hooks.divergence_guard.patience': 2})
    assert result.kept == 'source' and result.after == {}
    (reason,) = result.reasons
    assert 'the training was stopped: divergence at iteration 2' in reason
    assert same(student(tmp_path / 'out' / 'adapted.pth'), student(source))


def test_videos_of_all_kinds(run, videos, tmp_path):
    """Another size and frame rate with another person is used, others are recorded."""
    given = tmp_path / 'keypoints'
    pictures = [square(t % 16, (64, 96)) for t in range(FRAMES)]
    write_video(videos / 'tall.mp4', fps=25, pictures=pictures)
    somebody(given / 'tall.npz')

    def stop(kp2d):
        kp2d[:] = kp2d[:, :1]

    def doubt(kp2d):
        kp2d[..., 2] = 0.4

    def vanish(kp2d):
        kp2d[:] = np.nan

    for name, change in dict(still=stop, unsure=doubt, nobody=vanish).items():
        write_video(videos / f'{name}.mp4', pictures=[square(0)] * FRAMES)
        somebody(given / f'{name}.npz', change)
    content = (videos / 'walk.mp4').read_bytes()
    (videos / 'truncated.mp4').write_bytes(content[: len(content) // 2])
    result = run()
    failed = {name: facts for name, facts in result.videos.items() if 'failure' in facts}
    assert set(failed) == {'still', 'unsure', 'nobody', 'truncated'}
    assert 'nothing moves' in failed['still']['notes'][0]
    assert 'confident in 0% of the frames' in failed['unsure']['notes'][0]
    assert 'no person is seen' in failed['nobody']['failure']
    assert 'damaged, half-downloaded or not a video' in failed['truncated']['failure']
    assert result.videos['tall']['trained_s'] > 1 and result.before['heldout']


def test_no_video_that_can_be_used(run, videos, source, tmp_path):
    (videos / 'walk.mp4').write_bytes(b'')
    result = run()
    assert result.kept == 'source' and result.reasons == ['no video could be used']
    assert same(student(tmp_path / 'out' / 'adapted.pth'), student(source))


def test_what_an_earlier_run_drew_of_a_video_that_fails_is_set_aside(run, videos, tmp_path):
    """Beside the failure it would pass for a drawing of the present run."""
    out = tmp_path / 'out'
    run(drawn=True)
    drawn = (out / 'walk.mp4').read_bytes()
    (videos / 'walk.mp4').write_bytes(b'')
    for _ in range(2):
        assert 'failure' in run().videos['walk']
        assert not (out / 'walk.mp4').exists()
        earlier = out / '.stages' / 'videos' / 'walk' / 'earlier'
        assert (earlier / 'walk.mp4').read_bytes() == drawn


def files_of(folder):
    """Return the contents of the files below a folder, without kept stages."""
    found = (file for file in folder.rglob('*') if file.is_file())
    names = {file: file.relative_to(folder).as_posix() for file in found}
    return {name: file.read_bytes() for file, name in names.items() if name[:7] != '.stages'}


def no_luck(*args, **kwargs):
    raise DataError('no luck')


def interrupt(*args, **kwargs):
    raise KeyboardInterrupt


def test_a_failure_sets_the_earlier_result_aside(run, tmp_path, monkeypatch):
    """Beside the failure it would pass for the result of the present run."""
    out = tmp_path / 'out'
    aside = out / '.stages' / 'earlier'
    run(drawn=True)
    earlier = files_of(out)
    assert set(earlier) == {'adapted.pth', 'report.json', 'report.html', 'walk.mp4'}
    (out / 'of_mine.txt').touch()
    # Each comes after the one before; the first sets aside, and the others leave it there.
    for step in ('train', 'write_comparison_video', 'save_weights'):
        with monkeypatch.context() as patch, pytest.raises(DataError, match='no luck'):
            patch.setattr(stages, step, no_luck)
            run(drawn=True)
        left = {'of_mine.txt', 'walk.mp4'} if step == 'save_weights' else {'of_mine.txt'}
        assert set(files_of(out)) == left and files_of(aside) == earlier
    # What it was made from is kept.
    monkeypatch.setattr(training.Runner, 'from_cfg', None)
    run(drawn=True)
    assert set(files_of(out)) == {*earlier, 'of_mine.txt'}
    assert not aside.exists()


@pytest.fixture
def result(tmp_path, source):
    """Return a folder with the result of an adaptation, and its files."""
    out = tmp_path / 'out'
    out.mkdir()
    (out / 'report.json').write_text('{"videos": {"walk": {"comparison": "walk.mp4"}}}')
    for name in ('report.html', 'walk.mp4'):
        (out / name).touch()
    shutil.copy(source, out / 'adapted.pth')
    return out, files_of(out)


def test_half_of_a_new_result_is_not_beside_an_earlier_one(run, result, monkeypatch):
    out, earlier = result
    monkeypatch.setattr(stages, 'save_weights', interrupt)
    monkeypatch.setattr(stages, 'train', lambda *_: 'no luck')
    with pytest.raises(KeyboardInterrupt):
        run(drawn=True)
    assert set(files_of(out)) == {'walk.mp4'}
    assert files_of(out / '.stages' / 'earlier') == earlier


def test_a_failure_leaves_the_source_where_it_is(run, result, monkeypatch):
    out, earlier = result
    monkeypatch.setattr(stages, 'train', no_luck)
    with pytest.raises(DataError, match='no luck'):
        run(weights=out / 'adapted.pth')
    weights = {'adapted.pth': earlier.pop('adapted.pth')}
    assert files_of(out) == weights
    assert files_of(out / '.stages' / 'earlier') == earlier


def test_an_interruption_leaves_the_earlier_result(run, result, monkeypatch):
    """It is no failure: the run goes on when it is started again."""
    out, earlier = result
    monkeypatch.setattr(stages, 'train', interrupt)
    with pytest.raises(KeyboardInterrupt):
        run()
    assert files_of(out) == earlier


def test_a_folder_that_cannot_be_written(run, tmp_path):
    (tmp_path / 'file').touch()
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out' / '.stages').touch()
    for out in (tmp_path / 'file', tmp_path / 'file' / 'out', tmp_path / 'out'):
        with pytest.raises(StorageError, match=f'cannot write to {out} .*choose another'):
            run(out=out)


def test_a_drawing_does_not_replace_a_video(run, videos, monkeypatch):
    content = (videos / 'walk.mp4').read_bytes()
    monkeypatch.chdir(videos)
    with pytest.raises(ConfigError, match=r'would replace .*walk.mp4; choose another folder'):
        run(out='.')
    assert (videos / 'walk.mp4').read_bytes() == content


def test_a_source_without_a_discriminator_is_refused_first(
    checkpoint,  # noqa: F811
    toy_root,
    tmp_path,
):
    with pytest.raises(CheckpointError, match='critic_keypoints_s_cmu.py'):
        gvhmr_da_mm.adapt(None, 'nothing.mp4', checkpoint, tmp_path / 'out', data_root=toy_root)
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('name', ['height', 'floor', 'fit', 'focus'])
def test_arguments_without_effect_are_refused(name, tmp_path):
    with pytest.raises(ConfigError, match=f'`adapt` has no field {name!r}'):
        gvhmr_da_mm.adapt(None, tmp_path, **{name: 1})


def test_the_better_model_is_kept_and_the_seed_decides(run, source, tmp_path, monkeypatch):
    monkeypatch.setattr('gvhmr_da_mm.apis.video_adaptation.stages.objections', lambda *_: [])
    first = run()
    weights = student(tmp_path / 'out' / 'adapted.pth')
    assert first.kept == 'adapted' and not same(weights, student(source))
    (tmp_path / 'out').rename(tmp_path / 'before')
    again = run()
    assert same(student(tmp_path / 'out' / 'adapted.pth'), weights)
    assert np.isclose(again.after['heldout']['jitter'], first.after['heldout']['jitter'])
