"""A short run of the soak test; the long one is made before a release."""

import re
import subprocess
import sys
from pathlib import Path

from tests.testing import read_log

MARGIN = 30.0
"""MB per 1000 iterations; a graph that is kept would be a hundred."""

TOOL = Path(__file__).resolve().parents[2] / 'tests' / 'robustness' / 'soak_memory.py'


def test_a_hundred_iterations(toy_root, tmp_path):
    # A process of its own: other tests' memory and files come and go in this one.
    command = (sys.executable, TOOL, '--iters', '100', '--out', tmp_path, '--data-root', toy_root)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    code, out, err = done.returncode, done.stdout, done.stderr
    last = out.strip().splitlines()[-1]
    match = re.fullmatch(r'rss_slope_mb_per_1000=(-?[\d.]+) fds_growth=(-?\d+) (ok|GROWING)', last)
    assert match, (last, err)
    slope, files, verdict = float(match[1]), int(match[2]), match[3]
    assert slope < MARGIN and files <= 0, out
    assert (code == 0) == (verdict == 'ok') == (slope < 1)
    assert (tmp_path / 'memory.png').is_file()
    entry = read_log(tmp_path)[-2]
    # Pseudo-labels were learned, so that the whole adaptation was part of it.
    assert entry['step'] == 100 and entry['selection_rate'] > 0 and entry['real_loss'] > 0
