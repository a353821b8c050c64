"""Conversion to sequence packs: parallel, resumable, skipping failures."""

import json
import os
import signal
import sys

import pytest
import torch

from gvhmr_da_mm.core.errors import ConfigError, DataError, StorageError
from gvhmr_da_mm.datasets.packs import PackWriter, SequencePack
from gvhmr_da_mm.datasets.sources import SequenceInfo, Source, signature_of
from gvhmr_da_mm.datasets.sources.write_pack import write_pack


class ToySource(Source):
    """Source of random sequences; those in ``bad`` fail."""

    dataset, title = 'toy', 'toy'

    def __init__(self, root, count=5, bad=()):
        super().__init__()
        self.root, self.count, self.bad = root, count, bad

    def sequences(self):
        names = [f's{number}' for number in range(self.count)]
        return [SequenceInfo(name, file=self.root / name[-1], signature='x') for name in names]

    def read(self, info):
        if info.id in self.bad:
            raise DataError(f'{info.id} is bad')
        number = int(info.id[1:])
        labels = dict(
            body_pose=torch.zeros(9, 63), betas=torch.zeros(9, 10), transl=torch.zeros(9, 3)
        )
        labels['global_orient'] = torch.full((9, 3), float(number))
        arrays = dict(bbx_xys=torch.ones(9, 3), K_fullimg=torch.eye(3), T_w2c=torch.eye(4))
        arrays.update((f'smplx_params.{key}', value) for key, value in labels.items())
        return arrays, dict(img_wh=(64, 48))


def test_parallel_is_the_same_as_one_after_another(tmp_path):
    for jobs in (1, 2):
        report = write_pack(ToySource(tmp_path), tmp_path / str(jobs), jobs=jobs)
        assert (report.written, report.exit_code) == (5, 0)
    index = [(tmp_path / str(jobs) / 'index.sqlite').read_bytes() for jobs in (1, 2)]
    assert index[0] == index[1]


class KilledSource(ToySource):
    """Source whose process is killed while it writes the sequence s2, the first time."""

    def read(self, info):
        marker = self.root / 'killed'
        if info.id == 's2' and not marker.exists():
            marker.touch()
            os.replace = lambda *paths: os.kill(os.getpid(), signal.SIGKILL)
        return super().read(info)


def test_a_worker_that_is_killed_loses_nothing_and_writes_nothing_twice(
    tmp_path, monkeypatch, forked_dask
):
    recorded, record = [], PackWriter.record
    monkeypatch.setattr(
        PackWriter, 'record', lambda self, entry: (recorded.append(entry.id), record(self, entry))
    )
    source = KilledSource(tmp_path, bad=('s4',))
    report = write_pack(source, tmp_path / 'out', jobs=2, executor='dask')
    assert (tmp_path / 'killed').exists()
    assert (report.written, [failure.id for failure in report.failures]) == (4, ['s4'])
    assert sorted(recorded) == list(SequencePack(tmp_path / 'out')) == ['s0', 's1', 's2', 's3']
    # Nothing of the write that was cut off is left.
    entries = SequencePack(tmp_path / 'out').entries.values()
    files = {str(path.relative_to(tmp_path / 'out')) for path in tmp_path.glob('out/sequences/*')}
    assert files == {entry.file for entry in entries}
    write_pack(ToySource(tmp_path, bad=('s4',)), tmp_path / 'alone')
    indices = [(tmp_path / name / 'index.sqlite').read_bytes() for name in ('out', 'alone')]
    assert indices[0] == indices[1]


def test_failures_are_listed_and_tried_again(tmp_path):
    bad = write_pack(ToySource(tmp_path, bad=('s1', 's3')), tmp_path / 'out')
    assert (bad.written, bad.exit_code) == (3, 1)
    listed = json.loads((tmp_path / 'out/failures.json').read_text())
    assert [entry['id'] for entry in listed] == ['s1', 's3']
    assert listed[0]['message'] == 's1 is bad' and listed[0]['kind'] == 'DataError'
    assert list(SequencePack(tmp_path / 'out')) == ['s0', 's2', 's4']
    seen = []
    good = write_pack(ToySource(tmp_path), tmp_path / 'out', advance=seen.append)
    assert (good.skipped, good.written, good.exit_code) == (3, 2, 0)
    assert seen == ['s1', 's3']
    assert list(SequencePack(tmp_path / 'out')) == ['s0', 's1', 's2', 's3', 's4']
    assert not (tmp_path / 'out/failures.json').exists()


def test_limit_and_dry_run(tmp_path):
    report = write_pack(ToySource(tmp_path), tmp_path / 'out', dry_run=True)
    assert report.planned == 5 and not (tmp_path / 'out').exists()
    write_pack(ToySource(tmp_path), tmp_path / 'out', limit=2)
    assert list(SequencePack(tmp_path / 'out')) == ['s0', 's1']
    for options in (dict(jobs=0), dict(limit=0)):
        with pytest.raises(ConfigError, match='at least 1'):
            write_pack(ToySource(tmp_path), tmp_path / 'out', **options)


def test_labels_are_left_out_on_request(tmp_path):
    source = ToySource(tmp_path, 2)
    write_pack(source, tmp_path / 'out')
    report = write_pack(source, tmp_path / 'out', with_labels=False)
    assert report.written == 2
    for entry in SequencePack(tmp_path / 'out').entries.values():
        assert not entry.has_labels and not any(n.startswith('smplx') for n in entry.arrays)


def test_a_full_disk_ends_it_at_once(tmp_path, monkeypatch):
    def full(*args):
        raise StorageError('the disk is full')

    done = []
    monkeypatch.setattr(sys.modules[write_pack.__module__], 'write_sequence', full)
    with pytest.raises(StorageError):
        write_pack(ToySource(tmp_path), tmp_path / 'out', advance=done.append)
    assert not done
    monkeypatch.undo()
    assert write_pack(ToySource(tmp_path), tmp_path / 'out').written == 5


def test_a_place_that_cannot_be_written_to_is_named_before_anything_is_read(tmp_path):
    (tmp_path / 'file').touch()

    class Unplanned(ToySource):
        def sequences(self):
            raise AssertionError('planned')

    with pytest.raises(StorageError, match='cannot write'):
        write_pack(Unplanned(tmp_path), tmp_path / 'file' / 'out')


def test_signatures_tell_files_and_options_apart(tmp_path):
    path = tmp_path / 'a'
    states = [signature_of([path])]
    path.write_text('1')
    states += [signature_of([path]), signature_of([path], limit=1)]
    path.write_text('12')
    states.append(signature_of([path]))
    assert len(set(states)) == 4 and signature_of([path]) == states[-1]


def test_a_file_of_a_folder_that_is_written_over_changes_its_signature(tmp_path):
    (tmp_path / 'a').write_text('1')
    before, state = signature_of([tmp_path]), tmp_path.stat()
    (tmp_path / 'a').write_text('12')
    assert tmp_path.stat().st_mtime_ns == state.st_mtime_ns
    assert signature_of([tmp_path]) != before
