"""Cases of spoiled packs."""

import os
import shutil
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gvhmr_da_mm.core.errors import GVHMRError
from gvhmr_da_mm.datasets import (
    BEDLAMDataset,
    ClipKey,
    EMDBDataset,
    H36MDataset,
    RICHDataset,
    ThreeDPWDataset,
)
from gvhmr_da_mm.datasets.validation import find_folders, validate_folder
from tests.robustness.fuzzing.content_mutations import mutate_content
from tests.robustness.fuzzing.file_mutations import mutate_file
from tests.robustness.fuzzing.outcome import FAILED, Outcome, observe

READERS = {
    'BEDLAM': (BEDLAMDataset,),
    'EMDB': (
        EMDBDataset,
        partial(EMDBDataset, camera='dpvo', flip_features=True, transductive=True),
        partial(EMDBDataset, real_supervision='labels', intrinsics='true'),
        partial(EMDBDataset, split='emdb1', flip_test=True),
        partial(EMDBDataset, split='emdb2'),
    ),
    '3DPW': (
        ThreeDPWDataset,
        partial(ThreeDPWDataset, real_supervision='labels'),
        partial(ThreeDPWDataset, split='test', flip_test=True),
    ),
    'H36M': (H36MDataset, partial(H36MDataset, flip_features=True)),
    'RICH': (partial(RICHDataset, with_joints=False),),
}
"""How the packs of a folder are read."""
MAX_ITEMS = 6


def pack_files(root: Path) -> list[Path]:
    """Return all files of packs below a data root, relative to it."""
    files = [path for name in READERS for path in sorted((root / name).rglob('*.pt*'))]
    return [path.relative_to(root) for path in files if path.is_file()]


def pack_cases(
    root: Path, scratch: Path, count: int, seed: int, seconds: float
) -> Iterator[Outcome]:
    """Spoil one file at a time, and read and validate what it belongs to.

    Args:
        root (Path): A data root, such as a demo's; read only.
        scratch (Path): An empty folder.
        count (int): Number of cases.
        seed (int): Same seed, same cases.
        seconds (float): Limit of each case.

    Yields:
        Outcome: Of each case.
    """
    files = pack_files(root)
    by_dataset: dict[str, list[Path]] = {}
    for file in files:
        by_dataset.setdefault(file.parts[0], []).append(file)
    copy = scratch / 'data'
    shutil.copytree(root, copy, copy_function=os.symlink)
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        own = by_dataset[list(by_dataset)[int(rng.integers(len(by_dataset)))]]
        # Half of the time one of the few files of all sequences, not one of the many of one.
        shared = [file for file in own if 'imgfeats' not in file.parts]
        own = shared if shared and rng.random() < 0.6 else own
        yield _run(copy, root, own[int(rng.integers(len(own)))], files, rng, number, seconds)


def _run(
    copy: Path,
    root: Path,
    file: Path,
    files: list[Path],
    rng: np.random.Generator,
    number: int,
    seconds: float,
) -> Outcome:
    path = copy / file
    path.unlink()
    try:
        what, names = _spoil(path, root / file, [root / f for f in files], rng)
        readers = READERS[file.parts[0]]
        reader = readers[int(rng.integers(len(readers)))]
        skip = rng.random() < 0.3
        case = f'case {number}: {file}: {what}'
        outcome = observe(f'{case}, read', partial(_read, reader, copy, skip, rng), names, seconds)
        if outcome.kind == FAILED:
            return outcome
        folder = copy / file.parts[0]
        checked = observe(f'{case}, validated', partial(_validate, folder), names, seconds)
        return checked if checked.kind == FAILED else outcome
    finally:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        path.symlink_to(root / file)


def _spoil(
    path: Path, source: Path, others: list[Path], rng: np.random.Generator
) -> tuple[str, tuple[str, ...]]:
    """Write the spoiled file; return what is spoiled, and what errors may name it by."""
    names = (path.name, path.stem, 'every one of its')
    if rng.random() < 0.3:
        shutil.copyfile(source, path)
        return mutate_file(path, others, rng), (*names, str(path.parent))
    change = mutate_content(_content(source), rng)
    torch.save(change.content, path)
    keys = tuple(text for key in change.where for text in (str(key), str(key).upper()))
    return f'{" > ".join(keys[::2])}: {change.what}', (*names, *keys)


@cache
def _content(path: Path) -> Any:
    return torch.load(path, weights_only=True)


def _read(reader: Any, root: Path, skip: bool, rng: np.random.Generator) -> None:
    dataset = reader(data_root=root, on_bad_sample='skip' if skip else 'error')
    for index in rng.permutation(len(dataset))[:MAX_ITEMS]:
        item = dataset[ClipKey(int(index), int(index))]
        for key, value in item['inputs'].items():
            if not torch.isfinite(value.float()).all():
                raise ArithmeticError(f'an item has a `{key}` that is not finite')


def _validate(folder: Path) -> None:
    """Validation must report, not raise, whatever the packs hold."""
    try:
        folders = find_folders(folder)
    except GVHMRError:
        return
    for folder in folders:
        _, reports = validate_folder(folder)
        for _report in reports:
            pass
