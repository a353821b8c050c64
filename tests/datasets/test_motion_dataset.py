import numpy as np
import pytest
import torch

from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.core.layout import IMAGE_FEATURE_DIM
from gvhmr_da_mm.datasets import Clip, ClipKey, MotionDataset, MultiSourceDataset
from gvhmr_da_mm.registry import DATASETS

from .samples import assert_same_item


class FolderDataset(MotionDataset):
    """Custom dataset of a user, with one file per video."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, dataset='folder', domain='real', **kwargs)

    def required_files(self):
        return {self.data_root / 'videos': 'put one .pt file per video there'}

    def list_clips(self):
        paths = sorted((self.data_root / 'videos').glob('*.pt'))
        return [dict(sequence=path.stem, start=0, end=len(torch.load(path))) for path in paths]

    def read_clip(self, info, start, end):
        boxes = torch.load(self.data_root / 'videos' / f'{info["sequence"]}.pt')[start:end]
        return Clip(
            sequence=info['sequence'],
            start=start,
            end=end,
            img_wh=(640, 480),
            bbx_xys=boxes,
            K_fullimg=torch.eye(3),
            R_w2c=torch.eye(3).repeat(end - start, 1, 1),
            f_imgseq=torch.zeros(end - start, IMAGE_FEATURE_DIM),
        )


def write_videos(root, lengths):
    (root / 'videos').mkdir()
    for number, length in enumerate(lengths):
        torch.save(torch.rand(length, 3), root / 'videos' / f'{number}.pt')


def test_a_user_adds_a_dataset_by_three_methods(tmp_path):
    write_videos(tmp_path, [29, 50, 100, 250])
    dataset = FolderDataset(tmp_path)
    assert len(dataset) == 4  # one is too short, one is listed twice
    assert dataset.sources == {'real': [('folder', 0, 4, None)]}
    lengths = {dataset[ClipKey(3, seed)]['data_samples'].length for seed in range(20)}
    assert min(lengths) >= 60 and max(lengths) <= 120 and len(lengths) > 5
    assert dataset[ClipKey(1, 0)]['inputs']['bbx_xys'].shape == (120, 3)
    assert_same_item(MultiSourceDataset(dict(own=dataset))[ClipKey(1, 3)], dataset[ClipKey(1, 3)])


def test_any_dataset_leaves_sequences_out(tmp_path):
    write_videos(tmp_path, [100, 100, 100])
    (tmp_path / 'bad.txt').write_text('0\n')
    for exclude, left in ((('1',), ['0', '2']), (('[12]',), ['0']), ('bad.txt', ['1', '2'])):
        dataset = FolderDataset(tmp_path, exclude=exclude)
        assert [info['sequence'] for info in dataset.data_list] == left
    with pytest.raises(ConfigError, match=r"folder: `exclude` .* has 3.* got 1 unknown: '4\*'"):
        FolderDataset(tmp_path, exclude=('1', '4*'))
    with pytest.raises(ConfigError, match='should leave a sequence, got all 3'):
        FolderDataset(tmp_path, exclude=('*',))


@pytest.mark.parametrize(
    'indices, left',
    [(2, '01'), (-1, '3'), (9, '0123'), ([3, -4], '30'), (np.int64(1), '0'), (np.arange(2), '01')],
)
def test_some_clips_can_be_used(tmp_path, indices, left):
    write_videos(tmp_path, [100] * 4)
    dataset = FolderDataset(tmp_path, indices=indices)
    assert ''.join(dataset.get_data_info(i)['sequence'] for i in range(len(dataset))) == left
    assert [dataset[i]['data_samples'].sequence for i in range(len(dataset))] == list(left)


@pytest.mark.parametrize('indices', [0, [], (), True, 'all', 1.5, ['a']])
def test_indices_that_leave_nothing_are_told(tmp_path, indices):
    with pytest.raises(ConfigError, match='`indices` should be a number of clips.*leave a clip'):
        FolderDataset(tmp_path, indices=indices, lazy_init=True)


def test_indices_out_of_range_are_told(tmp_path):
    write_videos(tmp_path, [100] * 4)
    with pytest.raises(ConfigError, match='folder: `indices` should be from -4 to 3.*got 7'):
        FolderDataset(tmp_path, indices=[1, 7])


def test_test_mode_gives_whole_sequences(tmp_path):
    write_videos(tmp_path, [5, 250])
    dataset = FolderDataset(tmp_path, test_mode=True)
    assert [len(dataset[index]['inputs']['valid']) for index in range(2)] == [5, 250]


def test_window_limits_are_options(tmp_path):
    write_videos(tmp_path, [50])
    item = FolderDataset(tmp_path, min_len=10, max_len=16)[0]
    assert item['inputs']['valid'].shape == (16,)
    assert 10 <= item['data_samples'].length <= 16


def test_published_readers_are_registered():
    for name in ('BEDLAMDataset', 'EMDBDataset', 'ThreeDPWDataset', 'MultiSourceDataset'):
        assert DATASETS.get(name).__name__ == name
