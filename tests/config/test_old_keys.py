"""Former keys give one message, with the present key."""

from pathlib import Path

import pytest

from gvhmr_da_mm.apis import load_config
from gvhmr_da_mm.core.errors import ConfigError

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
MAIN = CONFIGS / 'da_bedlam_emdb_3dpw.py'


@pytest.fixture
def own(tmp_path):
    """Return a function that writes a config of one's own on top of the main one."""
    (tmp_path / 'configs').symlink_to(CONFIGS)

    def _own(text):
        path = tmp_path / 'mine.py'
        head = 'from mmengine.config import read_base\n\nwith read_base():\n    from .configs.'
        path.write_text(f'{head}da_bedlam_emdb_3dpw import *\n\n{text}\n')
        return path

    return _own


@pytest.mark.parametrize(
    'old, new',
    [
        (
            'custom_hooks.1.confidence_threshold_start',
            'default_hooks.confidence_threshold.start',
        ),
        ('custom_hooks.1.confidence_step', 'default_hooks.confidence_threshold.step'),
        ('custom_hooks[2].momentum', 'default_hooks.mean_teacher.momentum'),
        ('custom_hooks.0', 'default_hooks.motion_statistics'),
        ('custom_hooks.6.action', 'default_hooks.collapse_guard.action'),
        (
            'default_hooks.confidence_threshold.confidence_threshold_end',
            'default_hooks.confidence_threshold.end',
        ),
        (
            'train_dataloader.dataset.datasets.1.transductive',
            'train_dataloader.dataset.datasets.emdb.transductive',
        ),
        (
            'val_dataloader.dataset.datasets[2].indices',
            'val_dataloader.dataset.datasets.threedpw.indices',
        ),
    ],
)
def test_an_old_override_names_the_new_key(old, new):
    with pytest.raises(ConfigError) as error:
        load_config(MAIN, {old: 1})
    assert str(error.value).startswith(f'`{old}` is now `{new}`; see CHANGELOG.md')


def test_positions_of_ones_own_hooks_stay(own):
    path = own("custom_hooks = [dict(type='mmengine.hooks.EMAHook', momentum=0.1)]")
    config = load_config(path, {'custom_hooks.0.momentum': 0.2})
    assert config.custom_hooks[0].momentum == 0.2


@pytest.mark.parametrize(
    'text, message',
    [
        (
            'custom_hooks[1].update(confidence_threshold_end=0.9)',
            r'mine.py: `custom_hooks\[1\]` is `default_hooks.confidence_threshold` now',
        ),
        (
            'train_dataloader.dataset.datasets[1].update(transductive=True)',
            r'mine.py: `datasets\[1\]` is `datasets.<name>` now',
        ),
        (
            'test_dataloader.dataset.datasets.append(bedlam)',
            r'mine.py: `datasets.append` is `datasets.update\(<name>=...\)` now',
        ),
        (
            'train_dataloader.dataset.datasets = [bedlam]',
            '`train_dataloader.dataset.datasets` is a list, but datasets have names now',
        ),
        (
            'default_hooks.confidence_threshold.update(confidence_threshold_start=0.6)',
            '`default_hooks.confidence_threshold.confidence_threshold_start` is now '
            '`default_hooks.confidence_threshold.start`',
        ),
        (
            "custom_hooks = [dict(type='ConfidenceThresholdHook', confidence_step=0.1)]",
            '`custom_hooks.0` is a second ConfidenceThresholdHook',
        ),
        (
            "custom_hooks = [dict(type='gvhmr_da_mm.MeanTeacherHook', momentum=0.01)]",
            '`custom_hooks.0` is a second MeanTeacherHook: .* `default_hooks.mean_teacher`',
        ),
    ],
)
def test_an_old_config_file_names_the_new_key(own, text, message):
    with pytest.raises(ConfigError, match=message):
        load_config(own(text))


def test_other_mistakes_of_a_config_file_are_told_by_their_line(own):
    with pytest.raises(ConfigError, match='line 6.*IndexError: list index out of range'):
        load_config(own('[][3]'))
