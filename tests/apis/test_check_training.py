"""Parts of a training that do not fit each other are refused before data are read."""

from pathlib import Path

import pytest
from mmengine.optim import OptimWrapper
from torch.optim import AdamW

from gvhmr_da_mm.apis import check_training, load_config
from gvhmr_da_mm.core.errors import ConfigError, MissingFilesError
from gvhmr_da_mm.engine import PrecisionOptimWrapperConstructor

TINY = Path(__file__).resolve().parents[2] / 'configs' / 'da_tiny_bedlam_emdb_3dpw.py'
COSINE = dict(type='CosineAnnealingLR', T_max=10)
ONE = dict(type=OptimWrapper, optimizer=dict(type=AdamW, lr=1e-4))


def check(**changes):
    config = load_config(TINY)
    for name, value in changes.items():
        config._cfg_dict[name] = value
    check_training(config)


@pytest.mark.parametrize('schedule', [[], COSINE, [COSINE], dict(model=[COSINE], discriminator=[])])
def test_schedules_of_all_optimisers(schedule):
    check(param_scheduler=schedule)


@pytest.mark.parametrize('keys', [['model'], ['discriminator'], ['model', 'critic']])
def test_a_schedule_of_one_optimiser(keys):
    with pytest.raises(ConfigError, match=r"param_scheduler.*\['model', 'discriminator'\]"):
        check(param_scheduler={key: [COSINE] for key in keys})


@pytest.mark.parametrize('constructor', [None, PrecisionOptimWrapperConstructor])
def test_one_optimiser_for_two(constructor):
    with pytest.raises(ConfigError, match='AdaptationOptimWrapperConstructor'):
        check(optim_wrapper=dict(ONE, **(dict(constructor=constructor) if constructor else {})))


@pytest.mark.parametrize('kind', ['ConcatDataset', 'RepeatDataset'])
def test_datasets_that_hide_domains(kind):
    with pytest.raises(ConfigError, match=f'{kind}.*MultiSourceDataset'):
        check(train_dataloader=dict(dataset=dict(type=kind)))


def test_a_whole_step_cannot_be_compiled():
    with pytest.raises(ConfigError, match='model.estimator.compile=True'):
        check(compile=True)
    load_config(TINY, {'model.estimator.compile': True})


def test_the_lifter_is_read_before_the_first_unlabelled_batch():
    config = load_config(TINY, {'model.pseudo_labeler.lifter.checkpoint': 'gvhmr-keypoints'})
    with pytest.raises(MissingFilesError, match='gvhmr-keypoints-'):
        check_training(config)


ONE_CYCLE = dict(type='OneCycleLR', eta_max=1e-3)


@pytest.mark.parametrize(
    'schedule, message',
    [
        (dict(total_steps=2), 'has 2 steps.*but the training has 10 epochs: set `total_st.* to 10'),
        (dict(total_steps=2, convert_to_iter_based=True), 'but the training has 10 epochs'),
        (dict(total_steps=7, begin=2), '`total_steps` to 8, or `end` to 9'),
        ({}, r'\(OneCycleLR\) should have `total_steps`.*or `end`'),
    ],
)
def test_a_schedule_that_ends_before_the_training(schedule, message):
    config = dict(train_cfg=dict(max_epochs=10))
    with pytest.raises(ConfigError, match=f'`param_scheduler.model.0`.*{message}'):
        check(param_scheduler=dict(model=[dict(ONE_CYCLE, **schedule)], discriminator=[]), **config)


@pytest.mark.parametrize(
    'schedule', [dict(total_steps=10), dict(total_steps=2, end=2), dict(end=3), dict(begin=8)]
)
def test_schedules_as_long_as_the_training(schedule):
    schedule = dict(dict(total_steps=2), **schedule)
    check(param_scheduler=[dict(ONE_CYCLE, **schedule)], train_cfg=dict(max_epochs=10))
