"""What the pages name exists: links, config keys and defaults, log names, metrics, numbers."""

import argparse
import inspect
import re
import shutil
from functools import cache

import numpy as np
import pytest
from mmengine.config import DictAction
from mmengine.evaluator import Evaluator
from mmengine.registry import DefaultScope

from gvhmr_da_mm.apis import load_config
from gvhmr_da_mm.core.camera import camera_angular_velocity
from gvhmr_da_mm.core.trajectory import local_velocity, rollout_world
from gvhmr_da_mm.datasets.sources.expected_files import expected_files
from gvhmr_da_mm.engine import AdaptationOptimWrapperConstructor
from gvhmr_da_mm.evaluation import PROTOCOLS, get_protocol
from gvhmr_da_mm.evaluation.report import METRIC_LABELS
from gvhmr_da_mm.models import ReprojectionLoss
from gvhmr_da_mm.models.test_time import MotionRecovery
from gvhmr_da_mm.registry import DATASETS, HOOKS, METRICS, MODELS, TRANSFORMS
from tests.testing import toy_adaptation_config, toy_batch

from .markdown import (
    CONFIGS,
    ENGLISH,
    PAGES,
    PAIRS,
    REPO_ROOT,
    anchor,
    blocks,
    code_words,
    headings,
    section,
    table_rows,
)

MAIN = REPO_ROOT / 'configs' / 'da_bedlam_emdb_3dpw.py'
RUNTIME = REPO_ROOT / 'configs' / '_base_' / 'default_runtime.py'
SOURCE = REPO_ROOT / 'configs' / 'gvhmr_bedlam.py'
LINK = re.compile(r'\]\(([^)\s]+)\)')
OF_OTHER_PROGRAMS = {
    '--gpus', '--logdir',  # mim, TensorBoard
    '--gres',  # Slurm
    '--lifetime', '--lifetime-stagger', '--nthreads', '--nworkers', '--scheduler-file',  # Dask
}  # fmt: skip
OVERRIDE = re.compile(r'[\w.]+=[^\s`|]+')


@cache
def options(text):
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    return parser.parse_args(['--cfg-options', text]).cfg_options


def value_at(config, key):
    """Return what a config says, or else the default of the class that it names."""
    node = config._cfg_dict
    for part in key.split('.'):
        if isinstance(node, (list, tuple)):
            node = node[int(part)]
        elif part in node:
            node = node[part]
        else:
            node = inspect.signature(node['type'].__init__).parameters[part].default
    return node


def value_of(config, key):
    """Return what the config says, or else the default of the class; None if there is neither."""
    *parents, name = key.split('.')
    node = config._cfg_dict
    for part in parents:
        node = node[int(part)] if isinstance(node, list) else node.get(part)
        if node is None:
            return None
    if name in node or 'type' not in node:
        return node.get(name)
    inits = [kind.__init__ for kind in node['type'].__mro__ if '__init__' in vars(kind)]
    known = [inspect.signature(init).parameters for init in inits]
    return next(parameters[name].default for parameters in known if name in parameters)


def overrides(text):
    return [word for word in code_words(text) if '.' in word and OVERRIDE.fullmatch(word)]


# Links and languages


@pytest.mark.parametrize('page', PAGES, ids=lambda page: str(page.relative_to(REPO_ROOT)))
def test_links_lead_somewhere(page):
    for link in LINK.findall(page.read_text(encoding='utf-8')):
        if '://' in link:
            continue
        name, _, fragment = link.partition('#')
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f'{page}: {link}'
        if fragment:
            assert fragment in [anchor(title) for title in headings(target)], f'{page}: {link}'


@pytest.mark.parametrize('english, chinese', PAIRS, ids=lambda page: page.name)
def test_both_languages_say_the_same(english, chinese):
    assert chinese.exists(), f'{chinese} is missing'
    levels = [[title.split()[0] for title in headings(page)] for page in (english, chinese)]
    assert levels[0] == levels[1]
    texts = [page.read_text(encoding='utf-8') for page in (english, chinese)]
    assert len(table_rows(texts[0])) == len(table_rows(texts[1]))
    assert overrides(texts[0]) == overrides(texts[1])
    codes = [blocks(page) for page in (english, chinese)]
    assert codes[0] == codes[1]


