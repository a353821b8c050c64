"""Monitored metrics must be metrics of the run."""

from pathlib import Path

import mmengine.hooks
import pytest

from gvhmr_da_mm.apis import load_config
from gvhmr_da_mm.config.monitored import check_monitored
from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.engine import EarlyStoppingHook

TINY = Path(__file__).resolve().parents[2] / 'configs' / 'da_tiny_bedlam_emdb_3dpw.py'
SAVE_BEST = 'default_hooks.checkpoint.save_best'


@pytest.mark.parametrize('name', ['emdb1/pa_mpjpe', 'auto', ['emdb1/accel', 'emdb2/rte']])
def test_metrics_of_the_run(name):
    check_monitored(load_config(TINY, {SAVE_BEST: name}))


def stop_by(name):
    return dict(custom_hooks=[dict(type=EarlyStoppingHook, monitor=name)])


def plateau_by(name):
    schedule = dict(type='mmengine.optim.ReduceOnPlateauLR', monitor=name)
    return dict(param_scheduler=dict(model=[schedule], discriminator=[]))


def best_by(name):
    config = load_config(TINY).default_hooks
    config.checkpoint.save_best = ['emdb1/pa_mpjpe', name]
    return dict(default_hooks=config)


@pytest.mark.parametrize(
    'change, field',
    [
        (stop_by, 'custom_hooks.0.monitor'),
        (plateau_by, 'param_scheduler.model.0.monitor'),
        (best_by, SAVE_BEST),
    ],
)
def test_a_metric_that_there_is_not(change, field):
    config = load_config(TINY)
    config._cfg_dict.update(change('emdb1/mpjp'))
    with pytest.raises(ConfigError, match=f"`{field}`.*did you mean 'emdb1/mpjpe'"):
        check_monitored(config)
    config._cfg_dict.update(change('emdb1/mpjpe'))
    check_monitored(config)


def test_a_run_that_does_not_validate():
    config = load_config(TINY, {SAVE_BEST: 'emdb1/pa_mpjpe'})
    config.val_cfg = None
    with pytest.raises(ConfigError, match='does not validate'):
        check_monitored(config)


def test_mmengine_would_guess_by_the_name():
    """It takes `accel` for an accuracy."""
    config = load_config(TINY)
    hook = dict(type=mmengine.hooks.EarlyStoppingHook, monitor='emdb1/accel')
    config.custom_hooks = [hook]
    with pytest.raises(ConfigError, match="custom_hooks.0.monitor.*rule='less'"):
        check_monitored(config)
    hook['rule'] = 'less'
    config.custom_hooks = [hook]
    check_monitored(config)
