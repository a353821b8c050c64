import json

import pytest

from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.datasets.splits import emdb_splits
from gvhmr_da_mm.demo import DemoSize, generate_demo, read_manifest
from gvhmr_da_mm.demo.__main__ import main
from gvhmr_da_mm.demo.packs import emdb, threedpw
from gvhmr_da_mm.demo.packs.emdb import choose_names
from gvhmr_da_mm.demo.size import resolve_size


def test_manifest_lists_every_file(demo_root):
    manifest = read_manifest(demo_root)
    found = {p.relative_to(demo_root).as_posix() for p in demo_root.rglob('*') if p.is_file()}
    assert {file['path'] for file in manifest['files']} == found - {'manifest.json'}
    assert manifest['seed'] == 3 and manifest['shift']['focal'] == 1.0
    assert not list(demo_root.parent.glob('.*partial*'))


def test_finished_demo_is_left_alone(demo_root):
    before = (demo_root / 'manifest.json').stat().st_mtime_ns
    assert generate_demo(demo_root, seed=3, size='toy', progress=False) == demo_root
    assert (demo_root / 'manifest.json').stat().st_mtime_ns == before


def test_other_arguments_are_refused(demo_root):
    with pytest.raises(ConfigError, match='overwrite'):
        generate_demo(demo_root, seed=4, size='toy', progress=False)


def test_folder_of_somebody_else_is_refused(tmp_path):
    (tmp_path / 'thesis.tex').write_text('...')
    with pytest.raises(ConfigError, match='not a demo'):
        generate_demo(tmp_path, size='toy', progress=False, overwrite=True)
    assert (tmp_path / 'thesis.tex').exists()


def test_unknown_size(tmp_path):
    with pytest.raises(ConfigError, match='toy'):
        generate_demo(tmp_path / 'x', size='huge', progress=False)


@pytest.mark.parametrize('clips', [16, 17, 60, 300, 499, 500])
def test_a_size_is_a_number_of_clips(clips):
    size = resolve_size(clips)
    assert resolve_size(str(clips)) == size
    emdb = choose_names(size.emdb1, size.emdb2, size.emdb_training)
    test = size.threedpw_test + len(emdb) - size.emdb_training
    unlabelled = size.emdb_training + size.threedpw_train
    assert size.bedlam + unlabelled + test == clips
    assert size.bedlam >= clips / 2 and unlabelled >= clips // 3 and test >= clips // 8
    assert min(size.emdb1, size.emdb2, size.threedpw_test) >= 1
    assert len((threedpw.TRAIN + threedpw.MORE_TRAIN)[: size.threedpw_train]) == size.threedpw_train
    assert len((threedpw.TEST + threedpw.MORE_TEST)[: size.threedpw_test]) == size.threedpw_test


@pytest.mark.parametrize('clips', [15, 501, '0'])
def test_size_out_of_range(tmp_path, clips):
    with pytest.raises(ConfigError, match='from 16 to 500 clips, got'):
        generate_demo(tmp_path / 'x', size=clips, progress=False)


def test_names_of_the_largest_demos():
    for names in (threedpw.TRAIN + threedpw.MORE_TRAIN, threedpw.TEST + threedpw.MORE_TEST):
        assert len(set(names)) == len(names)
    training = emdb.TRAINING + emdb.MORE_TRAINING
    assert len(set(training)) == len(training)
    assert all(emdb_splits(name) == ('train',) for name in training)


def test_failure_leaves_nothing(tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError('disk on fire')

    monkeypatch.setattr('gvhmr_da_mm.demo.generate.StandInBody', fail)
    with pytest.raises(RuntimeError, match='fire'):
        generate_demo(tmp_path / 'x', size='toy', progress=False)
    assert list(tmp_path.iterdir()) == []


def test_overwrite_replaces_and_zero_counts_work(tmp_path):
    size = DemoSize(1, 0, 0, 0, 0, 0, max_frames=60)
    root = tmp_path / 'x'
    root.mkdir()
    (root / 'manifest.json').write_text(json.dumps({'version': 0, 'files': []}))
    options = dict(size=size, progress=False, preview=False)
    with pytest.raises(ConfigError, match='overwrite'):
        generate_demo(root, **options)
    generate_demo(root, overwrite=True, **options)
    assert read_manifest(root)['size']['bedlam'] == 1


def test_command_line_reports_errors(tmp_path, capsys):
    assert main(['--out', str(tmp_path / 'x'), '--shift', '2']) == 1
    assert 'between 0 and 1' in capsys.readouterr().err


def test_preview_is_drawn(demo_root):
    assert (demo_root / 'preview.png').stat().st_size > 50_000
