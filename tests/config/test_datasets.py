"""Single datasets of configs."""

from pathlib import Path

import pytest

from gvhmr_da_mm.apis import load_config
from gvhmr_da_mm.config.datasets import config_datasets
from gvhmr_da_mm.core.errors import ConfigError, MissingFilesError

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'


@pytest.fixture
def config(toy_root):
    return load_config(CONFIGS / 'da_bedlam_emdb_3dpw.py', data_root=toy_root)


def test_each_once_in_order(config):
    names = [dataset.dataset for dataset in config_datasets(config)]
    assert names == ['bedlam', 'emdb_train', '3dpw_train', 'emdb1', 'emdb2', '3dpw']
    assert [d.dataset for d in config_datasets(config, ['train'])] == names[:3]
    (one,) = config_datasets(config, name='emdb1', with_joints=False)
    assert one.dataset == 'emdb1' and not one.with_joints and not one.flip_test


def test_validation_is_not_cut_short(config):
    config.val_dataloader.dataset.datasets.emdb1.indices = 1
    (part,) = config_datasets(config, ['val'], 'emdb1')
    (whole,) = config_datasets(config, ['test'], 'emdb1')
    assert len(part) == len(whole) > 1


def test_unknown_names_are_told(config, tmp_path):
    with pytest.raises(ConfigError, match="no dataset 'emdb3'.*bedlam, emdb_train"):
        config_datasets(config, name='emdb3')
    with pytest.raises(ConfigError, match="'valid'"):
        config_datasets(config, ['valid'])
    config.train_dataloader = None
    with pytest.raises(ConfigError, match='no motion dataset in train'):
        config_datasets(config, ['train'])


def test_missing_files_are_one_error(tmp_path):
    config = load_config(CONFIGS / 'da_bedlam_emdb_3dpw.py', data_root=tmp_path)
    with pytest.raises(MissingFilesError) as error:
        config_datasets(config, ['train'])
    assert 'smplpose_v2.pth' in str(error.value) and 'emdb_vit_v4.pt' in str(error.value)
