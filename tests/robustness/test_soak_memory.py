"""A short run of the soak test; the long one is made before a release."""

import re
import subprocess
import sys
from pathlib import Path

from tests.testing import read_log

MARGIN = 30.0
"""MB per 1000 iterations: in so short a run pools still fill. Growth that they hide has tensors."""

TOOL = Path(__file__).resolve().parents[2] / 'tests' / 'robustness' / 'soak_memory.py'


def test_sixty_iterations(toy_root, tmp_path):
    # A process of its own: other tests' memory and files come and go in this one.
    command = (sys.executable, TOOL, '--iters', '60', '--out', tmp_path, '--data-root', toy_root)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    code, out, err = done.returncode, done.stdout, done.stderr
    last = out.strip().splitlines()[-1]
    line = (
        r'rss_slope_mb_per_1000=(-?[\d.]+) fds_growth=(-?\d+) tensors_growth=(-?\d+) (ok|GROWING)'
    )
    match = re.fullmatch(line, last)
    assert match, (last, err)
    slope, files, tensors, verdict = float(match[1]), int(match[2]), int(match[3]), match[4]
    assert slope < MARGIN and files <= 0 and tensors <= 0, out
    assert (code == 0) == (verdict == 'ok') == (slope < 1)
    assert (tmp_path / 'memory.png').is_file()
    entry = read_log(tmp_path)[-2]
    # Pseudo-labels were learned, so that the whole adaptation was part of it.
    assert entry['step'] == 60 and entry['selection_rate'] > 0 and entry['real_loss'] > 0