@pytest.mark.parametrize('page', PAGES, ids=lambda page: str(page.relative_to(REPO_ROOT)))
def test_files_named_in_commands_exist(page):
    for code in blocks(page, 'bash'):
        for name in re.findall(r'\b((?:tools|configs|benchmarks|tests)/[\w./]+\.(?:py|sh))', code):
            assert (REPO_ROOT / name).is_file(), f'{page}: {name}'


def test_the_table_of_moved_tools_names_what_exists():
    rows = table_rows(section(REPO_ROOT / 'CHANGELOG.md', 'Moved'))
    moved = [row for row in rows if row[0].startswith('`tools/')]
    assert len(moved) > 10
    for old, now in moved:
        names = re.findall(r'\b((?:tools|benchmarks|tests)/[\w./]+)', now)
        names += [name.replace('.', '/') + '.py' for name in re.findall(r'-m ([\w.]+)', now)]
        assert all((REPO_ROOT / name).exists() for name in names), now
        before = re.match(r'`([\w./]+)', old)[1]
        if now.startswith('the same'):
            names.append(before)
        assert names and (before in names or not (REPO_ROOT / before).exists()), old


@pytest.mark.parametrize('page', PAGES, ids=lambda page: str(page.relative_to(REPO_ROOT)))
def test_options_of_the_tools_exist(page):
    if page.name == 'install.md':  # Those of pip and mim.
        return
    folders = ('tools', 'gvhmr_da_mm', 'benchmarks', 'tests/robustness')
    sources = [source for name in folders for source in (REPO_ROOT / name).rglob('*.py')]
    known = set()
    for source in sources:
        code = source.read_text(encoding='utf-8')
        if 'ArgumentParser' in code:
            known |= set(re.findall(r"'(--[a-z-]+)'", code))
    named = set(re.findall(r'(?<![\w-])--[a-z][a-z-]+', page.read_text(encoding='utf-8')))
    assert named - OF_OTHER_PROGRAMS <= known, named - known


# Config keys


PUBLISHED = {
    'confidence_threshold_start', 'confidence_threshold_end', 'confidence_step',
    'synthetic_weight', 'real_weight', 'discriminator_weight', 'num_augmentations',
    'alternating_ratio',
}  # fmt: skip
"""Knobs by the names that the published adaptation code gives them."""


@pytest.mark.parametrize('row', table_rows(section(CONFIGS / 'README.md', 'Every knob')))
def test_knobs_have_their_defaults_and_change_the_config(row):
    _, _, default, example = row
    if not example:  # A tool's option, which has no key.
        return
    option = options(*code_words(example))
    ((key, value),) = option.items()
    config = load_config(MAIN)
    changed = load_config(MAIN, dict(option))
    assert value_at(changed, key) == value
    before = value_of(config, key)
    assert before != value
    if default:
        ((named, told),) = options(*code_words(default)).items()
        assert named == key and before == (None if told == 'None' else told)


def test_knobs_are_found_by_their_published_names():
    rows = table_rows(section(CONFIGS / 'README.md', 'Every knob'))
    assert {word for row in rows for word in code_words(row[1])} == PUBLISHED


@pytest.mark.parametrize(
    'override',
    [
        word
        for cell in overrides(section(CONFIGS / 'README.md', 'The source model'))
        for word in cell.split(';')
    ],
)
def test_keys_of_the_source_config(override):
    option = options(override)
    ((key, value),) = option.items()
    load_config(SOURCE, dict(option))
    assert value_of(load_config(SOURCE), key) == (None if value == 'None' else value)


def test_config_of_the_configs_page(tmp_path):
    shutil.copytree(REPO_ROOT / 'configs', tmp_path / 'configs')
    path = tmp_path / 'configs' / 'mine.py'
    path.write_text(blocks(CONFIGS / 'README.md')[0])
    model = load_config(path).model
    assert model.losses.pseudo.loss_weight == 0.2
    assert model.pseudo_labeler.num_augmentations == 3
    assert model.losses.reprojection.type is ReprojectionLoss


