"""The demo's own parts: steps that are skipped, steps that fail, the comparison."""

import importlib.util
import json
from pathlib import Path

import pytest
from rich.console import Console

TOOL = Path(__file__).resolve().parents[2] / 'tools' / 'demo.py'


@pytest.fixture(scope='module')
def demo():
    spec = importlib.util.spec_from_file_location('demo_tool', TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_step_whose_result_exists_does_not_run(demo, tmp_path):
    result = tmp_path / 'done.json'
    result.write_text('{}')
    demo.run('Step', result, 'tools/no_such_tool.py')


def test_a_step_that_fails_ends_the_demo_with_its_name(demo, tmp_path):
    with pytest.raises(SystemExit, match='Step failed with status'):
        demo.run('Step', tmp_path / 'missing', 'tools/no_such_tool.py')


def test_the_comparison_shows_the_change_of_each_metric(demo, tmp_path):
    paths = []
    for name, value in (('before', 100.0), ('after', 75.0)):
        paths.append(tmp_path / f'{name}.json')
        results = {'emdb1/pa_mpjpe': value, 'emdb2/rte': None, 'time': 1.0}
        paths[-1].write_text(json.dumps(dict(results=results)))
    console = Console(width=100, record=True)
    console.print(demo.compare(*paths))
    text = console.export_text()
    assert 'emdb1 PA-MPJPE (mm)' in text and '-25 %' in text
    assert 'RTE' not in text and 'time' not in text


def test_every_tool_and_config_it_names_exists(demo):
    source = TOOL.read_text()
    for name in ('tools/train.py', 'tools/test.py', 'tools/analysis_tools/plot_adaptation.py'):
        assert name in source and (demo.ROOT / name).is_file()
    for name in ('configs/gvhmr_demo.py', 'configs/da_demo.py'):
        assert name in source and (demo.ROOT / name).is_file()
