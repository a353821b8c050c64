"""The index of a pack of 10,000 to 1,000,000 clips: opening a dataset, and drawing batches of it.

The index is made up and there are no arrays: what is measured is all that a training does before it
reads a frame. The plain way parses a JSON line of each clip and holds a list of dicts. The indices
are made once, below ``work_dirs/benchmarks`` (0.9 GB), and kept; remove the folder at will.
"""

import json
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from mmengine.dataset import DefaultSampler

from benchmarks.speed.case import Case, Pair, Settings
from benchmarks.speed.paths import ROOT
from gvhmr_da_mm.datasets import BEDLAMDataset, MultiSourceDataset
from gvhmr_da_mm.datasets.packs import PackEntry, PackHeader, PackIndex
from gvhmr_da_mm.datasets.packs.json_index import JSON_INDEX_FILE, write_json_index
from gvhmr_da_mm.datasets.packs.pack_entry import sequence_file
from gvhmr_da_mm.datasets.packs.pack_index import INDEX_FILE
from gvhmr_da_mm.datasets.samplers import AlternatingMultiSourceSampler

FOLDER = ROOT / 'work_dirs' / 'benchmarks' / 'index'
SIZES = {'1e4': 10_000, '1e5': 100_000, '1e6': 1_000_000}
QUICK = 100
"""Quick sizes are so many times smaller."""
BATCH, BATCHES = 64, 10
_ARRAYS = ('K_fullimg', 'T_w2c', 'bbx_xys', 'features') + tuple(
    f'{prefix}.{name}'
    for prefix in ('smplx_params', 'smplx_params_incam')
    for name in ('betas', 'body_pose', 'global_orient', 'transl')
)


def entries(count: int) -> Iterator[PackEntry]:
    """Make up the entries of clips as long as those of BEDLAM."""
    lengths = np.random.default_rng(0).integers(60, 181, count)
    for number, frames in enumerate(lengths.tolist()):
        name = f'20221010_3-10_500_batch01hand/seq_{number:06d}.mp4-rp_{number % 271:03d}'
        yield PackEntry(
            id=name,
            frames=frames,
            img_wh=(1280, 720),
            splits=('all60',) if number % 4 else ('maxspan60',),
            group=name[:-7],
            video=name[:-7],
            signature=f'{number:016x}',
            arrays=_ARRAYS,
            has_labels=True,
            has_features=True,
            file=sequence_file(name),
            bytes=4 * 1200 * frames,
            sha256=f'{number:064x}',
        )


def _prepare(count: int) -> Path:
    """Make an index in both forms, unless it is there; return the data root."""
    pack = FOLDER / str(count) / 'pack'
    if not (pack / INDEX_FILE).exists():
        pack.mkdir(parents=True, exist_ok=True)
        header = PackHeader('bedlam', 'synthetic', 'benchmarks', complete=True)
        write_json_index(pack, header, entries(count))
        PackIndex.temporary(header, entries(count), pack / INDEX_FILE).save(pack)
    return pack.parent


def _open(count: int, settings: Settings) -> Pair:
    root = _prepare(count // QUICK if settings.quick else count)

    def ours() -> MultiSourceDataset:
        os.utime(root / 'pack' / INDEX_FILE)  # A changed index is opened again.
        return MultiSourceDataset(dict(bedlam=BEDLAMDataset(root, pack='pack')))

    def plain() -> list[dict]:
        with (root / 'pack' / JSON_INDEX_FILE).open(encoding='utf-8') as file:
            next(file)
            return list(map(json.loads, file))

    return Pair(ours, plain, _same_length)


def _same_length(ours: MultiSourceDataset, plain: list) -> None:
    if len(ours) != len(plain):
        raise RuntimeError(f'{len(ours)} clips and {len(plain)} clips')


def _batch(count: int, settings: Settings) -> Pair:
    """Draw keys and look their clips up, up to where a sequence's file would be opened."""
    root = _prepare(count // QUICK if settings.quick else count)
    part = BEDLAMDataset(root, pack='pack')
    dataset = MultiSourceDataset(dict(bedlam=part))
    sampler = AlternatingMultiSourceSampler(DefaultSampler(dataset, seed=0), BATCH)
    steps = iter(range(1_000_000))

    def ours() -> list:
        drawn = []
        for _ in range(BATCHES):
            for key in sampler.batch(0, next(steps)):
                info = dataset.get_data_info(key.index)
                drawn.append(part.source.open(part.info_of(info)).limits)
        return drawn

    return Pair(ours)


def cases() -> list[Case]:
    """Return the cases of this family."""
    only = dict(devices=('cpu',), default=('cpu',))
    return [
        Case(f'index_{name}_{size}', partial(build, count), **only)
        for name, build in (('open', _open), ('batch', _batch))
        for size, count in SIZES.items()
    ]
