"""A pack of many clips: opening it, and reading random windows.

The plain ways are the published ones: one ``torch.save`` file with the labels of all clips, and one
file per clip that is loaded as a whole. The data are made once, below ``work_dirs/benchmarks`` (4
GiB; 10,000 clips of 60 to 180 frames with image features), and kept; remove the folder at will.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from benchmarks.speed.case import Case, Pair, Settings, close
from gvhmr_da_mm.datasets.packs import PackWriter, SequencePack, write_sequence

FOLDER = Path(__file__).resolve().parents[2] / 'work_dirs' / 'benchmarks' / 'storage'
CLIPS, QUICK_CLIPS = 10_000, 500
MIN_FRAMES, MAX_FRAMES = 60, 180
WINDOW_CLIPS = 200
"""Clips that have a file of the plain kind as well, and that windows are drawn from."""
WINDOWS = 200
_ROWS = {
    'features': 1024, 'bbx_xys': 3, 'smplx_params.body_pose': 63, 'smplx_params.betas': 10,
    'smplx_params.global_orient': 3, 'smplx_params.transl': 3, 'smplx_params_incam.body_pose': 63,
    'smplx_params_incam.betas': 10, 'smplx_params_incam.global_orient': 3,
    'smplx_params_incam.transl': 3,
}  # fmt: skip
_CAMERAS = {'T_w2c': (4, 4), 'K_fullimg': (3, 3)}


def _lengths(clips: int) -> np.ndarray:
    return np.random.default_rng(0).integers(MIN_FRAMES, MAX_FRAMES + 1, clips)


def _clip(number: int, frames: int, noise: Tensor) -> dict[str, Tensor]:
    """Return the arrays of a clip; the noise is drawn once, for time's sake."""
    first = number % 100
    arrays = {}
    for name, size in _ROWS.items():
        values = noise[first : first + frames * size].reshape(frames, size)
        arrays[name] = values.half() if name == 'features' else values
    arrays['bbx_xys'] = arrays['bbx_xys'].abs() + 1
    arrays.update((name, torch.eye(n).repeat(frames, 1, 1)) for name, (n, _) in _CAMERAS.items())
    return arrays


def _paths(settings: Settings) -> tuple[Path, int]:
    clips = QUICK_CLIPS if settings.quick else CLIPS
    return FOLDER / str(clips), clips


def prepare(settings: Settings) -> Path:
    """Make the data, unless they are there: a pack, the plain files, and one of all labels."""
    root, clips = _paths(settings)
    done = root / 'complete'
    if done.exists():
        return root
    noise = torch.randn(100 + MAX_FRAMES * 1024)
    # Goes on with what an interrupted run has written.
    with PackWriter(root / 'pack', 'storage', 'synthetic', 'benchmarks') as writer:
        for number, frames in enumerate(_lengths(clips).tolist()):
            name = f'clip_{number:05d}'
            arrays = _clip(number, frames, noise)
            if number < WINDOW_CLIPS:
                (root / 'clips').mkdir(exist_ok=True)
                torch.save({k: v.clone() for k, v in arrays.items()}, root / f'clips/{name}.pt')
            if name not in writer.entries:
                meta = dict(img_wh=(1280, 720), splits=('all60',))
                writer.record(write_sequence(writer.root, name, arrays, meta))
    labels = {}
    for number in range(clips):
        arrays = _clip(number, MIN_FRAMES, noise)
        labels[f'clip_{number:05d}'] = {
            name: array.clone()
            for name, array in arrays.items()
            if name not in ('features', 'bbx_xys', 'smplx_params_incam.body_pose')
        }
    torch.save(labels, root / 'labels.pth')
    done.touch()
    return root


def _open_pack(settings: Settings) -> Pair:
    root = prepare(settings)

    def ours() -> int:
        return len(SequencePack(root / 'pack').entries.table)

    def plain() -> int:
        return len(torch.load(root / 'labels.pth', mmap=True, weights_only=True))

    def check(first: int, second: int) -> None:
        if first != second:
            raise RuntimeError(f'{first} clips and {second} clips')

    return Pair(ours, plain, check)


def _windows(settings: Settings) -> Pair:
    root = prepare(settings)
    rng = np.random.default_rng(1)
    lengths = _lengths(_paths(settings)[1])
    windows = []
    for number in rng.integers(0, WINDOW_CLIPS, WINDOWS).tolist():
        size = int(rng.integers(MIN_FRAMES, min(120, lengths[number]) + 1))
        start = int(rng.integers(0, lengths[number] - size + 1))
        windows.append((f'clip_{number:05d}', start, start + size))
    names = [*_ROWS, *_CAMERAS]
    pack = SequencePack(root / 'pack')

    def ours() -> list[Tensor]:
        read = []
        for name, start, end in windows:
            fields = pack[name]
            read += [fields.array(key)[start:end].float() for key in names]
        return read

    def plain() -> list[Tensor]:
        read = []
        for name, start, end in windows:
            content = torch.load(root / f'clips/{name}.pt', weights_only=True)
            read += [content[key][start:end].float() for key in names]
        return read

    return Pair(ours, plain, close(0))


def cases() -> list[Case]:
    """Return the cases of this family."""
    return [
        Case('storage_open', _open_pack, devices=('cpu',), default=('cpu',)),
        Case('storage_windows', _windows, devices=('cpu',), default=('cpu',)),
    ]
