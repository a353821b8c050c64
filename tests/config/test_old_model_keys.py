import inspect
from pathlib import Path

import pytest

from gvhmr_da_mm.config.loading import load_config
from gvhmr_da_mm.config.old_keys import RENAMED_KEYS
from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.models import DomainAdaptiveGVHMR

CONFIGS = Path(__file__).parents[2] / 'configs'
TINY = CONFIGS / 'da_tiny_bedlam_emdb_3dpw.py'


@pytest.mark.parametrize('old', RENAMED_KEYS)
def test_a_former_key_names_the_new_one(old):
    with pytest.raises(ConfigError) as error:
        load_config(TINY, {old: 1})
    new = RENAMED_KEYS[old].strip('`')
    assert f'`{old}`' in str(error.value)
    assert (f'is now `{new}' if new else 'no longer exists') in str(error.value)


def test_a_former_key_in_a_file_names_the_new_one(tmp_path):
    path = tmp_path / 'mine.py'
    config = load_config(TINY)
    config.model.real_weight = 0.2
    config.dump(path)
    with pytest.raises(ConfigError, match='`model.real_weight` is now `model.losses.pseudo'):
        load_config(path)


def test_new_keys_exist():
    """Those of the adaptive model; the others are fields of the classes that the config names."""
    known = inspect.signature(DomainAdaptiveGVHMR).parameters
    for new in filter(lambda key: key.startswith('model.'), RENAMED_KEYS.values()):
        part = new.split('.')[1]
        assert part in {*known, 'test_cfg', 'train_cfg'}, new
    for old, new in RENAMED_KEYS.items():
        single = ('model.test_cfg', 'model.train_cfg')
        if new.startswith('model.') and not new.startswith(single):
            value = {'model.losses': {}}.get(new)
            try:
                load_config(TINY, {new: value})
            except ConfigError as error:
                assert 'there is no' not in str(error), (old, new)
