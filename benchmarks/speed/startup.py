"""From nothing to the first training item, in a fresh interpreter."""

import subprocess
import sys
from functools import partial

from benchmarks.speed.case import Case, Pair, Settings
from benchmarks.speed.paths import ROOT

OURS = """
from gvhmr_da_mm.datasets import BEDLAMDataset, EMDBDataset, ThreeDPWDataset
root = {root!r}
for dataset in (BEDLAMDataset(root), EMDBDataset(root), ThreeDPWDataset(root)):
    dataset[0]
"""
# What the published datasets do when they are built: every pack of every source into memory.
WHOLE_PACKS = """
import torch
from pathlib import Path
folders = [Path(root) / name / 'hmr4d_support' for name in ('BEDLAM', 'EMDB', '3DPW')]
held = [
    torch.load(path, map_location='cpu', weights_only=False)
    for folder in folders for path in folder.rglob('*.pt*') if 'flip' not in str(path)
]
"""


def _run(code: str, settings: Settings) -> None:
    code = code.format(root=str(settings.data_root))
    subprocess.run([sys.executable, '-c', code], cwd=ROOT, check=True, capture_output=True)


def first_item(settings: Settings) -> Pair:
    """Import, open all training sets and read an item of each."""
    return Pair(partial(_run, OURS, settings), partial(_run, OURS + WHOLE_PACKS, settings))


def cases() -> list[Case]:
    """Return the cases of this family."""
    options = dict(devices=('cpu',), default=('cpu',), measure_memory=False)
    return [Case('startup', first_item, **options)]