def test_listed_configs_are_those_there():
    text = (CONFIGS / 'README.md').read_text(encoding='utf-8')
    for path in CONFIGS.rglob('*.py'):
        assert path.name in text, path


# Adaptation


def test_hooks_are_in_the_order_told():
    listed = [row[0] for row in table_rows(section(ENGLISH / 'adaptation.md', 'Settings'))]
    names = [tuple(code_words(cell)) for cell in listed if cell.endswith('Hook`')]
    hooks = load_config(MAIN).default_hooks
    told = {name for name, _ in names}
    assert [(n, hook.type.__name__) for n, hook in hooks.items() if n in told] == names
    assert told >= set(hooks) - set(load_config(RUNTIME).default_hooks)


def test_settings_and_defaults_are_those_of_the_classes():
    for row in table_rows(section(ENGLISH / 'adaptation.md', 'Settings')):
        classes = [word for word in code_words(row[1]) + code_words(row[0]) if word[0].isupper()]
        if not classes:
            continue
        kind = next(k for k in (MODELS.get(classes[0]), HOOKS.get(classes[0])) if k is not None)
        parameters = inspect.signature(kind.__init__).parameters
        config = load_config(MAIN)
        hooks = {hook.type.__name__: hook for hook in config.default_hooks.values()}
        for word in code_words(row[-1]):
            if '=' not in word:
                continue
            name, value = word.split('=')
            default = parameters[name].default
            default = hooks.get(classes[0], {}).get(name, default)
            assert str(default) == value.strip("'"), word


def test_views_exist():
    for row in table_rows(section(ENGLISH / 'adaptation.md', 'Views')):
        for name in code_words(row[0]):
            assert TRANSFORMS.get(name) is not None, name


def test_log_names_are_those_of_training(toy_root):
    rows = table_rows(section(ENGLISH / 'adaptation.md', 'What the log says'))
    named = {word for row in rows for word in code_words(row[0])}
    model = MODELS.build(toy_adaptation_config(toy_root, losses={}))
    model.init_weights()
    config = dict(
        model=dict(optimizer=dict(type='AdamW', lr=1e-3)),
        discriminator=dict(optimizer=dict(type='Adam', lr=1e-3)),
    )
    wrapper = AdaptationOptimWrapperConstructor(config)(model)
    logged = set(model.train_step(toy_batch('synthetic', 2), wrapper))
    logged |= set(model.train_step(toy_batch('real', 2), wrapper))
    latest = {'confidence_threshold', 'lr'}
    assert named == logged | latest | {'grad_norm'}
    averaged = load_config(MAIN).log_processor.mean_pattern
    assert {name for name in named if not re.search(averaged, name)} == latest


# Data and evaluation


def test_data_layout_is_the_one_looked_for():
    text = (ENGLISH / 'data.md').read_text(encoding='utf-8')
    for group in expected_files():
        for name in (*group.folder.split('/'), *(file.split('/')[-1] for file in group.files)):
            assert name in text, name


def test_inputs_are_those_of_a_sample(toy_root):
    rows = table_rows(section(ENGLISH / 'data.md', 'What a sample holds'))
    named = {word for row in rows for word in code_words(row[0])}
    dataset = dict(type='EMDBDataset', data_root=str(toy_root), flip_features=True)
    assert named == set(DATASETS.build(dataset)[0]['inputs'])


