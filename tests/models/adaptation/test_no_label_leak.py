"""No 3D label of a real clip can reach training: with NaN in their place nothing changes."""

import shutil
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from gvhmr_da_mm.core.errors import DataError
from gvhmr_da_mm.datasets import EMDBDataset
from gvhmr_da_mm.datasets.pack_io import load_pack
from gvhmr_da_mm.datasets.splits import emdb_splits
from tests.testing import read_log, tiny_config, train

CONFIG = Path(__file__).resolve().parents[3] / 'configs' / 'da_tiny_bedlam_emdb_3dpw.py'
LABEL_FILES = {
    'EMDB/hmr4d_support/emdb_vit_v4.pt': ('smpl_params', 'mask'),
    '3DPW/hmr4d_support/train_3dpw_gt_labels.pt': ('smpl_params', 'mask_raw', 'mask_wham'),
    '3DPW/hmr4d_support/test_3dpw_gt_labels.pt': ('smpl_params', 'mask_raw', 'mask_wham'),
    '3DPW/hmr4d_support/train_refit_smplx.pt': ('smplx_params_incam', 'valid_range_list'),
}
"""Pose, shape and place of real people, and which frames have good ones."""
TIMES = {'time', 'data_time', 'memory', 'eta'}


@pytest.fixture(params=['toy', pytest.param('fixtures', marks=pytest.mark.fixtures)])
def root(request):
    return request.getfixturevalue('toy_root' if request.param == 'toy' else 'fixtures_root')


def poisoned(value):
    if isinstance(value, dict):
        return {key: poisoned(item) for key, item in value.items()}
    if isinstance(value, list):
        return [(0, 1)]
    if value.is_floating_point():
        return torch.full_like(value, torch.nan)
    return ~value


def poisoned_copy(root, target):
    """Copy the packs with the labels of real clips replaced by NaN, masks by their opposite."""
    for name in ('BEDLAM', 'body_models', 'support'):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).symlink_to(root / name)
    for name in ('EMDB', '3DPW'):
        shutil.copytree(root / name, target / name)
    for name, keys in LABEL_FILES.items():
        pack = torch.load(target / name, weights_only=True)
        for record in pack.values():
            for key in keys:
                record[key] = poisoned(record[key])
        torch.save(pack, target / name)
    return target


def train_on(root, work_dir):
    """Train the tiny config briefly; every pseudo-label is accepted, so that all losses work."""
    config: Config = tiny_config(CONFIG, root, work_dir, batches=6)
    names = load_pack(root / 'EMDB/hmr4d_support/emdb_vit_v4.pt')
    # The published pack may hold test clips alone.
    if not any(emdb_splits(name) == ('train',) for name in names):
        config.train_dataloader.dataset.datasets.emdb.transductive = True
    config.model.estimator.backbone.update(latent_dim=32, num_layers=2, num_heads=2)
    config.model.estimator.head.latent_dim = 32
    config.default_hooks.confidence_threshold.update(start=0.0, end=0.0, step=0.0)
    train(config)
    checkpoint = torch.load(work_dir / 'epoch_1.pth', weights_only=False)
    return checkpoint, read_log(work_dir)


def assert_identical(one, other, where=''):
    assert type(one) is type(other), where
    if isinstance(one, dict):
        assert one.keys() == other.keys(), where
        for key in one:
            assert_identical(one[key], other[key], f'{where}.{key}')
    elif isinstance(one, (list, tuple)):
        assert len(one) == len(other), where
        for index, pair in enumerate(zip(one, other)):
            assert_identical(*pair, f'{where}[{index}]')
    elif isinstance(one, torch.Tensor):
        assert torch.equal(one, other), where
    else:
        assert one == other, where


@pytest.mark.slow
def test_labels_of_real_clips_do_not_matter(root, tmp_path):
    runs = {}
    for name, data in (('plain', root), ('nan', poisoned_copy(root, tmp_path / 'poisoned'))):
        work_dir = tmp_path / name
        work_dir.mkdir()
        runs[name] = train_on(data, work_dir)
    (checkpoint, log), (nan_checkpoint, nan_log) = runs['plain'], runs['nan']

    steps = [{name: value for name, value in entry.items() if name not in TIMES} for entry in log]
    nan_steps = [
        {name: value for name, value in entry.items() if name not in TIMES} for entry in nan_log
    ]
    assert_identical(steps, nan_steps, 'log')
    for part in ('state_dict', 'optimizer'):
        assert_identical(checkpoint[part], nan_checkpoint[part], part)
    # The comparison would mean little if real clips had taught nothing.
    assert steps[-1]['selection_rate'] == 1 and steps[-1]['real_loss'] > 0
    assert checkpoint['state_dict']['critic.discriminator.num_observed'] > 0


def test_the_poison_is_real(toy_root, tmp_path):
    """Where labels are asked for, the poisoned packs do fail."""
    data = poisoned_copy(toy_root, tmp_path / 'poisoned')
    with pytest.raises(DataError, match='NaN'):
        EMDBDataset(data, split='emdb1')[0]
    clip = EMDBDataset(data, split='train')[0]
    assert 'gt_instances' not in clip['data_samples']
