"""Tools read the command line before they import what takes seconds."""

import subprocess
import sys

import pytest

from gvhmr_da_mm.datasets.sources.downloads import DOWNLOADS
from tests.tool_calls import REPO_ROOT

TOOLS = sorted(path.relative_to(REPO_ROOT) for path in (REPO_ROOT / 'tools').rglob('*.py'))
HEAVY = ('torch', 'mmengine', 'mmcv', 'mmpose', 'matplotlib', 'cv2')
CODE = """
import runpy, sys
tool, *heavy = sys.argv[1:]
sys.argv = [tool, '--help']
try:
    runpy.run_path(tool, run_name='__main__')
except SystemExit:
    pass
print('imported:', [name for name in heavy if name in sys.modules])
"""


def test_tools_are_found():
    assert len(TOOLS) >= 15


@pytest.mark.parametrize('tool', TOOLS, ids=str)
def test_help_imports_nothing_heavy(tool):
    command = [sys.executable, '-c', CODE, str(tool), *HEAVY]
    done = subprocess.run(command, cwd=REPO_ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert 'usage:' in done.stdout
    assert done.stdout.rstrip().endswith('imported: []')


def test_help_names_every_download(call):
    code, out, _ = call('dataset_converters/convert', '--help')
    assert code == 0
    assert DOWNLOADS and all(name in out for name in DOWNLOADS)


@pytest.mark.parametrize(
    'arguments, expected',
    [
        (('none', 'in', 'out'), "argument SOURCE: invalid choice: 'none' (choose from"),
        (('hmr4d_support', 'in', 'out', '--dataset', 'none'), '`--dataset` should be one of'),
    ],
)
def test_unknown_data_sets_are_refused(call, arguments, expected):
    code, _, err = call('dataset_converters/convert', *arguments)
    assert code == 2 and expected in err
