import json
import runpy
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).resolve().parents[2] / 'tools/analysis_tools/plot_adaptation.py'


@pytest.fixture
def run(monkeypatch):
    def _run(*args):
        monkeypatch.setattr(sys, 'argv', [str(TOOL), *map(str, args)])
        runpy.run_path(str(TOOL), run_name='__main__')

    return _run


def test_figure_and_error(run, tmp_path, capsys):
    log = tmp_path / 'run' / '20250101' / 'vis_data' / 'scalars.json'
    log.parent.mkdir(parents=True)
    log.write_text(json.dumps(dict(synthetic_loss=1.0, epoch=1, iter=1, step=1)) + '\n')
    run(tmp_path / 'run', '--out', tmp_path / 'out')
    assert (tmp_path / 'out' / 'adaptation.png').stat().st_size > 10_000
    assert capsys.readouterr().out.strip() == str(tmp_path / 'out' / 'adaptation.png')

    with pytest.raises(SystemExit) as end:
        run(tmp_path / 'out')
    assert end.value.code == 2
    assert 'MissingFilesError: there is no log of a run' in capsys.readouterr().err
