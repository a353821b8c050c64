"""Checks of the files that a run will read."""

from pathlib import Path
from typing import Union

from mmengine.config import Config
from mmengine.registry import Registry

from ..body_models import SMPLXLight
from ..config.loading import walk
from ..datasets import MotionDataset, MultiSourceDataset
from ..datasets.multi_source import absent_datasets
from ..evaluation import SequenceMetric
from ..fileio.paths import require_files
from ..models.checkpoint_reading import read_checkpoint
from ..registry import DATASETS, METRICS, MODELS


def check_checkpoint(path: str) -> None:
    """Check that a file is a checkpoint that can be loaded; its tensors are mapped, not read.

    Args:
        path (str): A file; URLs are left to MMEngine.

    Raises:
        MissingFilesError: If there is no such file.
        CheckpointError: If it is no complete file of :func:`torch.save`, or refers to anything but
            tensors, plain values and MMEngine's log histories.
    """
    if '://' in str(path):
        return
    read_checkpoint(path).require_plain()


def check_files(config: Config, *sections: str) -> None:
    """Check that all files of a run exist.

    Args:
        config (Config): The config of the run.
        sections (str): Top-level fields that will be used, such as ``'train_dataloader'``.

    Raises:
        MissingFilesError: One error for all files of datasets, body models and metrics.
    """
    files: dict[Path, str] = {}
    for section in sections:
        left_out: list[dict] = []
        for part in walk(config.get(section)):
            kind = part.get('type')
            if kind is None or any(part is one for one in left_out):
                continue
            if _is(DATASETS, kind, MultiSourceDataset):
                datasets = part['datasets']
                left_out += map(datasets.get, absent_datasets(datasets, part.get('optional', ())))
            files.update(_files_of(kind, part))
    require_files(files, owner='this run')


def _files_of(kind: Union[str, type], part: dict) -> dict[Path, str]:
    """Return the files that one part of a config needs, and how to get each."""
    if _is(DATASETS, kind, MotionDataset):
        return DATASETS.build({**part, 'lazy_init': True}).required_files()
    if _is(METRICS, kind, SequenceMetric):
        return METRICS.build(dict(part)).meshes.required_files()
    if _is(MODELS, kind, SMPLXLight):
        arguments = {name: value for name, value in part.items() if name != 'type'}
        return SMPLXLight.required_files(**arguments)
    return {}


def _is(registry: Registry, kind: Union[str, type], parent: type) -> bool:
    found = registry.get(kind) if isinstance(kind, str) else kind
    return isinstance(found, type) and issubclass(found, parent)
