"""Generation of a demo data root: body models, support files and the three packs."""

import json
import os
import shutil
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Optional, Union

from rich.progress import Progress

from gvhmr_da_mm.core.errors import ConfigError

from .body.stand_in_body import StandInBody, write_body_models
from .domain_shift import DomainShift
from .packs import write_bedlam, write_emdb, write_threedpw
from .packs.emdb import choose_names
from .preview import draw_preview
from .studio import Studio

MANIFEST = 'manifest.json'
VERSION = 1
"""Increment it when the same arguments give other data."""


@dataclass(frozen=True)
class DemoSize:
    """Size of a demo.

    Args:
        bedlam (int): Synthetic clips.
        emdb1 (int): EMDB-1 sequences; one of them is in EMDB-2 too.
        emdb2 (int): EMDB-2 sequences.
        emdb_training (int): EMDB sequences in neither, at most 8.
        threedpw_train (int): 3DPW training clips, at most 12.
        threedpw_test (int): 3DPW test clips, at most 8.
        min_frames (int): Shortest real clip; synthetic ones start at 60.
        max_frames (int): Longest clip.
    """

    bedlam: int
    emdb1: int
    emdb2: int
    emdb_training: int
    threedpw_train: int
    threedpw_test: int
    min_frames: int = 100
    max_frames: int = 180


SIZES: Mapping[str, DemoSize] = {
    'toy': DemoSize(6, 2, 2, 2, 2, 2, min_frames=64, max_frames=90),
    'small': DemoSize(32, 6, 6, 8, 8, 4),
    'full': DemoSize(96, 17, 25, 8, 12, 8, min_frames=120, max_frames=240),
}


def generate_demo(
    root: Union[str, Path],
    seed: int = 0,
    shift: Union[float, DomainShift] = 1.0,
    size: Union[str, DemoSize] = 'small',
    progress: bool = True,
    preview: bool = True,
    overwrite: bool = False,
) -> Path:
    """Write the demo data root, unless it is already there.

    The files have the names, keys, shapes, dtypes and conventions of the published packs, so code
    that reads the demo reads those. Metrics on the demo do not show accuracy on real data.

    Args:
        root (str | Path): Folder to create; it appears only when complete.
        seed (int): Seed of all randomness. Defaults to 0.
        shift (float | DomainShift): Gap between the domains, 0 to 1. Defaults to 1.
        size (str | DemoSize): ``'toy'`` (tests), ``'small'``, ``'full'``. Defaults to ``'small'``.
        progress (bool): Show a progress bar. Defaults to True.
        preview (bool): Also draw ``preview.png``. Defaults to True.
        overwrite (bool): Replace a demo made with other arguments. Defaults to False.

    Returns:
        Path: The root.

    Raises:
        ConfigError: If an argument is out of range, or ``root`` has other content.
        MissingFilesError: If the mannequin package is not installed.
    """
    root = Path(root).expanduser().absolute()
    amount = _resolve_size(size)
    arguments = {
        'version': VERSION,
        'seed': int(seed),
        'shift': asdict(DomainShift.of(shift)),
        'size': asdict(amount),
    }
    if _is_finished(root, arguments, overwrite):
        return root
    partial = root.with_name(f'.{root.name}.partial-{os.getpid()}')
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        _write_all(partial, arguments, amount, DomainShift.of(shift), progress, preview)
        _publish(partial, root, arguments, overwrite)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return root


def _resolve_size(size: Union[str, DemoSize]) -> DemoSize:
    if isinstance(size, DemoSize):
        return size
    if size not in SIZES:
        raise ConfigError(f'`size` should be one of {sorted(SIZES)} or a DemoSize, got {size!r}')
    return SIZES[size]


def read_manifest(root: Union[str, Path]) -> Optional[dict]:
    """Return the manifest of a finished demo root, or None if there is none."""
    path = Path(root) / MANIFEST
    return json.loads(path.read_text()) if path.is_file() else None


def _is_finished(root: Path, arguments: dict, overwrite: bool) -> bool:
    """Return whether the demo exists; raise ConfigError if other content would be overwritten."""
    if not root.exists() or (root.is_dir() and not any(root.iterdir())):
        return False
    manifest = read_manifest(root)
    if manifest is None:
        raise ConfigError(
            f'{root} exists and is not a demo (it has no {MANIFEST}). Choose another folder.'
        )
    found = {key: manifest.get(key) for key in arguments}
    if found == arguments:
        missing = [file['path'] for file in manifest['files'] if not (root / file['path']).exists()]
        if not missing:
            return True
        found = f'{len(missing)} of its files missing, e.g. {missing[0]}'
    if overwrite:
        return False
    raise ConfigError(
        f'{root} holds a demo made with other arguments.\n'
        f'  expected: {arguments}\n  found: {found}\n'
        'Choose another folder, or replace it with `overwrite=True` (`--overwrite`).'
    )


def _write_all(
    root: Path, arguments: dict, size: DemoSize, shift: DomainShift, progress: bool, preview: bool
) -> None:
    names = choose_names(size.emdb1, size.emdb2, size.emdb_training)
    total = size.bedlam + len(names) + size.threedpw_train + size.threedpw_test + 2
    frame_range = (size.min_frames, size.max_frames)
    with Progress(transient=True) if progress else nullcontext() as bar:
        task = bar.add_task('body models', total=total) if bar else None

        def step(description: str):
            def advance() -> None:
                if bar:
                    bar.update(task, advance=1, description=description)

            return advance

        body = StandInBody()
        write_body_models(body, root)
        step('BEDLAM')()
        studio = Studio(arguments['seed'], shift, body)
        write_bedlam(root, studio, size.bedlam, size.max_frames, step('BEDLAM'))
        write_emdb(root, studio, names, frame_range, step('EMDB'))
        write_threedpw(
            root, studio, size.threedpw_train, size.threedpw_test, frame_range, step('3DPW')
        )
        if preview:
            draw_preview(root, body)
        step('preview')()
    files = sorted(path for path in root.rglob('*') if path.is_file())
    listed = [{'path': p.relative_to(root).as_posix(), 'bytes': p.stat().st_size} for p in files]
    manifest = {**arguments, 'files': listed}
    (root / MANIFEST).write_text(json.dumps(manifest, indent=1) + '\n')


def _publish(partial: Path, root: Path, arguments: dict, overwrite: bool) -> None:
    """Move the finished folder to its place, unless another process was faster."""
    if _is_finished(root, arguments, overwrite):
        return
    if root.exists():
        shutil.rmtree(root)
    partial.rename(root)
