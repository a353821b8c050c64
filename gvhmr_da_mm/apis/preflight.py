"""Asks for everything that a run will read before it starts."""

from pathlib import Path

from mmengine.config import Config

from ..body_models.loading import body_model_file
from ..body_models.regressors import regressor_file
from ..core.paths import require_files
from ..datasets import MotionDataset
from ..evaluation import SequenceMetric
from ..evaluation.protocols import get_protocol
from ..registry import DATASETS, METRICS, MODELS
from .config import walk

LIGHT_BODY_RESOURCES = ('coco17', 'smplx2smpl', 'verts437')
MESH_GENDERS = ('male', 'female')


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
