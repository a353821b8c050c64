import logging

import pytest
from mmengine.logging import MMLogger

from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.datasets import BEDLAMDataset, EMDBDataset, MultiSourceDataset
from gvhmr_da_mm.engine import DomainMonitorHook


class Part:
    def __init__(self, **fields):
        vars(self).update(fields)


@pytest.fixture
def messages(monkeypatch):
    found = []
    monkeypatch.setattr(
        MMLogger, 'callHandlers', lambda self, entry: found.append((entry.levelno, entry.msg))
    )
    return found


def start(dataset):
    logger = MMLogger('monitor')
    logger.setLevel(logging.INFO)
    runner = Part(train_dataloader=Part(dataset=dataset), logger=logger)
    DomainMonitorHook().before_train(runner)


@pytest.mark.parametrize('transductive', [False, True])
def test_it_says_which_clips_are_used(toy_root, messages, transductive):
    datasets = [BEDLAMDataset(toy_root), EMDBDataset(toy_root, transductive=transductive)]
    messages.clear()
    start(MultiSourceDataset(dict(bedlam=datasets[0], emdb=datasets[1])))
    said = [text for level, text in messages if level == logging.INFO]
    assert f'synthetic domain: bedlam ({len(datasets[0])} clips)' in said
    assert f'real domain: emdb_train ({len(datasets[1])} clips)' in said
    warned = [text for level, text in messages if level == logging.WARNING]
    assert bool(warned) == transductive
    assert all('test clips (never their labels)' in text for text in warned)


def test_a_dataset_without_domains_is_fine(messages):
    start([1, 2, 3])
    assert not messages


class Hub(dict):
    def update_scalar(self, name, value):
        self[name] = value


def runner_with(rates):
    return Part(optim_wrapper=Part(get_lr=lambda: rates), message_hub=Hub())


@pytest.mark.parametrize(
    'rates', [{'model.lr': [0.1], 'discriminator.lr': [0.2]}, {'lr': [0.1]}], ids=['two', 'one']
)
def test_the_students_rate_is_lr(rates):
    runner = runner_with(rates)
    DomainMonitorHook().before_train_iter(runner, 0)
    assert runner.message_hub == {'train/lr': 0.1}


def test_an_unknown_optimizer_is_named():
    with pytest.raises(ConfigError, match=r"'student'.*\['discriminator.lr', 'model.lr'\]"):
        hook = DomainMonitorHook(optimizer='student')
        hook.before_train_iter(runner_with({'model.lr': [0.1], 'discriminator.lr': [0.2]}), 0)
