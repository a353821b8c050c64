"""Generation of a demo data root: body models, support files and the three packs."""

import json
import os
import shutil
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Optional, Union

from rich.progress import Progress

from gvhmr_da_mm.core.errors import ConfigError

from ..registry.arguments import checks_flags
from .body.stand_in_body import StandInBody, write_body_models
from .domain_shift import DomainShift
from .motions import RecordedMotions, mocap_fingerprint
from .packs import write_bedlam, write_emdb, write_threedpw
from .packs.emdb import choose_names
from .preview import draw_preview
from .size import DemoSize, resolve_size
from .studio import Studio

MANIFEST = 'manifest.json'
VERSION = 1
"""Increment it when the same arguments give other data."""


@checks_flags
def generate_demo(
    root: Union[str, Path],
    seed: int = 0,
    shift: Union[float, DomainShift] = 1.0,
    size: Union[str, int, DemoSize] = 'small',
    progress: bool = True,
    preview: bool = True,
    overwrite: bool = False,
    mocap: Optional[Union[str, Path]] = None,
) -> Path:
    """Write the demo data root, unless it is already there.

    The files have the names, keys, shapes, dtypes and conventions of the published packs, so code
    that reads the demo reads those. Metrics on the demo do not show accuracy on real data.

    Args:
        root (str | Path): Folder to create; it appears only when complete.
        seed (int): Seed of all randomness. Defaults to 0.
        shift (float | DomainShift): Gap between the domains, 0 to 1. Defaults to 1.
        size (str | int | DemoSize): ``'toy'`` (tests), ``'small'``, ``'full'``, or the number of
            clips, 16 to 500. Defaults to ``'small'``.
        progress (bool): Show a progress bar. Defaults to True.
        preview (bool): Also draw ``preview.png``. Defaults to True.
        overwrite (bool): Replace a demo made with other arguments. Defaults to False.
        mocap (str | Path, optional): Folder of recorded motion in the format of AMASS, which the
            clips show: no person is in two of synthetic clips, unlabelled clips and test clips.
            Defaults to None: the clips of this package.

    Returns:
        Path: The root.

    Raises:
        ConfigError: If an argument is out of range, or ``root`` has other content.
        DataError: If the recorded motion is damaged, or shows too few people.
        MissingFilesError: If the mannequin package is not installed.
    """
    root = Path(root).expanduser().absolute()
    amount = resolve_size(size)
    folder = None if mocap is None else Path(mocap).expanduser().absolute()
    arguments = {
        'version': VERSION,
        'seed': int(seed),
        'shift': asdict(DomainShift.of(shift)),
        'size': asdict(amount),
        # Not the path: a demo belongs to the recordings, wherever they are.
        'mocap': None if folder is None else mocap_fingerprint(folder),
    }
    if _is_finished(root, arguments, overwrite):
        return root
    partial = root.with_name(f'.{root.name}.partial-{os.getpid()}')
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        _write_all(partial, arguments, amount, DomainShift.of(shift), folder, progress, preview)
        _publish(partial, root, arguments, overwrite)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return root


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
    root: Path,
    arguments: dict,
    size: DemoSize,
    shift: DomainShift,
    mocap: Optional[Path],
    progress: bool,
    preview: bool,
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
        motions = None if mocap is None else RecordedMotions(mocap, root)
        studio = Studio(arguments['seed'], shift, body, motions)
        write_bedlam(root, studio, size.bedlam, size.max_frames, step('BEDLAM'))
        write_emdb(root, studio, names, frame_range, step('EMDB'))
        write_threedpw(
            root, studio, size.threedpw_train, size.threedpw_test, frame_range, step('3DPW')
        )
        if preview:
            draw_preview(root, body, embedded=mocap is None)
        step('preview')()
    files = sorted(path for path in root.rglob('*') if path.is_file())
    listed = [{'path': p.relative_to(root).as_posix(), 'bytes': p.stat().st_size} for p in files]
    manifest = {**arguments, **studio.motions.report(), 'files': listed}
    (root / MANIFEST).write_text(json.dumps(manifest, indent=1) + '\n')


def _publish(partial: Path, root: Path, arguments: dict, overwrite: bool) -> None:
    """Move the finished folder to its place, unless another process was faster."""
    if _is_finished(root, arguments, overwrite):
        return
    if root.exists():
        shutil.rmtree(root)
    partial.rename(root)
