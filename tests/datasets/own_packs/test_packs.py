"""Sequence packs: round trip, resuming an interrupted conversion, errors for damaged files."""

import errno
import json
import os
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gvhmr_da_mm.core.errors import DataError, StorageError
from gvhmr_da_mm.core.rotation import axis_angle_to_matrix
from gvhmr_da_mm.datasets.pack_io import PackRecord, load_pack
from gvhmr_da_mm.datasets.packs import PackEntry, PackWriter, SequencePack, write_sequence
from gvhmr_da_mm.datasets.packs.pack_entry import sequence_file
from gvhmr_da_mm.datasets.packs.pack_schema import ARRAYS
from gvhmr_da_mm.datasets.packs.pack_writer import storage_errors
from gvhmr_da_mm.fileio.safetensors_file import DTYPES, TensorFile, encode_tensors

FRAMES = 12
META = dict(img_wh=(640, 480))


def arrays(**changes):
    """Return the arrays of an unlabelled sequence; None leaves one out."""
    content = dict(
        bbx_xys=torch.rand(FRAMES, 3) + 1,
        K_fullimg=torch.eye(3),
        R_w2c=axis_angle_to_matrix(torch.randn(FRAMES, 3)),
        kp2d=torch.rand(FRAMES, 17, 3),
        observed=torch.rand(FRAMES) > 0.5,
        **changes,
    )
    return {name: value for name, value in content.items() if value is not None}


def write(root, *names, **changes):
    with PackWriter(root, 'videos') as writer:
        for name in names:
            writer.add(name, arrays(**changes), META)
    return SequencePack(root)


# The file format

names = st.text(st.characters(codec='utf-8'), min_size=1).filter(lambda n: n != '__metadata__')
shapes = st.lists(st.integers(0, 4), max_size=3).map(tuple)


@settings(deadline=None, max_examples=15)
@given(
    st.dictionaries(names, st.tuples(shapes, st.sampled_from(sorted(DTYPES))), max_size=4),
    st.dictionaries(st.text(), st.text(), max_size=2),
)
def test_any_arrays_come_back(tmp_path_factory, content, texts):
    rng = np.random.default_rng(0)
    stored = {n: (rng.random(s) * 9).astype(DTYPES[d]) for n, (s, d) in content.items()}
    path = tmp_path_factory.mktemp('file') / 'a'
    path.write_bytes(encode_tensors(stored, texts))
    file = TensorFile(path)
    assert file.texts == texts and set(file) == set(stored)
    for name, array in stored.items():
        assert file[name].dtype == array.dtype and np.array_equal(file[name], array)


def test_the_safetensors_package_reads_our_files(tmp_path):
    safetensors = pytest.importorskip('safetensors.torch', reason='safetensors is not installed')
    pack = write(tmp_path, 'a')
    content = safetensors.load_file(tmp_path / pack.entries['a'].file)
    assert set(content) == set(pack.entries['a'].arrays)
    assert torch.equal(content['kp2d'], pack['a']['kp2d'])


@pytest.mark.parametrize('change', ['cut', 'header', 'list', 'offsets', 'length'])
def test_damaged_files_are_named(tmp_path, change):
    pack = write(tmp_path, 'a')
    path = tmp_path / pack.entries['a'].file
    content = path.read_bytes()
    (length,) = struct.unpack('<Q', content[:8])
    damaged = {
        'cut': content[:-10],
        'header': content[:8] + b'x' + content[9:],
        'list': content[:8] + b'[]' + b' ' * (length - 2) + content[8 + length :],
        'offsets': content.replace(b'"shape":[12,17,3]', b'"shape":[99,17,3]'),
        'length': struct.pack('<Q', 2**60) + content[8:],
    }[change]
    path.write_bytes(damaged)
    with pytest.raises(DataError, match=path.name):
        SequencePack(tmp_path)['a']['kp2d']


def test_writing_to_an_array_leaves_the_file(tmp_path):
    write(tmp_path, 'a')['a']['kp2d'][:] = 7
    assert (SequencePack(tmp_path)['a']['kp2d'] <= 1).all()


# Writing


def test_what_is_written_is_read(tmp_path):
    content = arrays(features=torch.randn(FRAMES, 1024).half())
    meta = dict(META, splits=['train'], start=30, video='a.mp4', static_camera=True)
    with PackWriter(tmp_path, 'videos') as writer:
        writer.add('a/b', content, dict(meta, extra=dict(note=1)))
    pack = load_pack(tmp_path)
    entry = pack.entries['a/b']
    assert (entry.start, entry.splits, entry.group) == (30, ('train',), 'a/b')
    assert entry.has_features and entry.has_keypoints and not entry.has_labels
    assert entry.extra == dict(note=1) and entry.frames == FRAMES
    for name, value in content.items():
        assert torch.equal(pack['a/b'][name], value)
    record = PackRecord.of(tmp_path, 'a/b')
    assert torch.equal(record.rows('kp2d', 'F 17 3', 32, 40, first=30), content['kp2d'][2:10])
    with pytest.raises(DataError, match=r'`a/b`, key `kp2d`.*frames 30 to 41'):
        record.rows('kp2d', 'F 17 3', 29, 40, first=30)


