import pickle

import pytest
import torch

from gvhmr_da_mm.core.errors import DataError
from gvhmr_da_mm.datasets.pack_io import PackRecord, RecordError, load_pack, read_pack


class Unknown:
    pass


def test_code_in_a_pack_is_refused_and_not_run(tmp_path):
    path = tmp_path / 'odd.pt'
    torch.save({'a': Unknown()}, path)
    with pytest.raises(DataError, match=r'odd\.pt cannot be read safely'):
        read_pack(path)


@pytest.mark.parametrize('content', [b'', b'no pack', pickle.dumps(Unknown)])
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / 'broken.pt'
    path.write_bytes(content)
    with pytest.raises(DataError, match=r'broken\.pt'):
        read_pack(path)


def test_a_truncated_pack_is_refused(tmp_path):
    path = tmp_path / 'cut.pt'
    torch.save({'a': torch.zeros(1000)}, path)
    path.write_bytes(path.read_bytes()[:-600])
    with pytest.raises(DataError, match=r'cut\.pt'):
        read_pack(path)


def test_the_format_before_zip_is_read(tmp_path):
    path = tmp_path / 'old.pt'
    torch.save({'a': torch.arange(3)}, path, _use_new_zipfile_serialization=False)
    assert read_pack(path)['a'].tolist() == [0, 1, 2]


def test_a_pack_is_opened_once_and_again_when_it_changed(tmp_path):
    path = tmp_path / 'pack.pt'
    torch.save({'a': torch.zeros(3)}, path)
    first = load_pack(path)
    assert load_pack(str(path)) is first
    torch.save({'a': torch.zeros(3), 'b': torch.zeros(3)}, path)
    assert set(load_pack(path)) == {'a', 'b'}


def test_a_pack_must_be_a_dict(tmp_path):
    torch.save([1, 2], tmp_path / 'list.pt')
    with pytest.raises(DataError, match='should hold a dict'):
        load_pack(tmp_path / 'list.pt')


def record(**fields):
    return PackRecord('file.pt', 'seq', fields)


@pytest.mark.parametrize(
    'call, message',
    [
        (lambda: record(a=1).value('b'), 'file.pt: sequence `seq`, key `b`: expected a value'),
        (lambda: record(a=1).value('a', str), 'key `a`: expected str, got int'),
        (lambda: record(a=1).nested('a'), 'key `a.`: expected a dict, got int'),
        (
            lambda: record(a={'b': torch.zeros(2, 3)}).nested('a').tensor('b', 'F 4'),
            r'key `a.b`: expected shape \(F 4\), got \(2, 3\)',
        ),
        (
            lambda: record(a=torch.zeros(2, 3)).rows('a', 'F 3', 0, 2, F=5),
            r"expected shape \(F 3\) with {'F': 5}, got \(2, 3\)",
        ),
        (
            lambda: record(a=torch.zeros(2, 3)).rows('a', 'F 3', 0, 3),
            'expected frames 0 to 2, got frames 0 to 1',
        ),
        (
            lambda: record(a=torch.zeros(2, 3)).rows('a', 'F 3', 4, 6, first=5),
            'expected frames 4 to 5, got frames 5 to 6',
        ),
    ],
)
def test_a_bad_field_is_named(call, message):
    with pytest.raises(DataError, match=message):
        call()


def test_the_error_of_a_field_comes_whole_from_another_process():
    with pytest.raises(RecordError) as caught:
        record(a=torch.zeros(2)).tensor('a', 'F 4')
    error = pickle.loads(pickle.dumps(caught.value))
    assert (error.path, error.key, error.check) == ('file.pt', 'a', 'shape')
    assert str(error) == str(caught.value) and error.problem in str(error)
    # Data loaders make it again of its message alone.
    assert str(type(error)('message')) == 'message'


@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_the_first_bad_frame_is_named(value):
    tensor = torch.zeros(9, 2)
    tensor[6:, 1] = value
    with pytest.raises(DataError, match='first at frame 16'):
        record(a=tensor).rows('a', 'F 2', 12, 19, first=10)
    assert len(record(a=tensor).rows('a', 'F 2', 10, 16, first=10)) == 6


def test_rows_are_float32_copies():
    half, single = torch.ones(4, 2).half(), torch.ones(4, 2)
    for tensor in (half, single):
        rows = record(a=tensor).rows('a', 'F 2', 1, 3)
        assert rows.dtype == torch.float32
        rows.zero_()
        assert (tensor == 1).all()
    assert record(a=torch.ones(4).bool()).rows('a', 'F', 0, 4).dtype == torch.bool
