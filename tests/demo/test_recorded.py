"""Recorded motion as motions of the demo."""

import numpy as np
import pytest
import torch

from gvhmr_da_mm.core.errors import ConfigError, DataError
from gvhmr_da_mm.demo import DemoSize, generate_demo, read_manifest
from gvhmr_da_mm.demo.__main__ import main
from gvhmr_da_mm.demo.motions import RecordedMotions, choose_mocap, load_clip, perform
from gvhmr_da_mm.demo.motions.subjects import SPLITS
from tests.datasets.mocap.recordings import walk, write

WALKERS, OTHERS = ('w1', 'w2', 'w3'), ('p1', 'p2', 'p3')


def mocap(folder):
    """Write recordings of six people; three of them walk."""
    for names, clip in ((WALKERS, 'walk'), (OTHERS, 'punch')):
        poses, trans = walk(name=clip)
        poses = np.concatenate((poses, np.zeros((len(poses), 165 - 66))), axis=1)
        for name in names:
            for take in 'ab':
                path = folder / 'CMU' / name / f'{name}_{take}_stageii.npz'
                write(path, poses=poses, trans=trans)
    return folder


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return mocap(tmp_path_factory.mktemp('mocap'))


@pytest.fixture
def motions(folder, demo_root):
    return RecordedMotions(folder, demo_root)


def draw(motions, split, seed=0, frames=60, usual=()):
    rng = np.random.default_rng(seed)
    if split == 'synthetic':
        return motions.synthetic(frames, rng)
    return motions.real(usual, split == 'test', frames, rng)


def subjects(motions):
    recordings = motions.report()['recordings']
    return [{name.split('/')[1] for name in names} for names in recordings.values()]


def test_people_of_the_splits_differ(motions):
    for split in SPLITS:
        for seed in range(12):
            draw(motions, split, seed)
    used = subjects(motions)
    assert all(names & set(WALKERS) and names & set(OTHERS) for names in used)
    assert sum(map(len, used)) == len(set.union(*used)) == 6


def test_sequences_of_walks_show_walks(motions):
    for seed in range(8):
        draw(motions, 'test', seed, usual=('run', 'spin'))
        draw(motions, 'unlabelled', seed, usual=('walk',))
    assert set.union(*subjects(motions)) <= set(WALKERS)


def test_a_recording_is_read_as_it_was(motions):
    takes = draw(motions, 'test', frames=60, usual=('walk',))
    recorded = load_clip('walk')
    starts = range(len(recorded) - len(takes[0].clip) + 1)
    errors = [
        (takes[0].clip.rotations - recorded[start : start + len(takes[0].clip)].rotations)
        .abs()
        .max()
        for start in starts
    ]
    assert min(errors) < 1e-4
    clip = recorded[int(np.argmin(errors)) :][: len(takes[0].clip)]
    torch.testing.assert_close(takes[0].clip.pelvis, clip.pelvis, atol=5e-3, rtol=0)


def test_long_motions_join_recordings_of_one_person(motions, studio):
    takes = draw(motions, 'unlabelled', frames=200, usual=('walk',))
    assert len(takes) == 2 and len(subjects(motions)[1]) == 1
    rng = np.random.default_rng(0)
    show = perform(takes, 200, torch.zeros(10), studio.smplx, rng)
    assert len(show.transl) == 200
    _, vertices = studio.smplx(show.body_pose, show.betas, show.global_orient, show.transl)
    lowest = vertices[..., 1].amin(-1)
    assert lowest.min() > -0.02 and lowest.median() < 0.04


def test_a_demo_of_recorded_motion(folder, tmp_path):
    size = DemoSize(3, 1, 1, 2, 1, 1, min_frames=64, max_frames=70)
    options = dict(size=size, progress=False, mocap=folder)
    root = generate_demo(tmp_path / 'demo', **options)
    assert (root / 'preview.png').stat().st_size > 30_000
    manifest = read_manifest(root)
    assert manifest['mocap']['recordings'] == 12
    used = [{name.split('/')[1] for name in own} for own in manifest['recordings'].values()]
    assert all(used) and sum(map(len, used)) == len(set.union(*used))

    # The same recordings elsewhere are the same demo; other recordings are not.
    other = mocap(tmp_path / 'moved')
    assert generate_demo(root, **dict(options, mocap=other)) == root
    write(other / 'CMU' / 'w4' / 'w4_a_stageii.npz')
    with pytest.raises(ConfigError, match='other arguments'):
        generate_demo(root, **dict(options, mocap=other))
    with pytest.raises(ConfigError, match='other arguments'):
        generate_demo(root, **dict(options, mocap=None))


def test_a_folder_without_recordings(tmp_path, capsys):
    with pytest.raises(DataError, match='should hold motion capture'):
        generate_demo(tmp_path / 'x', size='toy', progress=False, mocap=tmp_path)
    assert main(['--out', str(tmp_path / 'x'), '--motions', str(tmp_path)]) == 1
    assert 'SUBJECT/RECORDING.npz' in capsys.readouterr().err
    assert not (tmp_path / 'x').exists()


def test_where_recordings_are_looked_for(tmp_path, monkeypatch):
    workplace = tmp_path / 'checkout'
    workplace.mkdir()
    monkeypatch.chdir(workplace)
    monkeypatch.delenv('GVHMR_MOCAP', raising=False)
    assert choose_mocap() is None
    (tmp_path / 'shared' / 'mocap').mkdir(parents=True)
    assert choose_mocap().resolve() == tmp_path / 'shared' / 'mocap'
    assert choose_mocap('embedded') is None
    assert choose_mocap('elsewhere').name == 'elsewhere'
    monkeypatch.setenv('GVHMR_MOCAP', str(workplace))
    assert choose_mocap() == workplace
    monkeypatch.setenv('GVHMR_MOCAP', str(tmp_path / 'nowhere'))
    with pytest.raises(ConfigError, match='GVHMR_MOCAP.*nowhere'):
        choose_mocap()


@pytest.mark.mocap
def test_real_recordings(mocap_root, demo_root):
    motions = RecordedMotions(mocap_root, demo_root)
    for split in SPLITS:
        for seed in range(20):
            draw(motions, split, seed, usual=('walk',) if seed % 2 else ())
    used = subjects(motions)
    assert sum(map(len, used)) == len(set.union(*used))
    # People who walk, by the words of the recordings' index.
    assert all(names & WALKERS_OF_CMU for names in used)


WALKERS_OF_CMU = {'07', '08', '09', '10', '16', '35'} | {f'xw{n}' for n in range(22, 53)}
