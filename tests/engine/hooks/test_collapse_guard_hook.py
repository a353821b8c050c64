from types import SimpleNamespace

import pytest

from gvhmr_da_mm.core.errors import ConfigError, TrainingCollapseError
from gvhmr_da_mm.engine.hooks import CollapseGuardHook


class Logger:
    def __init__(self):
        self.messages = []

    def warning(self, message):
        self.messages.append(message)


def feed(hook, errors, logger=None):
    """Give a hook real iterations with these errors; None is a synthetic one."""
    for iteration, error in enumerate(errors):
        runner = SimpleNamespace(iter=iteration, logger=logger or Logger(), work_dir='work')
        outputs = dict(synthetic_loss=1.0) if error is None else dict(reprojection_error=error)
        hook.after_train_iter(runner, iteration, outputs=outputs)


def test_a_rising_error_stops_the_run_and_is_named():
    hook = CollapseGuardHook(window=3, factor=2.0)
    with pytest.raises(TrainingCollapseError, match=r'collapse at iteration 9.*losses.pseudo'):
        feed(hook, [0.08, 0.06, 0.06, 0.06, None, 0.06, 0.1, 0.16, 0.2])


def test_a_falling_or_steady_error_is_fine():
    feed(CollapseGuardHook(window=3), [0.9, 0.5, 0.3, 0.2, 0.1, 0.09, 0.08, 0.08, 0.09] * 1)
    feed(CollapseGuardHook(window=3), [0.08, 0.3, 0.08] * 10)  # One bad batch in three.


def test_what_is_small_is_no_collapse():
    feed(CollapseGuardHook(window=2, floor=0.1), [0.01] * 4 + [0.09] * 10)


def test_warns_once_on_request():
    logger = Logger()
    feed(CollapseGuardHook(window=2, action='warn'), [0.06] * 4 + [0.4] * 8, logger)
    (message,) = logger.messages
    assert 'collapse' in message and '`momentum` of MeanTeacherHook' in message


def test_one_window_is_needed_first():
    feed(CollapseGuardHook(window=5), [0.01, 0.9, 0.9, 0.9])


@pytest.mark.parametrize('options', [dict(factor=1.0), dict(window=0), dict(action='pray')])
def test_impossible_settings(options):
    with pytest.raises(ConfigError, match=next(iter(options))):
        CollapseGuardHook(**options)


def test_a_single_bad_batch_is_no_collapse():
    feed(CollapseGuardHook(window=3), [0.08, 0.07, 0.08, float('nan'), float('inf'), 0.08, 0.07])