def test_the_same_content_is_the_same_file(tmp_path):
    content = arrays()
    entries = [write_sequence(tmp_path / name, 'a', content, META) for name in 'ab']
    assert entries[0] == entries[1]


def test_checksums_are_those_of_sha256sum(tmp_path):
    write(tmp_path, 'a', 'b')
    command = ['sha256sum', '--check', '--quiet', 'SHA256SUMS']
    assert subprocess.run(command, cwd=tmp_path, check=False).returncode == 0


def test_ids_that_look_alike_have_files_of_their_own():
    files = {sequence_file(name).lower() for name in ('a/b', 'a_b', 'A_b', 'a b', '', '../a')}
    assert len(files) == 6 and not any('..' in file for file in files)


def test_labels_of_frames_without_valid_ones_may_be_nan(tmp_path):
    sizes = dict(body_pose=63, betas=10, global_orient=3, transl=3)
    labels = {f'smplx_params.{name}': torch.zeros(FRAMES, size) for name, size in sizes.items()}
    mask = torch.arange(FRAMES) >= 2
    labels['smplx_params.transl'][:2] = torch.nan
    meta = {**META, 'gender': 'neutral'}
    with PackWriter(tmp_path, 'videos') as writer:
        writer.add('a', {**arrays(), **labels, 'mask': mask}, meta)
        with pytest.raises(DataError, match='smplx_params.transl holds NaN .* row 1'):
            writer.add('b', {**arrays(), **labels, 'mask': torch.arange(FRAMES) >= 1}, meta)
        with pytest.raises(DataError, match='smplx_params.transl holds NaN .* row 0'):
            writer.add('c', {**arrays(), **labels}, meta)


@pytest.mark.parametrize(
    'changes, message',
    [
        (dict(bbx_xys=None), 'bbx_xys'),
        (dict(R_w2c=None), 'exactly one of the cameras'),
        (dict(T_w2c=torch.eye(4)), 'exactly one of the cameras'),
        (
            dict(R_w2c=torch.ones(FRAMES, 3, 3)),
            'R_w2c should hold rotations, but the matrix of row 0',
        ),
        (dict(kp2d=torch.rand(FRAMES, 16, 3)), r'kp2d should have shape .* got \(12, 16, 3\)'),
        (dict(kp2d=torch.full((FRAMES, 17, 3), torch.nan)), 'kp2d holds NaN .* row 0'),
        (dict(bbx_xys=torch.zeros(FRAMES, 3)), 'box side of row 0 should be positive'),
        (dict(observed=torch.ones(FRAMES)), 'observed should be of kind bool'),
        (dict(flip_features=torch.zeros(FRAMES, 1024)), 'go together'),
        (dict(colour=torch.zeros(FRAMES)), r"unknown arrays \['colour'\]"),
    ],
)
def test_bad_arrays_are_named(tmp_path, changes, message):
    content = {**arrays(), **changes}
    content = {name: value for name, value in content.items() if value is not None}
    with PackWriter(tmp_path, 'videos') as writer:
        with pytest.raises(DataError, match=message):
            writer.add('a', content, META)
        assert not writer.entries and not list((tmp_path / 'sequences').iterdir())


@pytest.mark.parametrize(
    'meta, message',
    [
        (dict(), 'img_wh'),
        (dict(META, fps=25), '`fps` should be 30, got 25'),
        (dict(META, gender='x'), 'gender'),
        (dict(META, valid_ranges=[(3, 99)]), 'valid_ranges'),
        (dict(META, color='red'), 'unknown fields'),
    ],
)
def test_bad_facts_are_named(tmp_path, meta, message):
    with pytest.raises(DataError, match=message):
        write_sequence(tmp_path, 'a', arrays(), meta)


# Going on, and what can stop it


def test_an_interrupted_pack_goes_on(tmp_path):
    with pytest.raises(KeyboardInterrupt), PackWriter(tmp_path, 'videos') as writer:
        writer.add('a', arrays(), dict(META, signature='1'))
        raise KeyboardInterrupt
    with pytest.raises(DataError, match='interrupted. Run the same command again'):
        SequencePack(tmp_path)
    with (tmp_path / 'index.jsonl').open('a') as index:
        index.write('{"id":"b","fra')  # what a killed process may leave
    with PackWriter(tmp_path, 'videos') as writer:
        assert writer.is_done('a', '1') and not writer.is_done('a', '2')
        assert not writer.is_done('b')
        writer.add('b', arrays(), META)
        writer.finish(order=['b', 'a'])
    assert list(SequencePack(tmp_path)) == ['b', 'a']