def test_protocols_and_published_numbers():
    page = ENGLISH / 'evaluation.md'
    metrics = {row[0].strip('`') for row in table_rows(section(page, 'Metrics')) if len(row) == 4}
    assert metrics == set(METRIC_LABELS)
    lines = section(page, 'Metrics').splitlines()
    labels = {label: name for name, (label, _) in METRIC_LABELS.items()}
    tables = [
        line for line in lines if line.startswith(('| |', '| `')) and line.count('|') in (6, 7)
    ]
    headed = None
    seen = {}
    for line in tables:
        cells = [cell.strip() for cell in line.split('|')[1:-1]]
        if not cells[0]:
            headed = [labels[cell] for cell in cells[1:]]
        else:
            seen[cells[0].strip('`')] = dict(zip(headed, map(float, cells[1:])))
    published = {name: dict(protocol.published) for name, protocol in PROTOCOLS.items()}
    assert seen == {name: numbers for name, numbers in published.items() if numbers}


def test_config_with_rich(tmp_path):
    shutil.copytree(REPO_ROOT / 'configs', tmp_path / 'configs')
    path = tmp_path / 'configs' / 'mine.py'
    code = next(code for code in blocks(ENGLISH / 'evaluation.md') if 'read_base' in code)
    path.write_text(code)
    config = load_config(path)
    assert len(config.test_evaluator) == 5
    assert config.test_dataloader.dataset.datasets.rich.type is DATASETS.get('RICHDataset')


def test_options_at_test_time_and_their_defaults():
    rows = table_rows(section(ENGLISH / 'evaluation.md', 'At test time'))
    told = {row[0].strip('`'): code_words(row[1]) for row in rows}
    defaults = inspect.signature(MotionRecovery).parameters
    assert set(told) == set(defaults) - {'compat'}
    test_cfg = value_at(load_config(SOURCE), 'model.test_cfg')
    for name, words in told.items():
        assert words[0] == str(test_cfg.get(name, defaults[name].default)), name
    test_cfg = value_at(load_config(MAIN), 'model.estimator.test_cfg')
    for name, words in told.items():
        value = test_cfg.get(name, defaults[name].default)
        assert words[-1] == (value['type'].__name__ if isinstance(value, dict) else str(value))


def test_own_protocol(toy_root):
    scope = {}
    exec(blocks(ENGLISH / 'evaluation.md')[0], scope)
    assert get_protocol(scope['mine']).regressor == 'smpl24'
    metric = METRICS.build(scope['metric'])
    assert metric.dataset == metric.prefix == 'mine'


def test_mmpose_metric_on_our_samples(toy_root):
    config = load_config(MAIN)
    code = next(code for code in blocks(ENGLISH / 'evaluation.md') if 'mmpose.MPJPE' in code)
    exec(code, dict(test_evaluator=config.test_evaluator))
    dataset = DATASETS.build(dict(type='EMDBDataset', data_root=str(toy_root), split='emdb1'))
    sample = dataset[0]['data_samples']
    keypoints = sample.gt_instances.lifting_target * np.float32(1.2)
    sample.set_field(type(sample.gt_instances)(keypoints=keypoints), 'pred_instances')
    with DefaultScope.overwrite_default_scope('gvhmr_da_mm'):
        evaluator = Evaluator([METRICS.build(config.test_evaluator[-1])])
        evaluator.process([sample])
        results = evaluator.evaluate(1)
    # A similarity alignment removes the scale.
    assert results['joints22/P-MPJPE'] < 1e-3 and 'joints22/P-MPJPE_P1' in results


# Correctness


@pytest.mark.parametrize('row', range(4))
def test_errors_of_the_world_yaw(row):
    from tests.core.test_trajectory import orientation_error, panned_scene

    cells = table_rows(section(ENGLISH / 'correctness.md', 'World trajectory'))[row]
    pan = float(cells[0].rstrip('°'))
    smoothing = 0 if cells[1] == 'none' else 3
    R_w2c, R_w, transl_w, R_c, R_gv = panned_scene(pan)
    angvel, velocity = camera_angular_velocity(R_w2c), local_velocity(R_w, transl_w)
    for cell, compat in zip(cells[2:], ('published', 'correct')):
        told = [float(number) for number in re.findall(r'([\d.]+)°', cell)]
        R_world, _ = rollout_world(R_gv, R_c, angvel, velocity, compat, smoothing)
        error = orientation_error(R_world, R_w)
        assert [error.mean(), error.max()] == pytest.approx(told, abs=0.006)
