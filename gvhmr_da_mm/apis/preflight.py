"""Asks for everything that a run will read before it starts."""

import zipfile
from pathlib import Path

from mmengine.config import Config

from ..body_models.loading import body_model_file
from ..body_models.regressors import regressor_file
from ..core.errors import CheckpointError, MissingFilesError
from ..core.paths import require_files
from ..datasets import MotionDataset
from ..evaluation import SequenceMetric
from ..evaluation.protocols import get_protocol
from ..registry import DATASETS, METRICS, MODELS
from .config import walk

LIGHT_BODY_RESOURCES = ('coco17', 'smplx2smpl', 'verts437')
MESH_GENDERS = ('male', 'female')
PICKLE_MAGIC = b'\x80'
"""First byte of the format of :func:`torch.save` before torch 1.6."""


def check_checkpoint(path: str) -> None:
    """Check that a file can be a checkpoint at all, without reading it.

    Args:
        path (str): A file; URLs are left to MMEngine.

    Raises:
        MissingFilesError: If there is no such file.
        CheckpointError: If :func:`torch.save` has not written it, or not to its end.
    """
    if '://' in str(path):
        return
    if not Path(path).is_file():
        raise MissingFilesError(f'there is no checkpoint {str(path)!r}')
    if zipfile.is_zipfile(path):
        return
    with open(path, 'rb') as file:
        if file.read(1) == PICKLE_MAGIC:
            return
    raise CheckpointError(
        f'{path} is no checkpoint, or a part of one: copy or download it again, or take the one '
        'that was saved before it'
    )


def check_files(config: Config, *sections: str) -> None:
    """Check that all files of a run exist, so that none is missed only after hours.

    Args:
        config (Config): The config of the run.
        sections (str): Top-level fields that will be used, such as ``'train_dataloader'``.

    Raises:
        MissingFilesError: One error for all files of datasets, body models and metrics.
    """
    files: dict[Path, str] = {}
    for section in sections:
        for part in walk(config.get(section)):
            kind = part.get('type')
            if kind is None:
                continue
            files.update(_files_of(kind, part))
    require_files(files, owner='this run')


def _files_of(kind, part: dict) -> dict[Path, str]:
    """Return the files that one part of a config needs, with how to get them."""
    dataset = DATASETS.get(kind) if isinstance(kind, str) else kind
    if _is(dataset, MotionDataset):
        return DATASETS.build({**part, 'lazy_init': True}).required_files()
    folders = dict(data_root=part.get('data_root'), support_dir=part.get('support_dir'))
    metric = METRICS.get(kind) if isinstance(kind, str) else kind
    if _is(metric, SequenceMetric):
        protocol = get_protocol(part.get('protocol') or part['dataset'])
        models = [body_model_file('smplx', 'neutral', folders['data_root'])]
        models += [body_model_file('smpl', gender, folders['data_root']) for gender in MESH_GENDERS]
        names = (protocol.regressor, 'smplx2smpl')
        return dict(models + [regressor_file(name, **folders) for name in names])
    model = MODELS.get(kind) if isinstance(kind, str) else kind
    if getattr(model, '__name__', '') == 'SMPLXLight':
        path = body_model_file(
            'smplx', part.get('gender', 'neutral'), folders['data_root'], part.get('model_path')
        )
        return dict([path, *(regressor_file(name, **folders) for name in LIGHT_BODY_RESOURCES)])
    return {}


def _is(kind, parent: type) -> bool:
    return isinstance(kind, type) and issubclass(kind, parent)
