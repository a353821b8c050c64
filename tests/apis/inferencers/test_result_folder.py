"""What an earlier run wrote is never taken for the result of one that failed."""

import json
from contextlib import contextmanager

import pytest

from gvhmr_da_mm.apis.inferencers import ResultFolder
from gvhmr_da_mm.core.errors import DataError
from gvhmr_da_mm.structures import MotionResult
from gvhmr_da_mm.video.stage_clock import StageClock


def run(inferencer, video, out, **options):
    return next(inferencer(video, fit=False, camera='static', out_dir=out, **options))


def contents(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}


@contextmanager
def no_luck():
    """Let results not be written."""

    def fail(self, path, **options):
        raise DataError('no luck')

    with pytest.MonkeyPatch.context() as patch, pytest.raises(DataError, match='no luck'):
        patch.setattr(MotionResult, 'save', fail)
        yield


def test_a_failure_sets_the_earlier_result_aside(inferencer, video, tmp_path):
    out, folder = tmp_path / 'out', tmp_path / 'out' / 'walk'
    run(inferencer, video, out, formats=('npz', 'bvh'))
    (folder / 'of_mine.txt').touch()
    earlier = contents(folder)
    del earlier['of_mine.txt']
    with no_luck():
        run(inferencer, video, out, people='largest')
    assert set(contents(folder)) == {'summary.json', 'of_mine.txt'}
    summary = json.loads((folder / 'summary.json').read_text())
    assert summary['failure']['message'] == 'no luck'
    assert contents(folder / '.stages' / 'earlier') == earlier
    assert summary['earlier'] == str(folder / '.stages' / 'earlier')
    # A second failure keeps it.
    with no_luck():
        run(inferencer, video, out, people='longest')
    assert contents(folder / '.stages' / 'earlier') == earlier
    assert 'earlier' in json.loads((folder / 'summary.json').read_text())
    # It is the result again when it is asked for again.
    run(inferencer, video, out, formats=('npz', 'bvh'))
    after = contents(folder)
    assert json.loads(after['summary.json'])['reused'] == ['detect', 'network', 'draw', 'export']
    assert {n: after[n] for n in earlier if n != 'summary.json'} == {
        n: earlier[n] for n in earlier if n != 'summary.json'
    }
    assert not (folder / '.stages' / 'earlier').exists()


def test_another_result_replaces_the_one_that_was_set_aside(inferencer, video, tmp_path):
    places = dict(vis_out_dir=tmp_path / 'v', pred_out_dir=tmp_path / 'p')
    run(inferencer, video, None, **places)
    with no_luck():
        run(inferencer, video, None, people='largest', **places)
    assert contents(tmp_path / 'v' / 'walk') == {}
    assert set(contents(tmp_path / 'p' / 'walk')) == {'summary.json'}
    run(inferencer, video, None, people='longest', **places)
    assert set(contents(tmp_path / 'v' / 'walk')) == {'overlay.mp4', 'world.html'}
    assert set(contents(tmp_path / 'p' / 'walk')) == {'motion.npz', 'summary.json'}
    assert not (tmp_path / 'p' / 'walk' / '.stages' / 'earlier').exists()


def test_what_a_run_wrote_before_it_failed_stays(inferencer, video, tmp_path, monkeypatch):
    run(inferencer, video, tmp_path)
    save = MotionResult.save

    def fail_at_npz(self, path, **options):
        if path.suffix == '.npz':
            raise DataError('no luck')
        return save(self, path, **options)

    monkeypatch.setattr(MotionResult, 'save', fail_at_npz)
    with pytest.raises(DataError):
        run(inferencer, video, tmp_path, people='largest')
    folder = tmp_path / 'walk'
    assert set(contents(folder)) == {'overlay.mp4', 'world.html', 'summary.json'}
    assert set(contents(folder / '.stages' / 'earlier')) == {
        'motion_0.npz', 'motion_1.npz', 'summary.json',
    }  # fmt: skip


def test_a_failure_without_an_earlier_result(tmp_path):
    ResultFolder.of('walk', None, tmp_path).summarise_failure(DataError('no'), StageClock())
    assert 'earlier' not in json.loads((tmp_path / 'walk' / 'summary.json').read_text())
    ResultFolder.of('walk', None, None).summarise_failure(DataError('no'), StageClock())


def test_files_are_known_wherever_a_command_runs(inferencer, video, tmp_path, monkeypatch):
    """A relative path of another folder is another file."""
    (tmp_path / 'a').mkdir()
    (tmp_path / 'b').mkdir()
    monkeypatch.chdir(tmp_path / 'a')
    run(inferencer, video, 'out')
    monkeypatch.chdir(tmp_path / 'b')
    run(inferencer, video, 'out')
    run(inferencer, video, '../a/out', people='largest')
    assert set(contents(tmp_path / 'a' / 'out' / 'walk')) == {
        'motion.npz', 'overlay.mp4', 'world.html', 'summary.json',
    }  # fmt: skip
    assert 'motion_1.npz' in contents(tmp_path / 'b' / 'out' / 'walk')
    (tmp_path / 'a').rename(tmp_path / 'c')
    run(inferencer, video, tmp_path / 'c' / 'out', people='largest')
    summary = json.loads((tmp_path / 'c' / 'out' / 'walk' / 'summary.json').read_text())
    assert 'draw' in summary['reused'] and 'export' in summary['reused']
