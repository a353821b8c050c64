"""Building of the single datasets of a config."""

from collections.abc import Sequence
from typing import Any, Optional

from mmengine.config import Config

from ..core.errors import ConfigError
from ..datasets import MotionDataset, RealVideoDataset
from ..fileio.paths import require_files
from ..registry import DATASETS
from .choices import SPLITS


def config_datasets(
    config: Config,
    splits: Sequence[str] = SPLITS,
    name: Optional[str] = None,
    with_joints: bool = True,
) -> list[MotionDataset]:
    """Build the datasets of a config's dataloaders, each once, without their lists of clips.

    Args:
        config (Config): The config.
        splits (Sequence[str]): Splits whose dataloaders are used. Defaults to all three.
        name (str, optional): Only the dataset of this name, such as ``emdb_train``. Defaults to
            None.
        with_joints (bool): Whether test items have joints, which need the SMPL models. Defaults
            to True. Mirrored inputs are never read.

    Returns:
        list[MotionDataset]: In the config's order; call ``full_init`` before use.

    Raises:
        ConfigError: If there is no such dataset; the message lists the datasets.
        MissingFilesError: If files of the datasets are missing; one error for all.
    """
    unknown = sorted(set(splits) - set(SPLITS))
    if unknown:
        raise ConfigError(f'splits should be some of {SPLITS}, got {unknown}')
    datasets: dict[str, MotionDataset] = {}
    for split in splits:
        for part in _parts((config.get(f'{split}_dataloader') or {}).get('dataset')):
            kind = part['type']
            kind = DATASETS.get(kind) if isinstance(kind, str) else kind
            # Validation may use the first clips of the test only; all are wanted here.
            part.update(indices=None, lazy_init=True)
            if isinstance(kind, type) and issubclass(kind, RealVideoDataset):
                part.update(flip_test=False, with_joints=with_joints)
            dataset = DATASETS.build(part)
            if isinstance(dataset, MotionDataset):
                datasets.setdefault(dataset.dataset, dataset)
    if not datasets:
        raise ConfigError(f'the config has no motion dataset in {", ".join(splits)}')
    if name is not None and name not in datasets:
        raise ConfigError(
            f'the config has no dataset {name!r} in {", ".join(splits)}; it has '
            f'{", ".join(datasets)}'
        )
    chosen = [datasets[name]] if name is not None else list(datasets.values())
    files = {path: hint for dataset in chosen for path, hint in dataset.required_files().items()}
    require_files(files, owner=', '.join(dataset.dataset for dataset in chosen))
    return chosen


def _parts(dataset: Any) -> list[dict]:
    """Return the configs of the datasets inside a wrapper, or of the dataset itself."""
    if not isinstance(dataset, dict):
        return []
    if dataset.get('dataset') and isinstance(dataset['dataset'], dict):
        return _parts(dataset['dataset'])
    if 'datasets' not in dataset:
        return [dict(dataset)]
    inner = dataset['datasets']  # A dict by name in ours, a list in MMEngine's.
    inner = inner.values() if isinstance(inner, dict) else inner
    return [part for entry in inner for part in _parts(entry)]
