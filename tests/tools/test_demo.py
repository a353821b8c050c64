"""The demo's own parts: the real video, steps that are skipped, steps that fail, the comparison."""

import importlib.util
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from gvhmr_da_mm.core.errors import MissingFilesError
from tests.apis.inferencers.conftest import detected  # noqa: F401
from tests.apis.video_adaptation.conftest import SHORT, source, videos  # noqa: F401

TOOL = Path(__file__).resolve().parents[2] / 'tools' / 'demo.py'


@pytest.fixture(scope='module')
def demo():
    spec = importlib.util.spec_from_file_location('demo_tool', TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def printed(demo, monkeypatch):
    """Return a function that returns what the demo has printed so far."""
    console = Console(width=200, record=True)
    monkeypatch.setattr(demo, 'CONSOLE', console)
    return lambda: console.export_text(clear=False)


@pytest.fixture
def show_video(demo, call, source, videos, toy_root, tmp_path, monkeypatch):  # noqa: F811
    """Return a function that runs the act of the video by a tiny model, without new processes."""

    def run_tool(command, **options):
        code, _, err = call(Path(command[1]).stem, *command[2:])
        assert code == 0, err
        return SimpleNamespace(returncode=code)

    def _show_video():
        options = (
            '--weights', source, '--data-root', toy_root, '--keypoints', tmp_path / 'keypoints',
            '--device', 'cpu', '--static-camera',
        )  # fmt: skip
        short = [f'{key}={value}' for key, value in SHORT.items()]
        video, out = videos / 'walk.mp4', tmp_path / 'out'
        return demo.show_video(video, out, [str(o) for o in options], ('--cfg-options', *short))

    monkeypatch.setattr(demo, 'subprocess', SimpleNamespace(run=run_tool))
    return _show_video


@pytest.mark.parametrize('reasons', [[], ['it got worse']], ids=['better', 'worse'])
def test_a_real_video_before_and_after(
    demo,
    show_video,
    printed,
    detected,  # noqa: F811
    reasons,
    tmp_path,
    monkeypatch,
):
    monkeypatch.setattr('gvhmr_da_mm.apis.video_adaptation.stages.objections', lambda *_: reasons)
    files = show_video()
    names = ['walk/overlay.mp4', 'walk/world.html', 'adapted/walk.mp4']
    if not reasons:
        names += ['after/walk/overlay.mp4', 'after/walk/world.html']
    assert files == [tmp_path / 'out' / name for name in names]
    assert all(file.stat().st_size for file in files)
    assert len(detected) == 1, 'all three commands use what the first has seen'
    text = printed()
    assert text.index(str(files[0])) < text.index('Adapt the model'), 'told as soon as it is there'
    assert ('The adapted model is not better' in text) == bool(reasons)

    monkeypatch.setattr(demo, 'subprocess', None)
    assert show_video() == files, 'a second run does nothing again'


@pytest.mark.parametrize(
    'change, said',
    [
        (('gvhmr_da_mm.apis.list_models', list), 'this version ships no model'),
        (('gvhmr_da_mm.demo.sample_video', None), 'no network'),
    ],
)
def test_without_model_or_network_the_second_act_goes_on(demo, printed, change, said, monkeypatch):
    def offline():
        raise MissingFilesError('no network')

    monkeypatch.setattr('gvhmr_da_mm.apis.list_models', lambda: ['a_model'])
    monkeypatch.setattr(change[0], change[1] or offline)
    monkeypatch.setattr(demo, 'show_packs', lambda args, out: [out / 'a.png'])
    monkeypatch.setattr('sys.argv', ['demo.py'])
    demo.main()
    text = printed()
    assert f'Left out: {said}' in text and 'a.png' in text


def test_a_step_whose_result_exists_does_not_run(demo, tmp_path):
    result = tmp_path / 'done.json'
    result.write_text('{}')
    demo.run('Step', result, 'tools/no_such_tool.py')


def test_a_step_that_fails_ends_the_demo_with_its_name(demo, tmp_path):
    with pytest.raises(SystemExit, match='Step failed with status'):
        demo.run('Step', tmp_path / 'missing', 'tools/no_such_tool.py')


def test_the_comparison_shows_the_change_of_each_metric(demo, tmp_path):
    tests = {}
    for name, value in (('Before', 100.0), ('Fitted', 80.0), ('After', 75.0)):
        tests[name] = tmp_path / f'{name}.json'
        results = {'emdb1/pa_mpjpe': value, 'emdb2/rte': None, 'time': 1.0}
        tests[name].write_text(json.dumps(dict(results=results)))
    console = Console(width=100, record=True)
    console.print(demo.compare(tests))
    text = console.export_text()
    assert 'emdb1 PA-MPJPE (mm)' in text and '-25 %' in text
    assert text.index('Before') < text.index('Fitted') < text.index('After')
    assert 'RTE' not in text and 'time' not in text


def test_every_tool_and_config_it_names_exists(demo):
    text = TOOL.read_text()
    tools = ('train.py', 'test.py', 'infer.py', 'adapt.py', 'analysis_tools/plot_adaptation.py')
    for name in (f'tools/{tool}' for tool in tools):
        assert name in text and (demo.ROOT / name).is_file()
    for name in demo.CONFIGS.values():
        assert (demo.ROOT / name).is_file()
    assert [name for tests in demo.TESTS.values() for name in tests] == list(demo.TITLES)
