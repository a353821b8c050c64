"""Training items per worker: the published files, read by frames or as a whole."""

from collections.abc import Callable
from functools import partial

from gvhmr_da_mm.datasets import BEDLAMDataset, ThreeDPWDataset, pack_io
from gvhmr_da_mm.datasets.motion_dataset import MotionDataset
from gvhmr_da_mm.datasets.samplers import ClipKey

from .case import Case, Pair, Settings

ITEMS = 64
"""Items per timing; a row's seconds are those of so many."""


def _read(dataset: MotionDataset, before: Callable[[], None] = lambda: None) -> None:
    for number in range(ITEMS):
        before()
        dataset[ClipKey(number % len(dataset), number)]


def whole_files(settings: Settings, kind: type, **options) -> Pair:
    """Read random windows; the plain way loads each clip's feature file as a whole."""
    dataset = kind(data_root=str(settings.data_root), **options)

    def plain() -> None:
        mapped = pack_io.torch.load
        try:
            pack_io.torch.load = partial(_load_whole, mapped)
            _read(dataset)
        finally:
            pack_io.torch.load = mapped

    return Pair(partial(_read, dataset), plain)


def _load_whole(load: Callable, path: str, **options) -> object:
    """Read a file into memory, as ``torch.load`` does by itself."""
    return load(path, **{**options, 'mmap': False})


def cases() -> list[Case]:
    """Return the cases of this family."""
    kinds = dict(bedlam=(BEDLAMDataset, {}), threedpw=(ThreeDPWDataset, dict(split='train')))
    return [
        Case(
            f'loader_{name}',
            partial(whole_files, kind=kind, **options),
            devices=('cpu',),
            default=('cpu',),
        )
        for name, (kind, options) in kinds.items()
    ]