def test_a_file_that_changed_is_not_done(tmp_path):
    pack = write(tmp_path, 'a')
    path = tmp_path / pack.entries['a'].file
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert not PackWriter(tmp_path, 'videos').is_done('a')
    path.unlink()
    assert not PackWriter(tmp_path, 'videos').is_done('a')
    with pytest.raises(DataError, match='does not exist'):
        SequencePack(tmp_path)['a']


def test_adding_to_a_complete_pack_opens_it(tmp_path):
    write(tmp_path, 'a')
    writer = PackWriter(tmp_path, 'videos')
    writer.add('b', arrays(), META)
    with pytest.raises(DataError, match='interrupted'):
        SequencePack(tmp_path)
    assert len(SequencePack(tmp_path, allow_incomplete=True)) == 2
    writer.finish()
    assert list(SequencePack(tmp_path)) == ['a', 'b']


def test_other_folders_are_not_written_to(tmp_path):
    write(tmp_path / 'pack', 'a')
    with pytest.raises(DataError, match="holds 'videos'"):
        PackWriter(tmp_path / 'pack', 'emdb')
    (tmp_path / 'other').mkdir()
    (tmp_path / 'other' / 'thesis.tex').touch()
    with pytest.raises(DataError, match='is not empty and is no pack'):
        PackWriter(tmp_path / 'other', 'videos')
    (tmp_path / 'file').touch()
    with pytest.raises(StorageError, match='cannot write'):
        PackWriter(tmp_path / 'file', 'videos')


@pytest.mark.parametrize('code', [errno.EACCES, errno.EROFS, errno.EPERM])
def test_no_permission_is_named(tmp_path, monkeypatch, code):
    def forbidden(*args, **kwargs):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(Path, 'mkdir', forbidden)
    with pytest.raises(StorageError, match='cannot write to .*change its permissions'):
        PackWriter(tmp_path / 'pack', 'videos')


@pytest.mark.parametrize(
    'file, told',
    [
        ('out/a', 'cannot write to out '),
        ('.', 'cannot write to out '),
        ('in/a', '^in/a cannot be read or written'),
    ],
)
def test_a_file_elsewhere_is_named_instead_of_the_folder(file, told):
    with pytest.raises(StorageError, match=told), storage_errors(Path('out')):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES), file)


def test_a_full_disk_keeps_what_is_done(tmp_path, monkeypatch):
    writer = PackWriter(tmp_path, 'videos')
    writer.add('a', arrays(), META)
    with monkeypatch.context() as patch:

        def full(*args):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        patch.setattr('gvhmr_da_mm.fileio.atomic_file.os.replace', full)
        with pytest.raises(StorageError, match='disk of .* is full'):
            writer.add('b', arrays(), META)
    assert [path.name for path in (tmp_path / 'sequences').iterdir()] == [
        os.path.basename(writer.entries['a'].file)
    ]
    writer.add('b', arrays(), META)
    writer.finish()
    assert list(SequencePack(tmp_path)) == ['a', 'b']


@pytest.mark.parametrize(
    'line, message',
    [
        ('', 'no complete line'),
        ('{}\n', 'should name'),
        ('{"format":"gvhmr_da_mm.pack","version":99}\n', 'version 99 of the format, expected 1'),
        ('{"format":"gvhmr_da_mm.pack","version":1,"dataset":"a"}\nnonsense\n', 'line 2 is no'),
        ('{"format":"gvhmr_da_mm.pack","version":1,"dataset":"a"}\n{"id":"a"}\n', 'line 2'),
        ('{"format":"gvhmr_da_mm.pack","version":1,"dataset":"a"}\n[]\n', 'a JSON object'),
        (
            '{"format":"gvhmr_da_mm.pack","version":1,"dataset":"a"}\n'
            '{"id":"a","frames":9,"img_wh":[9,9],"file":"../a"}\n',
            'below the pack',
        ),
    ],
)
def test_a_bad_index_is_named(tmp_path, line, message):
    (tmp_path / 'index.jsonl').write_text(line)
    with pytest.raises(DataError, match=message):
        SequencePack(tmp_path)


# Parts


def test_entries_come_back_from_json():
    entry = PackEntry('a', 9, (640, 480), sequence='b', splits=('x',), valid_ranges=[(0, 3)])
    again = PackEntry.of(json.loads(json.dumps(entry.as_dict())))
    assert again.as_dict() == json.loads(json.dumps(again.as_dict())) | dict(
        img_wh=(640, 480), splits=('x',)
    )


def test_every_array_is_told_in_the_docs():
    from tests.docs.markdown import ENGLISH

    page = (ENGLISH / 'packs.md').read_text(encoding='utf-8')
    for name in ARRAYS:
        prefix, _, inner = name.rpartition('.')
        assert (f'`{prefix}`' in page and f'`{inner}`' in page) if prefix else f'`{name}`' in page
